"""What the admin API says when it refuses: problem documents (RFC 9457)."""

from __future__ import annotations

import http
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """``kind`` is for programs, where a status alone does not say it; ``problems`` are those of a routes file."""

    title: str
    status: int
    detail: str = ""
    kind: str = ""
    problems: list[str] = Field(default=[], description="What is wrong, one sentence each.")


# For ``FastAPI(responses=...)``: every operation may answer with one.
ANY: dict[int | str, dict[str, Any]] = {
    "default": {"model": Problem, "description": "What went wrong, and what to do about it."}
}


class Refusal(Exception):
    """Answered with its problem document. ``detail`` says what is wrong, and what to do about it."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        kind: str = "",
        problems: list[str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.headers = headers
        self.problem = Problem(
            title=http.HTTPStatus(status).phrase, status=status, detail=detail, kind=kind, problems=problems or []
        )


def answer_with_problems(app: FastAPI) -> None:
    """Let every error of ``app`` be a problem document, those of the framework too."""

    @app.exception_handler(Refusal)
    async def refuse(request: Request, error: Refusal) -> Response:
        return response(error.problem, error.headers)

    @app.exception_handler(HTTPException)
    async def refuse_http(request: Request, error: HTTPException) -> Response:
        title = http.HTTPStatus(error.status_code).phrase
        detail = "" if error.detail == title else str(error.detail)
        return response(Problem(title=title, status=error.status_code, detail=detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def refuse_values(request: Request, error: RequestValidationError) -> Response:
        wrong = [_complaint(each) for each in error.errors()]
        title = http.HTTPStatus(422).phrase
        return response(Problem(title=title, status=422, detail="the request does not fit its schema", problems=wrong))

    @app.exception_handler(Exception)
    async def fail(request: Request, error: Exception) -> Response:
        # The server logs it, with its traceback; nobody but the log is told what it was.
        return response(Problem(title=http.HTTPStatus(500).phrase, status=500, detail="the log has the reason"))


def response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(problem.model_dump(exclude_defaults=True), problem.status, headers, MEDIA_TYPE)


def _complaint(error: Any) -> str:
    """Such as ``body.change.split.weights: Input should be a valid dictionary``; never the value itself."""
    # Which form of several a value has is a step, too, and has the name of its only key.
    place = ".".join(str(step) for step, _ in groupby(error["loc"]))
    return f"{place}: {error['msg']}"
