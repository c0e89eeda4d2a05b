"""strangler-gateway: one door in front of a Flask app and the FastAPI app that replaces it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.version import __version__

if TYPE_CHECKING:
    from gateway.config.problem import ConfigError
    from gateway.dataplane.app import Gateway

__all__ = ["ConfigError", "Gateway", "__version__"]


def __getattr__(name: str) -> Any:
    # Imported when asked for: `gateway.migrate` is used by apps that want nothing of the proxy.
    if name == "Gateway":
        from gateway.dataplane.app import Gateway

        return Gateway
    if name == "ConfigError":
        from gateway.config.problem import ConfigError

        return ConfigError
    raise AttributeError(f"module 'gateway' has no attribute {name!r}")
