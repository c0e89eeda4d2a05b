"""What the JSON blueprints share: paging, looking rows up, and why they need no CSRF token.

Cross-site requests. The session cookie is sent along with whatever a foreign page makes a browser send, so writes need
protection. Pages have Flask-WTF's token in each form. The JSON API is exempt from tokens, because its clients are
scripts that never saw a form; two things stand in for them:

- The cookie is SameSite=Lax: browsers leave it out of cross-site POST, PUT and DELETE.
- Bodies must be application/json. A foreign page can send a form's content types only, unless it asks first (a CORS
  preflight), which this app never grants. The same goes for the methods PUT and DELETE.

A new JSON view that writes must therefore read its body with `json_object`, or use PUT or DELETE.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from flask import abort, request
from flask_sqlalchemy.pagination import Pagination
from sqlalchemy import Select

from .extensions import Base, db
from .validation import LARGEST_ID

PER_PAGE = 20
MOST_PER_PAGE = 100
LAST_PAGE = 1_000_000  # beyond any table here, and far below what OFFSET can hold

Row = TypeVar("Row", bound=Base)


def find_or_404(model: type[Row], row_id: int, what: str) -> Row:
    """The row with that id. `what` names its kind in the message: "book"."""
    row = db.session.get(model, row_id) if row_id <= LARGEST_ID else None
    if row is None:
        abort(404, f"No {what} has the id {row_id}.")
    return row


def page_of(statement: Select[Row]) -> Pagination:
    """The page of rows that ?page= and ?per_page= ask for; what is not a sensible number counts as not given."""
    page = request.args.get("page", 1, type=int)
    per_page = request.args.get("per_page", PER_PAGE, type=int)
    return db.paginate(
        statement,
        page=min(page, LAST_PAGE),
        per_page=per_page,
        max_per_page=MOST_PER_PAGE,
        error_out=False,
    )


def page_json(name: str, page: Pagination, rows: Sequence[object]) -> dict[str, object]:
    """The envelope of every list: the rows under `name`, and where in the whole they are."""
    return {
        name: rows,
        "page": page.page,
        "per_page": page.per_page,
        "pages": page.pages,
        "total": page.total,
    }
