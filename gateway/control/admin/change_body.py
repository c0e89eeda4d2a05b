"""How a change is asked for, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, RootModel, Tag, model_validator

from gateway.change.change import Change, Move, RollBack, Split
from gateway.config.model import SCALE


def _two_decimals(percent: float) -> float:
    if round(percent, 2) != percent:
        raise ValueError("a percentage has two decimals at most")
    return percent


Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False), AfterValidator(_two_decimals)]
Name = Annotated[str, Field(min_length=1, max_length=2000, description="Its name, its label, or its path.")]


class _Body(BaseModel):
    # A key that is not known would be a wish that is not fulfilled.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class MoveBody(_Body):
    """Send all of a route to one backend."""

    route: Name
    backend: str = Field(max_length=64)

    def change(self) -> Change:
        return Move(self.route, self.backend)


class SplitBody(_Body):
    """Send a share of a route to each backend; the rest goes to the default."""

    route: Name
    weights: dict[str, Percent] = Field(min_length=1, max_length=64, examples=[{"new": 25}])

    def change(self) -> Change:
        return Split(self.route, {name: round(percent * SCALE / 100) for name, percent in self.weights.items()})


class RollBackBody(_Body):
    """One `route`, or with `all` every route, to the default; or the text of `version`; with nothing: the last change
    is undone."""

    route: Name | None = None
    version: int | None = Field(default=None, ge=1, le=2**53)
    all: bool = False

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if sum((self.route is not None, self.version is not None, self.all)) > 1:
            raise ValueError("give one of route, version and all, or none")
        return self

    def change(self) -> Change:
        return RollBack(self.route, self.version, self.all)


class _Moving(_Body):
    move: MoveBody


class _Splitting(_Body):
    split: SplitBody


class _RollingBack(_Body):
    rollback: RollBackBody


def _kind(body: object) -> str | None:
    kinds = [kind for kind in ("move", "split", "rollback") if isinstance(body, Mapping) and kind in body]
    return kinds[0] if len(kinds) == 1 else None


_Any = Annotated[
    Annotated[_Moving, Tag("move")] | Annotated[_Splitting, Tag("split")] | Annotated[_RollingBack, Tag("rollback")],
    Discriminator(
        _kind, custom_error_type="change", custom_error_message="give exactly one of move, split and rollback"
    ),
]


class ChangeBody(RootModel[_Any]):
    """A move, a split or a rollback."""

    def change(self) -> Change:
        match self.root:
            case _Moving(move=body) | _Splitting(split=body) | _RollingBack(rollback=body):
                return body.change()


class Question(_Body):
    change: ChangeBody


class Order(Question):
    """``user`` and ``reason`` are kept in the history."""

    reason: str = Field(default="", max_length=2000)
    user: str = Field(default="", max_length=200)
