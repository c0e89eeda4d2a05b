"""What hides in a request reaches no app, in this process or behind a connection that all users share."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.behaviour.process import GatewayProcess, eventually
from tests.security.recording import VARIABLE, Remote
from tests.security.smuggling import CASES, HANDSHAKE, HIDDEN, LAST, Case
from tests.security.wire import say, statuses

KINDS = ("asgi", "wsgi", "http")

ROUTES = """\
version: 1
backends:
  wsgi: {app: "tests.security.recording:flask_app"}
  asgi: {app: "tests.security.recording:asgi_app"}
  http: {url: "{url}", connections: 1}
default: wsgi
routes:
  - {path: "/asgi/{rest:path}", to: asgi}
  - {path: "/http/{rest:path}", to: http}
"""


class Stage:
    def __init__(self, gateway: GatewayProcess, file: Path) -> None:
        self.gateway = gateway
        self._file = file
        self._read = 0
        self.seen_by = dict.fromkeys(KINDS, 0)

    def answered(self, backend: str) -> int:
        """How many requests the gateway says the backend has answered."""
        counter = rf'^gateway_requests_total\{{.*backend="{backend}".*status="200"\}} (\d+)'
        return sum(map(int, re.findall(counter, self.gateway.ask("/metrics").text, re.MULTILINE)))

    def seen(self) -> list[str]:
        """What the apps have heard since the last time."""
        text = self._file.read_text()[self._read :]
        self._read += len(text)
        return text.splitlines()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "record"
        file.touch()
        routes = Path(folder) / "routes.yaml"
        with Remote(file) as remote:
            routes.write_text(ROUTES.replace("{url}", remote.url))
            with GatewayProcess(routes, env={VARIABLE: str(file)}) as gateway:
                yield Stage(gateway, file)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_hidden_reaches_nobody(stage: Stage, case: Case, kind: str) -> None:
    told = statuses(say(stage.gateway.url, (case.says + LAST).replace(b"@", kind.encode())))
    if case.name.startswith(("coding: ", "length: ", "chunk: ")):
        # 501 for a coding that is a word, and is not understood; 400 for all else.
        assert told in ((400,), (501,))
    else:
        assert told == case.statuses
    seen = stage.seen()
    stage.seen_by[kind] += len(seen)
    assert [line.partition(" ")[2] for line in seen] == [f"/{kind}/{path} {size}" for path, size in case.seen]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("version", "answers"), [(b"13", {(403,), (200,)}), (b"12", {(426,)})])
def test_what_follows_a_handshake_that_is_refused_is_no_request(
    stage: Stage, kind: str, version: bytes, answers: set[tuple[int, ...]]
) -> None:
    # A proxy that takes the refusal for a yes lets everything behind it pass unseen.
    told = statuses(say(stage.gateway.url, (HANDSHAKE % version + HIDDEN + LAST).replace(b"@", kind.encode())))
    assert told in answers
    seen = stage.seen()
    assert not [line for line in seen if "hidden" in line or "last" in line]
    # The remote app answers a handshake as any other request.
    stage.seen_by[kind] += len(seen)


@pytest.mark.parametrize("kind", KINDS)
def test_an_app_has_heard_as_many_requests_as_the_gateway_has_counted(stage: Stage, kind: str) -> None:
    # After all of the above, as far as they ran here.
    say(stage.gateway.url, LAST.replace(b"@", kind.encode()))
    stage.seen_by[kind] += len(stage.seen())
    eventually(lambda: stage.answered(kind) == stage.seen_by[kind])
