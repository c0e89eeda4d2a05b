"""What a worker tells the control process: one JSON object a line, over a socket pair.

The other direction needs no messages. Signals say it all, and the end of the connection says that the control
process is gone.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from gateway.config.problem import Problem

# Bytes in a line. The longest message is a list of problems, and that is cut to fit with room to spare.
LONGEST = 1 << 20
_MOST_PROBLEMS = 200
_LONGEST_MESSAGE = 2000


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ready(_Message):
    """The apps are started and the worker accepts connections, on the configuration with this digest."""

    kind: Literal["ready"] = "ready"
    digest: str


class Failed(_Message):
    """The worker cannot start. ``problems`` are the file's; ``message`` is anything else that went wrong."""

    kind: Literal["failed"] = "failed"
    problems: tuple[Problem, ...] = ()
    message: str = ""


class Reloaded(_Message):
    """The worker has looked at the file, at ``at`` (seconds since the epoch), which took ``seconds``.

    ``digest`` is that of the configuration that it serves now, whatever the outcome.
    """

    kind: Literal["reloaded"] = "reloaded"
    outcome: Literal["applied", "unchanged", "rejected"]
    digest: str
    problems: tuple[Problem, ...] = ()
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


def fitting(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """As many problems as a message takes, and a last one that counts the rest."""
    kept = [
        Problem(p.source, p.line, p.column, p.message[:_LONGEST_MESSAGE])
        for p in problems[: _MOST_PROBLEMS if len(problems) <= _MOST_PROBLEMS else _MOST_PROBLEMS - 1]
    ]
    if len(problems) > len(kept):
        kept.append(Problem(problems[-1].source, 0, 0, f"and {len(problems) - len(kept)} more problems"))
    return tuple(kept)
