"""The suite has a short form, for every `make test`, and a full one: `make faults`."""

from __future__ import annotations

import os
from typing import TypeVar

FULL = os.environ.get("GATEWAY_FAULTS") == "full"

Value = TypeVar("Value", int, float)


def long(short: Value, full: Value) -> Value:
    """One of the two."""
    return full if FULL else short
