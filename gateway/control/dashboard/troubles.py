"""What is not well, in words: of a route, of a backend, and of all that a page was made of."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.control.admin.limit_view import LimitView
from gateway.control.admin.status import BackendView, RouteStatus, Status


def of_route(route: RouteStatus) -> Iterator[str]:
    """Which backends are left alone, and whether there is too much of it."""
    for name, breaker in route.breakers.items():
        if breaker.trouble:
            yield f"{name} {breaker.trouble}"
    yield from _full(route.limit)


def of_backend(backend: BackendView) -> Iterator[str]:
    """Which of its addresses are not well, and whether too much is asked of it."""
    for address in backend.addresses:
        if address.trouble:
            yield f"{address.address} {address.trouble}"
    yield from _full(backend.limit)


def made_of(status: Status) -> str:
    """One line each for version, text, problems, workers and troubles. The script on the page makes the same."""
    workers = (f"{each.number} {each.pid} {each.state} {each.version}" for each in status.workers)
    of_backends = (f"{each.name} {trouble}" for each in status.backends for trouble in of_backend(each))
    of_routes = (f"{each.label} {trouble}" for each in status.routes for trouble in of_route(each))
    # A limit that has come is a line on the page, too, once a worker has told of it.
    limited = (each.name for each in status.backends if each.limit)
    limits = (*limited, *(each.label for each in status.routes if each.limit))
    config = status.config
    return "\n".join(
        (str(config.version), config.digest, *config.problems, *workers, *of_backends, *of_routes, *limits)
    )


def _full(limit: LimitView | None) -> Iterator[str]:
    if limit is not None and limit.trouble:
        yield limit.trouble
