"""``gateway.asgi:app`` serves the file named by GATEWAY_ROUTES (routes.yaml if unset), under any ASGI server."""

from __future__ import annotations

import os

from gateway.dataplane.app import Gateway

app = Gateway.from_file(os.environ.get("GATEWAY_ROUTES", "routes.yaml"))
