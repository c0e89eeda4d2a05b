"""docs/metrics.md and a real page say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from gateway.telemetry.recorder import BOUNDS
from gateway.upstream.failure import Failure
from tests.behaviour.metrics_page import Metric, lived, metrics
from tests.behaviour.process import ROOT

TEXT = (ROOT / "docs" / "metrics.md").read_text()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with lived(tmp_path_factory.mktemp("metrics")) as gateway:
        yield gateway.ask("/metrics").text


def rows(text: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Name → type and labels, of each line of the table."""
    found = {}
    for name, kind, labels in re.findall(r"^\| `(gateway_\w+)` \| (\w+) \| ([\w, ]*)\|", text, re.MULTILINE):
        assert name not in found
        found[name] = (kind, frozenset(filter(None, (label.strip() for label in labels.split(",")))))
    return found


def test_every_metric_is_in_the_table_and_nothing_else_is(page: str) -> None:
    real = {name: (each.kind, each.labels) for name, each in metrics(page).items() if name.startswith("gateway_")}
    assert rows(TEXT) == real


def test_names_follow_the_convention(page: str) -> None:
    for name, each in metrics(page).items():
        assert each.kind != "counter" or name.endswith("_total")
        assert not name.endswith(("_milliseconds", "_ms", "_percent"))
    assert metrics(page)["gateway_request_duration_seconds"] == Metric(
        "histogram",
        frozenset({"route", "backend"}),
        frozenset(f"gateway_request_duration_seconds_{part}" for part in ("bucket", "sum", "count")),
    )


def test_every_failure_of_a_remote_app_is_in_the_table() -> None:
    told = re.findall(r"^\| (\w+) \| `(\w+)` \| (\d+|broken off) \|", TEXT, re.MULTILINE)
    real = [
        (each.stage, each.name.lower(), "broken off" if each.stage == "body" else str(each.status))
        for each in Failure
        if each.side != "client"
    ]
    assert told == real


def test_the_buckets_are_those_of_the_histogram() -> None:
    sentence = re.search(r"The buckets of the histogram end at (.*?) ms, and at (.*?) s\.", TEXT, re.DOTALL)
    assert sentence is not None
    milliseconds, seconds = (re.findall(r"[\d.]+", part) for part in sentence.groups())
    assert [float(number) / 1000 for number in milliseconds] + list(map(float, seconds)) == list(BOUNDS)
