"""One shape for errors: JSON for the API, a page for people."""

from __future__ import annotations

from collections.abc import Collection

from flask import Flask, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

# For the errors that Flask and Werkzeug raise by themselves; a view's own abort(404, "...") speaks for itself.
MESSAGES = {
    400: "The request cannot be understood.",
    401: "Log in first.",
    403: "This is not allowed.",
    404: "Nothing is here.",
    405: "This method is not allowed here.",
    413: "The body is too large.",
    500: "Something went wrong on our side.",
}


def init_app(app: Flask, api_blueprints: Collection[str]) -> None:
    """Register the handlers. Call it after the blueprints: which paths are API paths is read from the URL map."""
    # A URL that no rule matches has no blueprint to ask, so /books/none is known by its first segment.
    api_roots = frozenset(
        rule.rule.split("/", 2)[1]
        for rule in app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0] in api_blueprints
    )

    def handle(error: HTTPException) -> ResponseReturnValue:
        if request.blueprint in api_blueprints:
            return as_json(error)
        if request.blueprint is None and request.path.split("/", 2)[1] in api_roots:
            return as_json(error)
        return as_page(error)

    app.register_error_handler(HTTPException, handle)


def as_json(error: HTTPException) -> ResponseReturnValue:
    # The exception's own response has the headers that belong to it, such as Allow with a 405.
    response = error.get_response()
    body: dict[str, object] = {"error": _message(error), "status": error.code}
    fields = getattr(error, "fields", None)
    if fields:
        body["fields"] = fields
    response.data = jsonify(body).data
    response.content_type = "application/json"
    return response


def as_page(error: HTTPException) -> ResponseReturnValue:
    response = error.get_response()
    response.data = render_template("error.html", status=error.code, message=_message(error))
    response.content_type = "text/html; charset=utf-8"
    return response


def _message(error: HTTPException) -> str:
    if error.description is not None and error.description != type(error).description:
        return error.description
    return MESSAGES.get(error.code or 500) or error.description or error.name
