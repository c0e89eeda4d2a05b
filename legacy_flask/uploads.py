"""/uploads: how long a file is and its SHA-256. Nothing is kept.

Large files take no memory: Werkzeug writes the parts of a form to a temporary file, and a raw body is read piece by
piece. No login and no CSRF token are needed for what changes nothing.
"""

from __future__ import annotations

import hashlib
import os

from flask import Blueprint, abort, current_app, request
from flask.typing import ResponseReturnValue

bp = Blueprint("uploads", __name__, url_prefix="/uploads")

PIECE = 256 * 1024  # bytes


@bp.before_request
def allow_large_bodies() -> None:
    request.max_content_length = current_app.config["UPLOAD_MAX_BYTES"]


@bp.post("")
def upload_form() -> ResponseReturnValue:
    files = [file for file in request.files.getlist("file") if file.filename]
    if not files:
        abort(400, 'Send at least one file in the field "file".')
    described = []
    for file in files:
        digest = hashlib.file_digest(file.stream, "sha256")  # type: ignore[arg-type]  # IO[bytes] is enough for it
        size = file.stream.seek(0, os.SEEK_END)
        described.append({"name": file.filename, "size": size, "sha256": digest.hexdigest()})
    return {"files": described}


@bp.put("/<name>")
def upload_raw(name: str) -> ResponseReturnValue:
    digest = hashlib.sha256()
    size = 0
    while piece := request.stream.read(PIECE):
        digest.update(piece)
        size += len(piece)
    return {"name": name, "size": size, "sha256": digest.hexdigest()}
