"""Hand-written validation of JSON bodies and query strings, all mistakes collected before the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from flask import abort, request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

LARGEST_ID = 2**31 - 1  # what an INTEGER key holds in PostgreSQL
ONE_CENT = Decimal("0.01")
LARGEST_AMOUNT = Decimal("99999.99")

REQUIRED = "This field is required."
NOT_TEXT = "This must be text."
NOT_AN_AMOUNT = "This must be an amount such as 4.50."


class InvalidData(BadRequest):
    """400 with a message for each field that is wrong."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("The data is not valid.")
        self.fields = dict(fields)


def json_object() -> Mapping[str, object]:
    """The JSON object in the request's body; 415 for another content type, 400 for anything else.

    Insisting on the content type is also what protects these views from cross-site requests, see `api.py`.
    """
    try:
        data = request.get_json()
    except UnsupportedMediaType:
        abort(415, "Send the body as application/json.")
    except (BadRequest, RecursionError):  # brackets nested beyond what the parser follows
        abort(400, "The body is not valid JSON.")
    if not isinstance(data, dict):
        abort(400, "The body must be a JSON object.")
    return data


class Fields:
    """Reads typed values out of an object; remembers what is wrong, field by field, for `check`.

    After a mistake a reader returns a harmless stand-in of the right type: do not use any value before `check`.
    """

    def __init__(self, data: Mapping[str, object]) -> None:
        self._data = data
        self.errors: dict[str, str] = {}

    def check(self) -> None:
        """Raise InvalidData when anything was wrong."""
        if self.errors:
            raise InvalidData(self.errors)

    def text(self, name: str, *, longest: int) -> str:
        """Text without the blanks around it; required, and not empty."""
        value = self.optional_text(name, longest=longest)
        if not value:
            self.errors.setdefault(name, REQUIRED)
        return value or ""

    def optional_text(self, name: str, *, longest: int) -> str | None:
        """Text without the blanks around it; None when absent or empty."""
        value = self._data.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not _storable(value):
            self.errors[name] = NOT_TEXT
            return None
        value = value.strip()
        if len(value) > longest:
            self.errors[name] = f"At most {longest} characters."
            return None
        return value or None

    def secret(self, name: str, *, shortest: int = 1, longest: int) -> str:
        """Text exactly as it was sent: a password may begin with a blank."""
        value = self._data.get(name)
        if value is None or value == "":
            self.errors[name] = REQUIRED
        elif not isinstance(value, str) or not _storable(value):
            self.errors[name] = NOT_TEXT
        elif len(value) < shortest:
            self.errors[name] = f"At least {shortest} characters."
        elif len(value) > longest:
            self.errors[name] = f"At most {longest} characters."
        else:
            return value
        return ""

    def choice(self, name: str, choices: Sequence[str]) -> str:
        value = self._data.get(name)
        if value is None:
            self.errors[name] = REQUIRED
        elif not isinstance(value, str) or value not in choices:
            self.errors[name] = f"This must be one of: {', '.join(choices)}."
        else:
            return value
        return ""

    def whole(self, name: str, low: int, high: int) -> int:
        value = self.optional_whole(name, low, high)
        if value is None:
            self.errors.setdefault(name, REQUIRED)
            return low
        return value

    def optional_whole(self, name: str, low: int, high: int) -> int | None:
        value = self._data.get(name)
        if value is None:
            return None
        # JSON's true is an int to Python.
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.errors[name] = f"This must be a whole number from {low} to {high}."
            return None
        return value

    def amount(self, name: str, *, lowest: Decimal = ONE_CENT) -> Decimal:
        value = self.optional_amount(name, lowest=lowest)
        if value is None:
            self.errors.setdefault(name, REQUIRED)
            return lowest
        return value

    def optional_amount(self, name: str, *, lowest: Decimal = ONE_CENT) -> Decimal | None:
        """Money with at most two places, as a number or as text; None when absent or empty."""
        value = self._data.get(name)
        if value is None or value == "":
            return None
        try:
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise InvalidOperation
            amount = whole_cents(Decimal(str(value)), lowest)  # by way of text: Decimal(0.1) has 55 digits
        except InvalidOperation:
            amount = None
        if amount is None:
            self.errors[name] = NOT_AN_AMOUNT
        return amount


def whole_cents(amount: Decimal, lowest: Decimal = ONE_CENT) -> Decimal | None:
    """The amount with exactly two places; None when it has more or is not from `lowest` to LARGEST_AMOUNT."""
    if not (amount.is_finite() and lowest <= amount <= LARGEST_AMOUNT):
        return None
    rounded = amount.quantize(ONE_CENT)
    return rounded if rounded == amount else None


def _storable(value: str) -> bool:
    """False for what a database or UTF-8 cannot hold: NUL, and halves of surrogate pairs from JSON's \\uD800."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
