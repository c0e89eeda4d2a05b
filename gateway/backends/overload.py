"""The error of a backend that has no room for one more request."""

from __future__ import annotations


class Overloaded(Exception):
    """A request was refused before anything of its response was sent.

    ``retry_after`` is the number of whole seconds, at least 1, after which a request is likely to find room: the
    value of the Retry-After field (RFC 9110 section 10.2.3) of the 503 that the data plane makes of this.
    """

    def __init__(self, retry_after: int) -> None:
        self.retry_after = max(1, retry_after)
        super().__init__(f"no room for the request; try again in {self.retry_after} s")
