"""The dashboard's own files: the style sheet, the scripts, the icon."""

from __future__ import annotations

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope


class Files(StaticFiles):
    """Kept by the browser, and asked for again each time: a new gateway's page must not get an old one's script."""

    def __init__(self) -> None:
        super().__init__(packages=[("gateway.control.dashboard", "static")])

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "no-cache"
        return response
