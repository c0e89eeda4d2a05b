"""``gateway.asgi:app`` serves the file named by GATEWAY_ROUTES (routes.yaml if unset), under any ASGI server."""

from __future__ import annotations

import os

from gateway.backends.search_path import look_beside
from gateway.dataplane.app import Gateway

_routes = os.environ.get("GATEWAY_ROUTES", "routes.yaml")
look_beside(_routes)
app = Gateway.from_file(_routes)
