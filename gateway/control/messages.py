"""What a worker tells the control process: one JSON object a line, over a socket pair.

The other direction needs no messages. Signals say it all, and the end of the connection says that the control
process is gone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from gateway.config.problem import MOST_PROBLEMS, Problem

# Bytes in a line. A character takes up to six of them, so MOST_PROBLEMS texts of this length fit.
LONGEST = 1 << 20
_LONGEST_TEXT = 700


def _cut(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    return tuple(replace(problem, message=problem.message[:_LONGEST_TEXT]) for problem in problems[: MOST_PROBLEMS + 1])


# What goes wrong in an app can have any length; what is told of it is cut, rather than the connection broken.
Text = Annotated[str, AfterValidator(lambda text: text[:_LONGEST_TEXT])]
Problems = Annotated[tuple[Problem, ...], AfterValidator(_cut)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ready(_Message):
    """The apps are started and the worker accepts connections, on the configuration with this digest."""

    kind: Literal["ready"] = "ready"
    digest: str


class Failed(_Message):
    """The worker cannot start. ``problems`` are the file's; ``message`` is anything else that went wrong."""

    kind: Literal["failed"] = "failed"
    problems: Problems = ()
    message: Text = ""


class Reloaded(_Message):
    """The worker has looked at the file, at ``at`` (seconds since the epoch), which took ``seconds``.

    ``digest`` is that of the configuration that it serves now, whatever the outcome.
    """

    kind: Literal["reloaded"] = "reloaded"
    outcome: Literal["applied", "unchanged", "rejected", "missing"]
    digest: str
    problems: Problems = ()
    seconds: float
    at: float


class Draining(_Message):
    """The worker accepts no more connections and finishes what it has."""

    kind: Literal["draining"] = "draining"


Message = Ready | Failed | Reloaded | Draining

_any: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def encode(message: Message) -> bytes:
    """One line, its newline included, never longer than LONGEST."""
    return message.model_dump_json().encode() + b"\n"


def decode(line: bytes) -> Message:
    """Raises ValueError for what is no message."""
    return _any.validate_json(line)
