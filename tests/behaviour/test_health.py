"""Addresses of remote apps that are checked, fail and come back, seen from the outside."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.behaviour.health_apps import HEALTH, App, apps, gateway, routes_of, samples, urls
from tests.behaviour.process import GatewayProcess, alive, eventually


def served(process: GatewayProcess, times: int = 8, path: str = "/") -> Counter[str]:
    """Who answered how many of so many requests; for a failed one, its status."""
    with httpx.Client(verify=False) as client:
        answers = [client.get(process.url + path) for _ in range(times)]
    return Counter(answer.text if answer.status_code == 200 else str(answer.status_code) for answer in answers)


def health(process: GatewayProcess, backend: str = "new") -> dict[str, float]:
    """1.0 or 0.0 by address, as the metrics page has it."""
    return {url: value for (name, url), value in samples(process, "gateway_backend_health").items() if name == backend}


class Stage:
    """One backend of the gateway that many tests share, with two addresses. ``it`` is the gateway."""

    def __init__(self, it: GatewayProcess, name: str, one: App, two: App) -> None:
        self.it = it
        self.name = name
        self.one = one
        self.two = two

    def health(self) -> tuple[float | None, float | None]:
        found = health(self.it, self.name)
        return found.get(self.one.url), found.get(self.two.url)

    def ejected(self, url: str) -> float | None:
        return samples(self.it, "gateway_backend_ejected").get((self.name, url))

    def served(self, times: int = 8) -> Counter[str]:
        return served(self.it, times, f"/{self.name}")

    def eventually_served(self, *names: str) -> None:
        eventually(lambda: set(self.served()) == set(names))

    def troubles(self) -> dict[str, str]:
        [backend] = [each for each in self.it.ask("/api/v1/status").json()["backends"] if each["name"] == self.name]
        return {address["address"]: address["trouble"] for address in backend["addresses"]}

    def logged(self, text: str) -> bool:
        return f"backend {self.name}: {text}" in self.it.log()


BACKENDS = {
    "checked": f"health: {HEALTH}, outliers: off",
    "hanging": f"health: {HEALTH}, outliers: off",
    "killed": f"health: {HEALTH}, outliers: {{slow_start: 0}}",
    "down": f"health: {HEALTH}",
    "unchecked": "outliers: {consecutive: 3, eject: 0.5, slow_start: 0}",
}


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Stage]]:
    with apps(*["one", "two"] * len(BACKENDS)) as made:
        pairs = dict(zip(BACKENDS, zip(made[::2], made[1::2], strict=True), strict=True))
        settings = {name: f"{urls(*pairs[name])}, {setting}" for name, setting in BACKENDS.items()}
        with gateway(tmp_path_factory.mktemp("health"), routes_of(**settings)) as it:
            yield {name: Stage(it, name, *pair) for name, pair in pairs.items()}


@pytest.fixture
def stage(request: pytest.FixtureRequest, stages: dict[str, Stage]) -> Stage:
    return stages[request.param]


on = partial(pytest.mark.parametrize, "stage", indirect=True)


@on(["checked"])
def test_an_address_that_is_down_gets_no_requests_until_it_is_up(stage: Stage) -> None:
    one, two = stage.one, stage.two
    eventually(lambda: stage.health() == (1.0, 1.0))
    assert stage.served() == {"one": 4, "two": 4}
    two.health = 500
    eventually(lambda: stage.health() == (1.0, 0.0))
    stage.eventually_served("one")
    eventually(lambda: stage.ejected(two.url) == 1.0)
    trouble = "is down: status 500, gets no requests"
    eventually(lambda: stage.troubles() == {one.url: "", two.url: trouble})
    assert f"{two.url} {trouble}" in stage.it.ask("/").text
    two.health = 200
    eventually(lambda: stage.health() == (1.0, 1.0))
    stage.eventually_served("one", "two")
    assert stage.logged(f"{two.url} is down: status 500")
    assert stage.logged(f"{two.url} is up again")
    assert not stage.logged(one.url)


@on(["hanging"])
def test_an_app_that_hangs_is_down_and_one_that_redirects_is_not(stage: Stage) -> None:
    stage.one.health, stage.two.hangs = 302, True
    eventually(lambda: stage.health() == (1.0, 0.0))
    stage.eventually_served("one")
    assert stage.logged(f"{stage.two.url} is down: no answer within 0.3 s")
    assert stage.one.user_agent.startswith("strangler-gateway/")


@on(["killed"])
def test_an_app_that_is_gone_and_comes_back(stage: Stage) -> None:
    eventually(lambda: stage.health() == (1.0, 1.0))
    stage.two.stop()
    # Whoever finds the address gone is served by the other one.
    assert stage.served() == {"one": 8}
    eventually(lambda: stage.health() == (1.0, 0.0))
    stage.two.start()
    eventually(lambda: stage.health() == (1.0, 1.0))
    stage.eventually_served("one", "two")


@on(["down"])
def test_when_all_are_down_all_are_tried_and_the_gateway_is_ready(stage: Stage) -> None:
    stage.one.health = stage.two.health = 503
    eventually(lambda: stage.health() == (0.0, 0.0))
    eventually(lambda: stage.served() == {"one": 4, "two": 4})
    assert stage.it.ask("/readyz").status_code == 200


@on(["unchecked"])
def test_an_address_whose_requests_fail_is_left_out_without_a_check(stage: Stage) -> None:
    two = stage.two
    two.status = 500
    assert stage.served(6) == {"one": 3, "500": 3}
    assert stage.served(6) == {"one": 6}
    ejections = {(stage.name, two.url, "consecutive"): 1.0}
    eventually(lambda: samples(stage.it, "gateway_backend_ejections_total") == ejections)
    assert stage.logged(f"{two.url}: too many failures in a row; it is left out")
    two.status = 200
    stage.eventually_served("one", "two")
    eventually(lambda: stage.ejected(two.url) == 0.0)
    assert stage.logged(f"{two.url} is tried again")
    assert stage.health() == (None, None)


def test_one_process_checks_for_all_workers_and_one_that_starts_later_knows(tmp_path: Path) -> None:
    with apps("one", "two") as (one, two):
        settings = routes_of(new=f"{urls(one, two)}, health: {HEALTH}")
        with gateway(tmp_path, settings, workers=2) as it:
            two.health = 500
            eventually(lambda: samples(it, "gateway_backend_ejected").get(("new", two.url)) == 2.0)
            before, begun = one.checks, time.monotonic()
            time.sleep(0.6)
            # One every tenth of a second, give or take a tenth of that.
            assert one.checks - before <= (time.monotonic() - begun) / 0.09 + 1
            pids = it.worker_pids()
            it.signal(signal.SIGUSR2)
            eventually(lambda: not any(map(alive, pids)) and len(it.worker_pids()) == 2, timeout=20)
            assert served(it) == {"one": 8}


def test_a_change_of_the_file_changes_who_is_checked(tmp_path: Path) -> None:
    with ExitStack() as stack:
        one, two, three = stack.enter_context(apps("one", "two", "three"))
        it = stack.enter_context(gateway(tmp_path, routes_of(new=f"{urls(one, two)}, health: {HEALTH}")))
        two.health = 500
        eventually(lambda: health(it) == {one.url: 1.0, two.url: 0.0})
        it.routes.write_text(routes_of(new=f"{urls(one, three)}, health: {HEALTH}"))
        eventually(lambda: health(it) == {one.url: 1.0, three.url: 1.0})
        eventually(lambda: set(served(it)) == {"one", "three"})
        checks = two.checks
        time.sleep(0.4)
        assert two.checks == checks
        # Without checks nobody is down.
        it.routes.write_text(routes_of(new=urls(one, two)))
        eventually(lambda: health(it) == {})
        eventually(lambda: set(served(it)) == {"one", "two"})
        checks = one.checks
        time.sleep(0.4)
        assert one.checks == checks
