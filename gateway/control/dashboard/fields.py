"""What the forms send, and the changes that they ask for. No I/O."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl

from pydantic import ValidationError

from gateway.change.change import Change
from gateway.control.admin.change_body import ChangeBody

_WEIGHT = "weight."


class FieldError(Exception):
    """``str()`` is a sentence for the person who filled in the form."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A change as the page passes it on, and the text that it is made for. ``back`` is as in surroundings()."""

    change: Change
    text: str
    digest: str
    reason: str
    user: str
    back: str

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Raises FieldError."""
        fields = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        text = fields.get("change", "")
        return cls(
            change=change(text),
            text=text,
            digest=fields.get("digest", ""),
            reason=fields.get("reason", "").strip(),
            user=fields.get("user", "").strip()[:100],
            back=fields.get("back", ""),
        )


def change(text: str) -> Change:
    """The change that the JSON ``text`` describes, as in POST /api/v1/plan. Raises FieldError."""
    try:
        return ChangeBody.model_validate_json(text).change()
    except ValidationError:
        raise FieldError("The page asks for a change that the gateway does not know. Open it anew.") from None


def split(label: str, fields: Mapping[str, str]) -> str | None:
    """The JSON of the split that the route's form asks for; None if it asks for none. Raises FieldError.

    A field is ``weight.new`` with a percentage, or ``preset`` with ``new:25``, which wins.
    """
    given = {name.removeprefix(_WEIGHT): text for name, text in fields.items() if name.startswith(_WEIGHT)}
    preset, colon, percent = fields.get("preset", "").rpartition(":")
    if colon:
        given[preset] = percent
    if not given:
        return None
    weights = {backend: _percent(backend, text) for backend, text in given.items()}
    if sum(weights.values()) > 100:
        raise FieldError("The shares add up to more than 100 %.")
    return change_json({"split": {"route": label, "weights": weights}})


def change_json(body: Mapping[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False)


def _percent(backend: str, text: str) -> float:
    try:
        # Half of Europe's keyboards have a comma where this has a point.
        value = float(text.strip().replace(",", ".") or 0)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 100 or round(value, 2) != value:
        raise FieldError(f"The share of {backend} is a number from 0 to 100, with two decimals at most.")
    return value
