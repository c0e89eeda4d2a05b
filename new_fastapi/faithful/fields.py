"""Fields of request models that accept what the Flask app's hand-written validation accepts, and say the same.

    title: Annotated[str, Text(longest=200)]

Each is given the raw JSON value, before pydantic sees it, and returns the one to store or raises a sentence for people.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

LARGEST_AMOUNT = Decimal("99999.99")

REQUIRED = "This field is required."
NOT_TEXT = "This must be text."
NOT_AN_AMOUNT = "This must be an amount such as 4.50."


def messages(errors: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What is wrong, by field; empty when it is no field: the body as a whole is missing or no object."""
    return {
        str(error["loc"][-1]): REQUIRED if error["type"] == "missing" else error["msg"]
        for error in errors
        if error["loc"] != ("body",)
    }


class FieldRule(ABC):
    """Metadata for `Annotated`: a check that comes before pydantic's, and what OpenAPI shows of it."""

    @abstractmethod
    def check(self, value: object) -> object:
        """The value to store. Raises PydanticCustomError."""

    def keywords(self) -> dict[str, Any]:
        """What JSON Schema can say of the rule."""
        return {}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), **self.keywords()}


@dataclass(frozen=True)
class OptionalText(FieldRule):
    """Text without the blanks around it; None when absent or empty."""

    longest: int

    def check(self, value: object) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str) or not _storable(value):
            raise _wrong(NOT_TEXT)
        value = value.strip()
        if len(value) > self.longest:
            raise _wrong(f"At most {self.longest} characters.")
        return value or None

    def keywords(self) -> dict[str, Any]:
        return {"maxLength": self.longest}


@dataclass(frozen=True)
class Text(OptionalText):
    """Text without the blanks around it; required, and not empty."""

    def check(self, value: object) -> str:
        text = super().check(value)
        if text is None:
            raise _wrong(REQUIRED)
        return text

    def keywords(self) -> dict[str, Any]:
        return {"minLength": 1, "maxLength": self.longest}


@dataclass(frozen=True)
class Secret(FieldRule):
    """Text exactly as it was sent: a password may begin with a blank."""

    longest: int
    shortest: int = 1

    def check(self, value: object) -> str:
        if value is None or value == "":
            raise _wrong(REQUIRED)
        if not isinstance(value, str) or not _storable(value):
            raise _wrong(NOT_TEXT)
        if len(value) < self.shortest:
            raise _wrong(f"At least {self.shortest} characters.")
        if len(value) > self.longest:
            raise _wrong(f"At most {self.longest} characters.")
        return value

    def keywords(self) -> dict[str, Any]:
        return {"minLength": self.shortest, "maxLength": self.longest, "format": "password"}


@dataclass(frozen=True)
class Choice(FieldRule):
    """One of a few words."""

    choices: tuple[str, ...]

    def check(self, value: object) -> str:
        if value is None:
            raise _wrong(REQUIRED)
        if not isinstance(value, str) or value not in self.choices:
            raise _wrong(f"This must be one of: {', '.join(self.choices)}.")
        return value

    def keywords(self) -> dict[str, Any]:
        return {"enum": list(self.choices)}


@dataclass(frozen=True)
class OptionalWhole(FieldRule):
    """A whole number from ``low`` to ``high``, or None."""

    low: int
    high: int

    def check(self, value: object) -> int | None:
        if value is None:
            return None
        # JSON's true is an int to Python.
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise _wrong(f"This must be a whole number from {self.low} to {self.high}.")
        return value

    def keywords(self) -> dict[str, Any]:
        return {"minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Whole(OptionalWhole):
    """A whole number from ``low`` to ``high``; required."""

    def check(self, value: object) -> int:
        number = super().check(value)
        if number is None:
            raise _wrong(REQUIRED)
        return number


@dataclass(frozen=True)
class OptionalPrice(FieldRule):
    """Money with at most two places, as a number or as text; None when absent or empty."""

    lowest: Decimal = Decimal("0.01")

    def check(self, value: object) -> Decimal | None:
        if value is None or value == "":
            return None
        try:
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise InvalidOperation
            amount = Decimal(str(value))  # by way of text: Decimal(0.1) has 55 digits
            if not (amount.is_finite() and self.lowest <= amount <= LARGEST_AMOUNT):
                raise InvalidOperation
            cents = amount.quantize(Decimal("0.01"))
            if cents != amount:
                raise InvalidOperation
        except (InvalidOperation, ValueError):
            raise _wrong(NOT_AN_AMOUNT) from None
        return cents


@dataclass(frozen=True)
class Price(OptionalPrice):
    """Money with at most two places, as a number or as text; required."""

    def check(self, value: object) -> Decimal:
        amount = super().check(value)
        if amount is None:
            raise _wrong(REQUIRED)
        return amount


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("field", "{message}", {"message": message})


def _storable(value: str) -> bool:
    """False for what a database or UTF-8 cannot hold: NUL, and halves of surrogate pairs from JSON's \\uD800."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
