"""Upstreams that hang, break off and talk nonsense, amid requests that they answer: one connection pool serves both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.behaviour.process import GatewayProcess, eventually
from tests.faults.answer import Verdict
from tests.faults.conftest import Tell
from tests.faults.hostile import Hostile
from tests.faults.ledger import Ledger
from tests.faults.length import long
from tests.faults.traffic import Traffic
from tests.faults.upstream_faults import AFTER, BEFORE_ANSWER, ENDS, EVERY, HANGS, NONSENSE, UNASKED

ROUTES = """\
version: 1
backends:
  legacy: {{app: "tests.faults.flask_app:app"}}
  new: {{url: "{url}", timeouts: {{head: 1, idle: 1}}}}
default: legacy
routes:
  - path: /orders/{{id}}
    to: new
"""
# A body of fewer bytes comes in one piece.
SHORT = 5_000
FALLBACK = "    fallback: {to: legacy, body: 262144}\n    breaker: off\n"


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return Ledger(tmp_path_factory.mktemp("faults") / "ledger")


@pytest.fixture(scope="module")
def gateway(books: Ledger) -> Iterator[GatewayProcess]:
    with Hostile(books, EVERY) as upstream:
        routes = books.folder.parent / "routes.yaml"
        routes.write_text(ROUTES.format(url=upstream.url))
        with GatewayProcess(routes, workers=1, env={"FAULTS_BOOK": str(books.book("legacy"))}) as gateway:
            yield gateway
            assert "Traceback" not in gateway.log()


def sent(gateway: GatewayProcess, fault: str) -> Traffic:
    """Traffic of which a share meets the fault, until enough has met it."""
    enough = long(25, 250)
    with Traffic(gateway.url, connections=8, faults=[fault], pause=0.002, within=5) as traffic:
        eventually(
            lambda: sum(traffic.asked[name].fault != "" for name in traffic.judged.copy()) >= enough,
            timeout=long(50, 200),
        )
    return traffic


@pytest.mark.parametrize("fault", [*HANGS, *ENDS, *NONSENSE])
def test_the_client_sees_that_it_has_no_answer(gateway: GatewayProcess, books: Ledger, tell: Tell, fault: str) -> None:
    traffic = sent(gateway, fault)
    tell(f"upstream: {fault}", traffic, ledger=books)
    # All that met it, and nobody else.
    assert traffic.of(Verdict.RIGHT, fault=fault) == []
    assert traffic.of(Verdict.BROKEN, fault="") == [], traffic.reasons()


@pytest.mark.parametrize("fault", AFTER)
def test_the_answer_is_right_and_the_next_one_too(
    gateway: GatewayProcess, books: Ledger, tell: Tell, fault: str
) -> None:
    """A POST may meet a connection that is just being closed, and may not be sent again: RFC 9110 9.2.2."""
    traffic = sent(gateway, fault)
    tell(f"upstream: {fault}", traffic, ledger=books)
    assert traffic.of(Verdict.BROKEN, method="GET") == [], traffic.reasons()
    # A long body is not kept until it is known whether it has to be sent again.
    broken = [traffic.asked[name].body for name in traffic.of(Verdict.BROKEN, method="PUT")]
    assert [body for body in broken if len(body) < SHORT] == [], traffic.reasons()
    assert len(traffic.of(Verdict.BROKEN)) < len(traffic.judged) / 10, traffic.reasons()


@pytest.mark.parametrize("fault", UNASKED)
def test_what_an_idle_connection_says_is_nobodys_answer(
    gateway: GatewayProcess, books: Ledger, tell: Tell, fault: str
) -> None:
    """One client, which lets the connection be idle for a moment after each answer."""
    enough = long(20, 300)
    with Traffic(gateway.url, connections=1, faults=[fault], share=0.5, pause=0.03) as traffic:
        eventually(lambda: len(traffic.judged) > enough, timeout=long(50, 200))
    row = tell(f"upstream: {fault}", traffic, ledger=books)
    assert row.broken == 0, traffic.reasons()


def test_a_fallback_answers_for_all_that_fails_before_an_answer(tmp_path: Path, ledger: Ledger, tell: Tell) -> None:
    """A tenth of the requests, so that the retry budget is enough."""
    with Hostile(ledger, EVERY) as upstream:
        routes = tmp_path / "routes.yaml"
        routes.write_text(ROUTES.format(url=upstream.url) + FALLBACK)
        with GatewayProcess(routes, env={"FAULTS_BOOK": str(ledger.book("legacy"))}) as gateway:
            with Traffic(gateway.url, connections=12, faults=BEFORE_ANSWER, share=0.1, pause=0.002) as traffic:
                enough = long(800, 10_000)
                eventually(lambda: len(traffic.judged) > enough, timeout=long(50, 200))
            assert "Traceback" not in gateway.log()
    tell(f"upstream: {len(BEFORE_ANSWER)} ways to fail before an answer, fallback", traffic, ledger=ledger)
    assert traffic.apps()["legacy"] > 10
    assert traffic.of(Verdict.BROKEN, method="GET") == [], traffic.reasons()
    assert traffic.of(Verdict.BROKEN, method="PUT") == [], traffic.reasons()
    # Nobody can know whether it has been done.
    assert len(traffic.of(Verdict.BROKEN, method="POST")) == sum(
        asked.fault != "" for asked in traffic.asked.values() if asked.method == "POST"
    )
