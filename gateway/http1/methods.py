"""What methods mean."""

from __future__ import annotations

from typing import Final

# RFC 9110 9.2.2, and the safe methods of other RFCs: sending such a request twice is as good as once.
IDEMPOTENT: Final = frozenset(
    ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "QUERY", "PROPFIND", "REPORT", "SEARCH")
)
