"""Editing routes.yaml while `gateway run` serves."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.behaviour.probe import InBackground, Traffic, config, metric, project, replace, serves, text
from tests.behaviour.process import GatewayProcess, eventually


@pytest.mark.parametrize("save", [Path.write_text, replace])
def test_a_save_takes_effect_in_every_worker_and_loses_no_request(
    gateway: GatewayProcess, save: Callable[[Path, str], object]
) -> None:
    version = config(gateway)["version"]
    with Traffic(gateway.url + "/books") as traffic:
        eventually(lambda: traffic.answers["legacy"] > 5)
        save(gateway.routes, text("new"))
        eventually(lambda: serves(gateway, "new"), timeout=2)
        before = traffic.answers["legacy"]
        eventually(lambda: traffic.answers["new"] > 20)
        assert traffic.answers["legacy"] - before <= 3  # what was on its way
    assert traffic.failures == []
    assert config(gateway)["version"] == version + 1
    assert f"routes.yaml version {version + 1} is live" in gateway.log()
    assert "/books: legacy → new" in gateway.log()


def test_a_configmap_swap_takes_effect(tmp_path: Path) -> None:
    def publish(directory: str, to: str) -> None:
        (tmp_path / directory).mkdir()
        project(tmp_path / directory, to)
        (tmp_path / "..data_tmp").symlink_to(directory)
        os.replace(tmp_path / "..data_tmp", tmp_path / "..data")

    publish("..1", "legacy")
    for name in ("routes.yaml", "probe.py"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    with GatewayProcess(tmp_path / "routes.yaml") as gateway:
        assert httpx.get(gateway.url + "/books").json()["app"] == "legacy"
        publish("..2", "new")
        shutil.rmtree(tmp_path / "..1")
        eventually(lambda: serves(gateway, "new"), timeout=2)
        assert httpx.get(gateway.url + "/books").json()["app"] == "new"


def test_sighup_reads_the_file_again(gateway: GatewayProcess) -> None:
    read = metric(gateway, "gateway_config_last_reload_timestamp_seconds")
    gateway.signal(signal.SIGHUP)
    eventually(lambda: metric(gateway, "gateway_config_last_reload_timestamp_seconds") > read)
    assert len(gateway.worker_pids()) == 2


def test_a_file_that_is_written_slowly_is_never_applied_in_part(gateway: GatewayProcess) -> None:
    """Every prefix of it that ends with a line is a good file with fewer routes."""
    whole = text("new") + "".join(f"  - path: /more/{n}\n    to: new\n" for n in range(20))
    version = config(gateway)["version"]
    for opened_once in (True, False):
        lines = whole.splitlines(keepends=True)
        half = "".join(lines[: len(lines) // 2])
        if opened_once:
            with gateway.routes.open("w") as file:
                file.write(half)
                file.flush()
                time.sleep(0.1)
                file.write(whole[len(half) :])
        else:
            gateway.routes.write_text(half)
            time.sleep(0.1)
            with gateway.routes.open("a") as file:
                file.write(whole[len(half) :])
        version += 1
        eventually(lambda version=version: config(gateway)["version"] >= version, timeout=2)  # type: ignore[misc]
        answer = gateway.ask("/api/v1/routes").json()
        assert (answer["config"]["version"], len(answer["routes"])) == (version, 21)
        whole += f"# {version}\n"
    assert config(gateway)["problems"] == []


def test_a_bad_file_changes_nothing_and_says_why_until_a_good_one_comes(gateway: GatewayProcess) -> None:
    before = config(gateway)
    gateway.routes.write_text(text("lagacy"))
    eventually(lambda: config(gateway)["state"] == "rejected", timeout=2)
    message = "routes.yaml:8:9: unknown backend 'lagacy'; did you mean 'legacy'?"
    answer = gateway.ask("/readyz")
    assert answer.status_code == 200
    assert answer.json()["ready"] is True
    assert answer.json()["config"]["problems"] == [message]
    assert (config(gateway)["version"], config(gateway)["digest"]) == (before["version"], before["digest"])
    assert metric(gateway, "gateway_config_last_reload_successful") == 0
    assert httpx.get(gateway.url + "/books").json()["app"] == "legacy"
    assert message in gateway.log()
    assert f"routes.yaml is refused; version {before['version']} stays live" in gateway.log()

    # The very text that is live: no new version, but no longer refused.
    gateway.routes.write_text(text("legacy"))
    eventually(lambda: config(gateway)["state"] == "live", timeout=2)
    assert config(gateway)["version"] == before["version"]
    assert metric(gateway, "gateway_config_last_reload_successful") == 1


def test_a_file_that_is_gone_changes_nothing_and_is_said_until_it_is_back(gateway: GatewayProcess) -> None:
    before, content = config(gateway), gateway.routes.read_text()
    gateway.routes.unlink()
    eventually(lambda: config(gateway)["state"] == "missing", timeout=2)
    assert config(gateway) == {**before, "state": "missing", "problems": ["routes.yaml: no such file"]}
    assert gateway.ask("/readyz").status_code == 200
    assert metric(gateway, "gateway_config_last_reload_successful") == 0
    assert f"routes.yaml is missing; version {before['version']} stays live" in gateway.log()

    # Who saves in two steps has an empty file in between.
    gateway.routes.touch()
    eventually(lambda: config(gateway)["problems"] == ["routes.yaml: the file is empty"], timeout=4)
    assert httpx.get(gateway.url + "/books").json()["app"] == "legacy"

    gateway.routes.write_text(content)
    eventually(lambda: config(gateway) == before, timeout=2)
    assert metric(gateway, "gateway_config_last_reload_successful") == 1


def test_an_app_that_cannot_be_imported_is_refused_like_any_mistake(gateway: GatewayProcess) -> None:
    gateway.routes.write_text(text("new").replace("probe:new", "probe:nwe"))
    eventually(lambda: config(gateway)["state"] == "rejected", timeout=2)
    assert config(gateway)["problems"] == [
        "routes.yaml:4:14: module 'probe' has no attribute 'nwe'; did you mean 'new'?"
    ]
    assert httpx.get(gateway.url + "/books").json()["app"] == "legacy"


def test_500_reloads_under_load_fail_no_request_and_no_stream(gateway: GatewayProcess) -> None:
    """Told by signal: what the watcher adds is waiting for each save to settle, and that is tested above."""
    version = config(gateway)["version"]
    streams = [InBackground(gateway.url + f"/slow?{seconds}") for seconds in (1, 2, 3)]
    with Traffic(gateway.url + "/books") as traffic:
        for n in range(1, 501):
            replace(gateway.routes, text("new" if n % 2 else "legacy") + f"# {n}\n")
            gateway.signal(signal.SIGHUP)
            eventually(lambda n=n: config(gateway)["version"] >= version + n, step=0.005)  # type: ignore[misc]
    assert traffic.failures == []
    assert min(traffic.answers["legacy"], traffic.answers["new"]) > 20
    assert [stream.response().status_code for stream in streams] == [200, 200, 200]
    assert config(gateway)["version"] == version + 500
    assert metric(gateway, "gateway_worker_restarts_total") == 0
