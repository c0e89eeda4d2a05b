"""Errors in the Flask app's one shape: ``{"error": text, "status": number}``, and ``fields`` for invalid data."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import cast

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import Response

from gateway.migrate.flask_session import FlaskSession

from .fields import messages
from .json import FlaskJSON
from .requests import body_problem
from .rules import Rules

# For the errors that the framework raises by itself.
MESSAGES = {
    400: "The request cannot be understood.",
    401: "Log in first.",
    403: "This is not allowed.",
    404: "Nothing is here.",
    405: "This method is not allowed here.",
    413: "The body is too large.",
    500: "Something went wrong on our side.",
}
BODY_MESSAGES = {
    400: "The body is not valid JSON.",
    415: "Send the body as application/json.",
}


class Problem(HTTPException):
    """What an endpoint refuses to do. Without a message, the status has a usual one."""

    def __init__(self, status: int, message: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message or MESSAGES[status])
        self.fields = fields


class InvalidData(Problem):
    """400 with a message for each field that is wrong."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(400, "The data is not valid.", fields)


def install(app: FastAPI, rules: Rules, session: FlaskSession) -> None:
    """Make every error of ``app`` one of these."""

    async def refused(request: Request, error: Exception) -> Response:
        error = cast(StarletteHTTPException, error)
        headers = dict(error.headers or {})
        if error.status_code == 405 and (methods := rules.methods(request.scope)):
            headers["Allow"] = ", ".join(sorted(methods))
        if isinstance(error, Problem):
            return _response(error.status_code, error.detail, error.fields, headers)
        return _response(error.status_code, _usual(error.status_code), None, headers)

    async def invalid(request: Request, error: Exception) -> Response:
        problem = body_problem(request)
        if problem is not None:
            return _response(problem, BODY_MESSAGES.get(problem) or MESSAGES[problem])
        fields = messages(cast(RequestValidationError, error).errors())
        if not fields:
            return _response(400, "The body must be a JSON object.")
        return await refused(request, InvalidData(fields))

    async def crashed(request: Request, error: Exception) -> Response:
        response = _response(500, MESSAGES[500])
        await session.save(request, response)  # Flask keeps what the view wrote before it crashed
        return response

    app.add_exception_handler(StarletteHTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, crashed)


def _usual(status: int) -> str:
    return MESSAGES.get(status) or HTTPStatus(status).phrase


def _response(
    status: int, message: str, fields: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    body: dict[str, object] = {"error": message, "status": status}
    if fields:
        body["fields"] = fields
    return FlaskJSON(body, status, headers)
