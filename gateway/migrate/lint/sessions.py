"""What a browser carries from one app to the other: the session, and the token of a form."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.migrate.inventory.endpoint import SessionUse
from gateway.migrate.lint.finding import Finding, rule
from gateway.migrate.lint.gathered import gathered
from gateway.migrate.lint.placed import listed_shortly
from gateway.migrate.lint.subject import Meeting, Subject

_FORMATS = {
    "flask": "Flask's signed cookie",
    "starlette": "the signed cookie of Starlette's SessionMiddleware",
    "server": "the id of a session on the server",
}


@rule(
    "SG601",
    "one session cookie, two formats",
    why="Each app takes the other's cookie for a bad one and reads an empty session; as soon as it writes to it, the "
    "user is logged out of the other.",
    remedy="use gateway.migrate.flask_session in the new app (docs/shared-session.md), or another cookie name",
    needs=("legacy app", "new app"),
)
def session_cookies_collide(subject: Subject) -> Iterator[Finding]:
    assert subject.legacy is not None
    assert subject.new is not None
    moved = any(own.share > 0 for own in subject.placed)
    for old in subject.legacy.sessions:
        for new in subject.new.sessions:
            if old.cookie == new.cookie and old.format != new.format:
                message = f"the cookie '{old.cookie}' is {_said(old)} in the old app, and {_said(new)} in the new one"
                yield Finding(("backends", subject.new_name or ""), message, "warning" if moved else "note")


@rule(
    "SG602",
    "the new app does not check CSRF tokens",
    why="Flask-WTF's CSRFProtect refuses a form without its token. What takes the same form without looking lets "
    "another site post it in the user's name.",
    remedy="Depends(FlaskCsrf.from_config(...)) on the new endpoint (docs/shared-session.md); ignore this where the "
    "view checks by itself, or knows its users by something other than a cookie",
    needs=("legacy app", "new app"),
)
def tokens_are_not_checked(subject: Subject) -> Iterator[Finding]:
    def open_to_others(meeting: Meeting) -> bool:
        return any(
            meeting.methods & part.methods & meeting.endpoint.csrf - part.endpoint.csrf
            for part in meeting.compared.counterparts
        )

    for meeting, labels in gathered(subject.meetings, open_to_others):
        yield meeting.finding(
            f"the old app asks for a CSRF token here, and the new one does not: {listed_shortly(labels)}"
        )


@rule(
    "SG603",
    "a form of the new app is posted to the old one",
    why="The old app refuses the form with 400: the page that the new app renders has no token of Flask-WTF's.",
    remedy="make the token in the new app with FlaskCsrf.token() (docs/shared-session.md), or send page and form to "
    "one app",
    needs=("legacy app", "new app"),
)
def forms_cross_over(subject: Subject) -> Iterator[Finding]:
    if any(endpoint.csrf for endpoint in subject.new_endpoints):
        return

    def crosses(meeting: Meeting) -> bool:
        if "GET" not in meeting.methods or meeting.placed.share == 0:
            return False
        return any(
            each.endpoint.rule == meeting.endpoint.rule
            and subject.stays(each.endpoint.path, each.endpoint.host, [method])
            for each in subject.comparison.legacy
            for method in each.endpoint.csrf
        )

    for meeting, labels in gathered(subject.meetings, crosses):
        yield meeting.finding(
            f"the form of this page goes to the old app, which wants its own token: {listed_shortly(labels)}"
        )


def _said(use: SessionUse) -> str:
    return _FORMATS[use.format]
