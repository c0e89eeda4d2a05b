"""JSON as Flask's provider writes it."""

from __future__ import annotations

import email.utils
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi.responses import JSONResponse
from pydantic import PlainSerializer, WithJsonSchema


class FlaskJSON(JSONResponse):
    """Sorted keys, everything beyond ASCII escaped, a newline at the end. Old clients compare and hash such bodies."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"


def _http_date(value: datetime) -> str:
    return email.utils.format_datetime(value.replace(tzinfo=UTC), usegmt=True)


# A time without zone that is UTC, as the tables have it: "Thu, 02 Jan 2025 09:30:00 GMT".
HttpDate = Annotated[
    datetime,
    PlainSerializer(_http_date, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["Thu, 02 Jan 2025 09:30:00 GMT"]}, mode="serialization"),
]
# A string, so that "1.10" keeps its zero and no client makes a float of it unasked.
Amount = Annotated[
    Decimal,
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["4.50"]}, mode="serialization"),
]
