"""Apps in the worker's own process that hang, raise and break off, amid requests that they answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.behaviour.process import GatewayProcess, eventually
from tests.faults.answer import Verdict
from tests.faults.conftest import Tell
from tests.faults.ledger import Ledger
from tests.faults.length import long
from tests.faults.servers import GUNICORN, Server, reserved_port
from tests.faults.traffic import Traffic

ROUTES = """\
version: 1
backends:
  flask: {{app: "tests.faults.failing_flask:app", timeouts: {{head: 1, idle: 1}}}}
  fast: {{app: "tests.faults.failing_fast:app", timeouts: {{head: 1, idle: 1}}}}
  legacy: {{url: "http://127.0.0.1:{legacy}"}}
default: legacy
routes:
  - path: /orders/{{id}}
    to: {{flask: 50, fast: 50}}
    sticky: none
"""
FALLBACK = "    fallback: {to: legacy, on: [500, 502, 503, 504, timeout], body: 262144}\n    breaker: off\n"
BEFORE_HEAD = ("hang before head", "fail before head", "no answer")
# An app that raises, or says nothing, is no gateway's failure.
FAILURES = (500, 503, 504)
MID_BODY = ("hang mid body", "fail mid body", "end mid body")


@contextmanager
def served(folder: Path, ledger: Ledger, more: str = "") -> Iterator[GatewayProcess]:
    with reserved_port() as port, Server("legacy", ledger, port, *GUNICORN):
        routes = folder / "routes.yaml"
        routes.write_text(ROUTES.format(legacy=port) + more)
        with GatewayProcess(routes, workers=1, env={"FAULTS_BOOK": str(ledger.book("inside"))}) as gateway:
            yield gateway


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return Ledger(tmp_path_factory.mktemp("embedded") / "ledger")


@pytest.fixture(scope="module")
def gateway(books: Ledger) -> Iterator[GatewayProcess]:
    with served(books.folder.parent, books) as gateway:
        yield gateway


@pytest.mark.parametrize("fault", [*BEFORE_HEAD, *MID_BODY])
def test_the_client_sees_that_it_has_no_answer(gateway: GatewayProcess, books: Ledger, tell: Tell, fault: str) -> None:
    enough = long(25, 250)
    # Of an answer without a length only the app knows where it ends: WSGI has no other sign.
    chunks = 0.0 if fault == "end mid body" else 0.3
    with Traffic(
        gateway.url, connections=8, faults=[fault], pause=0.002, within=5, chunks=chunks, failures=FAILURES
    ) as traffic:
        eventually(
            lambda: sum(traffic.asked[name].fault != "" for name in traffic.judged.copy()) >= enough,
            timeout=long(50, 200),
        )
    tell(f"embedded: {fault}", traffic, ledger=books)
    # All that met it, and nobody else.
    assert traffic.of(Verdict.RIGHT, fault=fault) == []
    assert traffic.of(Verdict.BROKEN, fault="") == [], traffic.reasons()
    assert {*traffic.apps()} == {"legacy", "new"}


def test_a_fallback_answers_for_all_that_fails_before_an_answer(tmp_path: Path, ledger: Ledger, tell: Tell) -> None:
    """A tenth of the requests, so that the retry budget is enough."""
    with (
        served(tmp_path, ledger, FALLBACK) as gateway,
        Traffic(gateway.url, connections=12, faults=BEFORE_HEAD, share=0.1, pause=0.002, failures=FAILURES) as traffic,
    ):
        enough = long(800, 10_000)
        eventually(lambda: len(traffic.judged) > enough, timeout=long(50, 200))
    tell(f"embedded: {len(BEFORE_HEAD)} ways to fail before an answer, fallback", traffic, ledger=ledger)
    assert traffic.of(Verdict.BROKEN, method="GET") == [], traffic.reasons()
    assert traffic.of(Verdict.BROKEN, method="PUT") == [], traffic.reasons()
    # Nobody can know whether it has been done.
    assert len(traffic.of(Verdict.BROKEN, method="POST")) == sum(
        asked.fault != "" for asked in traffic.asked.values() if asked.method == "POST"
    )
