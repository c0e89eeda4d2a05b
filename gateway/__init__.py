"""strangler-gateway: one door in front of a Flask app and the FastAPI app that replaces it."""

from gateway.version import __version__

__all__ = ["__version__"]
