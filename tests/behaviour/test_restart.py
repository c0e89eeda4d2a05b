"""New code without a lost request: SIGUSR2, and what SIGTERM finishes, under load."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.behaviour.load import Load, project, seen, write_app
from tests.behaviour.probe import config, metric
from tests.behaviour.process import GatewayProcess, alive, eventually

REPLACED = "restart: every worker has been replaced"


@pytest.fixture
def routes(tmp_path: Path) -> Path:
    return project(tmp_path)


def test_new_code_takes_over_under_load_and_no_request_is_lost(routes: Path) -> None:
    with GatewayProcess(routes, workers=2) as gateway:
        before = gateway.worker_pids()
        version = config(gateway)["version"]
        with Load(gateway.url) as load:
            eventually(lambda: len(load.answers) > 50)
            write_app(routes.parent, "brand-new")
            gateway.signal(signal.SIGUSR2)
            eventually(lambda: REPLACED in gateway.log(), timeout=20)
            rest = len(load.answers) + 50
            eventually(lambda: len(load.answers) > rest)
        assert load.lost == {}
        assert load.refused == 0
        # Each was done once, by whichever worker.
        assert seen(routes.parent) == dict.fromkeys(load.answers, 1)
        assert load.codes == {"old", "brand-new"}
        after = gateway.worker_pids()
        assert len(after) == 2
        assert not set(before) & set(after)
        assert not any(alive(pid) for pid in before)
        assert httpx.post(gateway.url, content=b"x").json()["code"] == "brand-new"
        # Nothing of what the control process knows is lost with its workers.
        assert config(gateway)["version"] == version
        assert metric(gateway, "gateway_requests_total") == len(load.answers) + 1
        assert metric(gateway, "gateway_worker_restarts_total") == 0


def test_new_code_that_cannot_start_leaves_the_old_workers_serving(routes: Path) -> None:
    with GatewayProcess(routes, workers=2) as gateway:
        before = gateway.worker_pids()
        with Load(gateway.url, threads=2) as load:
            eventually(lambda: len(load.answers) > 10)
            (routes.parent / "ledger_app.py").write_text("import a_module_that_is_missing\n")
            gateway.signal(signal.SIGUSR2)
            eventually(lambda: "the old workers serve on" in gateway.log(), timeout=20)
        assert load.lost == {}
        assert load.codes == {"old"}
        assert gateway.worker_pids() == before
        assert "the new worker 1 cannot start; the old workers serve on" in gateway.log()
        assert "needs 'a_module_that_is_missing'" in gateway.log()
        assert REPLACED not in gateway.log()
        # Repaired, the same signal does it.
        write_app(routes.parent, "brand-new")
        gateway.signal(signal.SIGUSR2)
        eventually(lambda: REPLACED in gateway.log(), timeout=20)
        assert httpx.post(gateway.url, content=b"x").json()["code"] == "brand-new"


def test_new_code_that_ends_the_process_is_told_too(routes: Path) -> None:
    with GatewayProcess(routes) as gateway:
        before = gateway.worker_pids()
        (routes.parent / "ledger_app.py").write_text("import os; os._exit(3)\n")
        gateway.signal(signal.SIGUSR2)
        eventually(lambda: "ended with exit code 3 before it was ready" in gateway.log(), timeout=20)
        assert gateway.worker_pids() == before
        assert httpx.post(gateway.url, content=b"x").json()["code"] == "old"


def test_a_request_that_takes_long_is_finished_by_the_worker_that_has_it(routes: Path) -> None:
    with GatewayProcess(routes) as gateway:
        (old,) = gateway.worker_pids()
        answers: list[httpx.Response] = []
        slow = threading.Thread(target=lambda: answers.append(httpx.post(gateway.url + "/?2", content=b"slow")))
        slow.start()
        eventually(lambda: metric(gateway, "gateway_requests_in_flight") == 1)
        write_app(routes.parent, "brand-new")
        gateway.signal(signal.SIGUSR2)
        eventually(lambda: gateway.worker_pids() not in ([], [old]))
        # The new one serves while the old one finishes.
        eventually(lambda: httpx.post(gateway.url, content=b"x").json()["code"] == "brand-new")
        eventually(lambda: 'gateway_workers{state="draining"} 1.0' in gateway.ask("/metrics").text)
        slow.join()
        assert answers[0].json() == {"id": "slow", "code": "old", "pid": old}
        eventually(lambda: not alive(old))


def test_an_idle_connection_may_bring_its_next_request(routes: Path) -> None:
    """Its client has heard of nothing: closed at once, the connection would swallow what is just being sent."""
    with GatewayProcess(routes) as gateway, httpx.Client(base_url=gateway.url) as client:
        (old,) = gateway.worker_pids()
        assert client.post("/", content=b"1").json()["pid"] == old
        gateway.signal(signal.SIGUSR2)
        eventually(lambda: gateway.worker_pids() not in ([], [old]))
        time.sleep(0.3)
        answer = client.post("/", content=b"2")
        assert answer.json()["pid"] == old
        assert answer.headers["connection"] == "close"
        # The worker has nobody to wait for now.
        eventually(lambda: not alive(old), timeout=1.5)
        assert client.post("/", content=b"3").json()["pid"] != old


def test_websockets_are_told_to_come_back_and_come_to_the_new_code(routes: Path) -> None:
    with GatewayProcess(routes) as gateway:
        address = gateway.url.replace("http", "ws") + "/"
        with connect(address) as socket:
            socket.send("?")
            assert socket.recv() == "old"
            write_app(routes.parent, "brand-new")
            gateway.signal(signal.SIGUSR2)
            with pytest.raises(ConnectionClosed):
                socket.recv(timeout=20)
            assert socket.close_code == 1012
        with connect(address) as socket:
            socket.send("?")
            assert socket.recv() == "brand-new"


def test_a_restart_that_is_asked_for_during_another_follows_it(routes: Path) -> None:
    with GatewayProcess(routes) as gateway:
        gateway.signal(signal.SIGUSR2)
        eventually(lambda: "restart: replacing worker 1 of 1" in gateway.log())
        write_app(routes.parent, "newest")
        gateway.signal(signal.SIGUSR2)
        eventually(lambda: gateway.log().count(REPLACED) == 2, timeout=20)
        assert httpx.post(gateway.url, content=b"x").json()["code"] == "newest"


def test_a_worker_killed_during_a_restart_is_replaced_all_the_same(routes: Path) -> None:
    with GatewayProcess(routes, workers=2) as gateway:
        first, second = gateway.worker_pids()
        gateway.signal(signal.SIGUSR2)
        eventually(lambda: "restart: replacing worker 1 of 2" in gateway.log())
        os.kill(first, signal.SIGKILL)
        os.kill(second, signal.SIGKILL)
        eventually(lambda: REPLACED in gateway.log(), timeout=20)
        eventually(lambda: len(gateway.worker_pids()) == 2)
        assert not {first, second} & set(gateway.worker_pids())
        gateway.signal(signal.SIGTERM)
        assert gateway.wait() == 0


def test_sigterm_during_a_restart_ends_everything(routes: Path) -> None:
    with GatewayProcess(routes, workers=2) as gateway:
        before = gateway.worker_pids()
        gateway.signal(signal.SIGUSR2)
        eventually(lambda: "restart: replacing worker 1 of 2" in gateway.log())
        gateway.signal(signal.SIGTERM)
        assert gateway.wait() == 0
        eventually(lambda: not any(alive(pid) for pid in before))
        assert "Traceback" not in gateway.log()


def test_sigterm_under_load_answers_all_that_it_has_taken(routes: Path) -> None:
    with GatewayProcess(routes, workers=2) as gateway:
        with Load(gateway.url) as load:
            eventually(lambda: len(load.answers) > 200)
            gateway.signal(signal.SIGTERM)
            assert gateway.wait() == 0
            eventually(lambda: load.refused > 10)
        assert load.lost == {}
        assert seen(routes.parent) == dict.fromkeys(load.answers, 1)
