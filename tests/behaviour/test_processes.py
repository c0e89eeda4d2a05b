"""Workers that die, and the end of `gateway run`: real processes, sockets and signals."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path

import httpx
import pytest

from tests.behaviour.probe import (
    PROBE,
    InBackground,
    Traffic,
    config,
    metric,
    project,
    serves,
    text,
)
from tests.behaviour.process import GatewayProcess, alive, eventually


@pytest.fixture
def routes(tmp_path: Path) -> Path:
    return project(tmp_path)


def replaced(gateway: GatewayProcess, victim: int) -> bool:
    pids = gateway.worker_pids()
    return len(pids) == 2 and victim not in pids


def test_a_killed_worker_is_replaced_and_the_others_serve_on(gateway: GatewayProcess) -> None:
    victim, other = gateway.worker_pids()
    requests = metric(gateway, "gateway_requests_total")
    with Traffic(gateway.url + "/books") as traffic:
        eventually(lambda: sum(traffic.answers.values()) > 10)
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: not alive(victim))
        answers = sum(traffic.answers.values())
        eventually(lambda: sum(traffic.answers.values()) > answers)
        eventually(lambda: replaced(gateway, victim))
    # Only what the dead worker had in hand can be lost: of each of the three clients one request.
    assert len(traffic.failures) <= 3
    assert other in gateway.worker_pids()
    assert f"worker 1 (pid {victim}) was killed by SIGKILL; replacing it now" in gateway.log()
    [successor] = set(gateway.worker_pids()) - {other}
    eventually(lambda: gateway.log().count(f"worker 1 (pid {successor}) serves in its place") == 1)
    # Its counts are not lost with it. An answer is written and counted in one step of the worker's only thread, so
    # one at most was written and not counted. What the other one counts may show a moment later.
    answered = requests + sum(traffic.answers.values())
    eventually(lambda: metric(gateway, "gateway_requests_total") >= answered - 1)


def test_a_replacement_starts_on_what_serves_even_while_the_file_is_bad(gateway: GatewayProcess) -> None:
    gateway.routes.write_text(text("new"))
    eventually(lambda: serves(gateway, "new"))
    gateway.routes.write_text("version: 2\n")
    eventually(lambda: config(gateway)["state"] == "rejected")
    version = config(gateway)["version"]
    for victim in gateway.worker_pids():
        os.kill(victim, signal.SIGKILL)
        eventually(lambda victim=victim: replaced(gateway, victim))  # type: ignore[misc]
    assert serves(gateway, "new")
    assert config(gateway)["version"] == version
    eventually(lambda: config(gateway)["state"] == "rejected")
    assert httpx.get(gateway.url + "/books").json()["app"] == "new"


def test_a_worker_that_dies_at_its_start_is_held_back(routes: Path) -> None:
    """The app's module lets the first process live, and ends every further one."""
    module = routes.parent / "probe.py"
    module.write_text(
        PROBE + "import pathlib\n"
        "counter = pathlib.Path(__file__).with_suffix('.count')\n"
        "with counter.open('a') as file: file.write('x')\n"
        "if counter.stat().st_size > 1: os._exit(7)\n"
    )
    with GatewayProcess(routes, workers=1) as gateway:
        os.kill(gateway.worker_pids()[0], signal.SIGKILL)
        eventually(lambda: "ended with exit code 7; replacing it in 0.5 s" in gateway.log())
        assert "was killed by SIGKILL; replacing it now" in gateway.log()
        assert gateway.ask("/readyz").status_code == 503
        assert gateway.ask("/healthz").status_code == 200
        # The trouble passes, and SIGHUP need not wait for the back-off to end.
        module.write_text(PROBE)
        gateway.signal(signal.SIGHUP)
        eventually(lambda: gateway.ask("/readyz").status_code == 200)
        assert httpx.get(gateway.url + "/books").json()["app"] == "legacy"


def test_what_an_app_prints_goes_to_the_log(routes: Path) -> None:
    (routes.parent / "probe.py").write_text(PROBE + "print('hello from the app', flush=True)\n")
    with GatewayProcess(routes) as gateway:
        assert "hello from the app" in gateway.log()
        gateway.signal(signal.SIGTERM)
        assert gateway.wait() == 0


def leftovers(gateway: GatewayProcess) -> list[Path]:
    """The directories that this run has made for itself."""
    return [
        path for place in ("/dev/shm", tempfile.gettempdir()) for path in Path(place).glob(f"gateway-{gateway.pid}-*")
    ]


def test_sigterm_finishes_what_runs_takes_nothing_new_and_leaves_nothing_behind(routes: Path) -> None:
    with GatewayProcess(routes, workers=2) as gateway:
        pids = gateway.worker_pids()
        assert leftovers(gateway)
        slow = InBackground(gateway.url + "/slow?1.2")
        eventually(lambda: metric(gateway, "gateway_requests_in_flight") == 1)
        gateway.signal(signal.SIGTERM)
        eventually(lambda: gateway.ask("/readyz").status_code == 503)
        eventually(lambda: refused(gateway.url))
        assert slow.response().json()["app"] == "legacy"
        assert gateway.wait() == 0
        assert not any(alive(pid) for pid in pids)
        assert "Traceback" not in gateway.log()
    assert leftovers(gateway) == []


def refused(url: str) -> bool:
    try:
        httpx.get(url, timeout=1)
    except httpx.ConnectError:
        return True
    except httpx.HTTPError:
        return False
    return False


def test_a_request_that_outlasts_the_drain_time_does_not_hold_up_the_end(routes: Path) -> None:
    with GatewayProcess(routes, "--drain-timeout", "0") as gateway:
        slow = InBackground(gateway.url + "/slow?30")
        eventually(lambda: metric(gateway, "gateway_requests_in_flight") == 1)
        begun = time.monotonic()
        gateway.signal(signal.SIGTERM)
        assert gateway.wait() == 0
        assert time.monotonic() - begun < 3
        assert slow.response().status_code == 503
        assert "1 request was not finished within the drain time and cut off" in gateway.log()
        assert "Traceback" not in gateway.log()


def test_a_second_ctrl_c_ends_at_once(routes: Path) -> None:
    with GatewayProcess(routes, workers=2) as gateway:
        pids = gateway.worker_pids()
        slow = InBackground(gateway.url + "/slow?30")
        eventually(lambda: metric(gateway, "gateway_requests_in_flight") == 1)
        gateway.signal(signal.SIGINT)
        eventually(lambda: "Ctrl-C again ends at once" in gateway.log())
        assert alive(gateway.pid)
        gateway.signal(signal.SIGINT)
        assert gateway.wait(2) == 130
        assert not any(alive(pid) for pid in pids)
        with pytest.raises(httpx.HTTPError):
            slow.response()


def test_workers_leave_when_the_control_process_is_killed(routes: Path) -> None:
    """The port must be free for the next start, and no temporary directory may stay."""
    with GatewayProcess(routes, workers=2) as gateway:
        pids = gateway.worker_pids()
        assert leftovers(gateway)
        os.kill(gateway.pid, signal.SIGKILL)
        gateway.wait()
        eventually(lambda: not any(alive(pid) for pid in pids))
        assert refused(gateway.url)
        assert "the control process is gone" in gateway.log()
        assert leftovers(gateway) == []
