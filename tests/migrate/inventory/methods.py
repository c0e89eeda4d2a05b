from __future__ import annotations


def methods(text: str) -> frozenset[str]:
    """``GET HEAD`` as an endpoint has it."""
    return frozenset(text.split())
