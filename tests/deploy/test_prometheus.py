"""deploy/prometheus, by promtool and by Prometheus itself, on the metrics of a real gateway."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from benchmarks.server import free_port
from tests.behaviour.metrics_page import lived, metrics
from tests.behaviour.process import ROOT, GatewayProcess, eventually
from tests.deploy.promql import TARGET, labels_of, metrics_of

FOLDER = ROOT / "deploy" / "prometheus"

PROMTOOL = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is missing: see `make prometheus`")
PROMETHEUS = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="prometheus is missing: see `make prometheus`"
)


def rules(file: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / file).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


RULES = rules("recording.yml") + rules("alerts.yml")
RECORDED = {rule["record"] for rule in RULES if "record" in rule}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with lived(tmp_path_factory.mktemp("prometheus")) as gateway:
        yield gateway


def promtool(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *arguments], cwd=FOLDER, input=text, capture_output=True, text=True, timeout=30, check=False
    )


@PROMTOOL
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "recording.yml", "alerts.yml"),
        ("test", "rules", "tests.yml"),
    ],
    ids=" ".join,
)
def test_promtool_finds_nothing_wrong(arguments: tuple[str, ...]) -> None:
    done = promtool(*arguments)
    assert (done.returncode, done.stderr) == (0, "")


@PROMTOOL
def test_the_page_is_as_prometheus_wants_it(gateway: GatewayProcess) -> None:
    done = promtool("check", "metrics", text=gateway.ask("/metrics").text)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("record") or rule["alert"])
def test_a_rule_speaks_of_what_is_on_the_page(gateway: GatewayProcess, rule: dict[str, Any]) -> None:
    page = metrics(gateway.ask("/metrics").text)
    names = {sample for each in page.values() for sample in each.samples}
    used = metrics_of(rule["expr"])
    assert used - RECORDED - {"up"} <= names
    labels = {label for each in page.values() for label in each.labels} | TARGET | {"le"}
    assert labels_of(rule["expr"]) <= labels
    assert used or rule["expr"].startswith("up")


def test_every_alert_says_who_is_to_do_what() -> None:
    for rule in rules("alerts.yml"):
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
        assert rule["alert"].startswith("Gateway")


def test_every_alert_is_tried() -> None:
    tests = yaml.safe_load((FOLDER / "tests.yml").read_text())["tests"]
    tried = {case["alertname"] for test in tests for case in test.get("alert_rule_test", ()) if case["exp_alerts"]}
    assert tried == {rule["alert"] for rule in rules("alerts.yml")}


@contextmanager
def prometheus(folder: Path, admin: str) -> Iterator[httpx.Client]:
    """Prometheus with our configuration, but for the target and the pace, and a client for its API."""
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"}
    config["rule_files"] = [str(FOLDER / name) for name in config["rule_files"]]
    config["scrape_configs"][0]["static_configs"] = [{"targets": [admin.removeprefix("http://")]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    flags = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["prometheus", *flags], cwd=folder, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=5) as client:
            eventually(lambda: process.poll() is None and _answers(client), timeout=15)
            yield client
    finally:
        process.terminate()
        process.wait(10)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/status/runtimeinfo").status_code == 200
    except httpx.TransportError:
        return False


@PROMETHEUS
def test_prometheus_makes_something_of_it(gateway: GatewayProcess, tmp_path: Path) -> None:
    """Every recording rule gives a series, and no rule fails."""
    with prometheus(tmp_path, gateway.admin) as client:

        def recorded() -> set[str]:
            series = client.get("/query", params={"query": '{__name__=~"job_route(_backend)?:.*"}'}).json()
            return {each["metric"]["__name__"] for each in series["data"]["result"]}

        until = time.monotonic() + 15
        while recorded() != RECORDED:
            assert time.monotonic() < until, f"no series of {RECORDED - recorded()}"
            for path in ("/books", "/elsewhere", "/safe"):
                httpx.get(gateway.url + path, verify=False)
            time.sleep(0.2)
        told = client.get("/rules").json()["data"]["groups"]
    assert {rule["health"] for group in told for rule in group["rules"]} == {"ok"}
