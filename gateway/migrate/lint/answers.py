"""Types that the two frameworks write differently into JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from gateway.migrate.inventory.endpoint import Answer
from gateway.migrate.lint.finding import Finding, rule
from gateway.migrate.lint.placed import listed_shortly
from gateway.migrate.lint.subject import Meeting, Subject

# What comes of jsonify() in Flask 3.1, and of a response model in FastAPI 0.165 with pydantic 2.14.
_WRITTEN: Mapping[str, str] = {
    "datetime": "Thu, 02 Jan 2020 03:04:05 GMT by Flask, 2020-01-02T03:04:05 by FastAPI",
    "date": "Thu, 02 Jan 2020 00:00:00 GMT by Flask, 2020-01-02 by FastAPI",
}
_UNKNOWN_TO_FLASK: Mapping[str, str] = {
    "time": "01:02:00",
    "timedelta": "PT1M30S",
    "bytes": "a text",
    "Enum": "the value",
}
_NUMBERS: Mapping[str, str] = {
    "Decimal": 'the text "1.10", as Flask\'s own jsonify() has it: a number, if the old view made a float of it',
    "float": "null for NaN and infinity, where Flask writes NaN and Infinity",
}


@rule(
    "SG901",
    "dates are written in another way",
    why="Flask writes dates as HTTP does, FastAPI by ISO 8601. Clients that parse them fail, or are hours off.",
    remedy="annotate the fields with a serializer that writes what clients know: "
    "Annotated[datetime, PlainSerializer(http_date)]; or ignore this where the old view wrote ISO itself",
    needs=("legacy", "new"),
)
def dates_differ(subject: Subject) -> Iterator[Finding]:
    for meeting, answers in _answers(subject, _WRITTEN.keys()):
        yield meeting.finding(f"{_fields(answers)}: {_WRITTEN[answers[0].type]}")


@rule(
    "SG902",
    "Flask has no form for a type",
    why="jsonify() raises for these, so the old view has written them in some form of its own; FastAPI has another.",
    remedy="look at what the old app answers, and annotate the field with a serializer that writes the same",
    needs=("legacy", "new"),
)
def forms_of_their_own(subject: Subject) -> Iterator[Finding]:
    for meeting, answers in _answers(subject, _UNKNOWN_TO_FLASK.keys()):
        yield meeting.finding(f"{_fields(answers)}: {_UNKNOWN_TO_FLASK[answers[0].type]} by FastAPI")


@rule(
    "SG903",
    "numbers may be written in another way",
    why="A Decimal is a text in both frameworks as long as it has a response model and nobody made a float of it. NaN "
    "is null in FastAPI, and without a response model an error.",
    remedy="compare an answer of both apps; a serializer on the field makes a number of a Decimal",
    needs=("legacy", "new"),
)
def numbers_differ(subject: Subject) -> Iterator[Finding]:
    for meeting, answers in _answers(subject, _NUMBERS.keys()):
        yield meeting.finding(f"{_fields(answers)}: {_NUMBERS[answers[0].type]}", "note")


def _answers(subject: Subject, types: Set[str]) -> Iterator[tuple[Meeting, list[Answer]]]:
    """By route and type, the fields of all answers of the new app that have it."""
    found: dict[object, tuple[Meeting, list[Answer]]] = {}
    for meeting in subject.meetings:
        for part in meeting.compared.counterparts:
            for answer in part.endpoint.answers if part.methods & meeting.methods else ():
                if answer.type in types:
                    found.setdefault((meeting.placed.path, answer.type), (meeting, []))[1].append(answer)
    yield from found.values()


def _fields(answers: list[Answer]) -> str:
    return f"{answers[0].type} {listed_shortly([answer.field for answer in answers])}"
