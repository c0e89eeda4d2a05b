"""deploy/grafana/dashboard.json: every query is one, and asks for what there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.behaviour.metrics_page import Metric, lived, metrics
from tests.behaviour.process import ROOT
from tests.deploy.promql import TARGET, labels_of, metrics_of
from tests.deploy.test_prometheus import RECORDED

DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES: list[str] = [
    *(target["expr"] for panel in PANELS for target in panel["targets"]),
    *(note["expr"] for note in DASHBOARD["annotations"]["list"]),
]
# Of the one that shows what values a variable can have.
LABEL_VALUES = re.compile(r"label_values\((.*), (\w+)\)")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Metric]]:
    with lived(tmp_path_factory.mktemp("grafana")) as gateway:
        yield metrics(gateway.ask("/metrics").text)


def plain(query: str) -> str:
    """With values in the place of Grafana's variables."""
    return re.sub(r"\$(job|route)\b", ".*", query.replace("$__rate_interval", "1m"))


def test_every_query_asks_for_what_is_on_the_page(page: dict[str, Metric]) -> None:
    samples = {sample for each in page.values() for sample in each.samples}
    labels = {label for each in page.values() for label in each.labels} | TARGET | {"le"}
    for query in QUERIES:
        assert metrics_of(query)
        assert metrics_of(query) <= samples | RECORDED, query
        assert labels_of(query) <= labels, query


def test_every_metric_is_shown(page: dict[str, Metric]) -> None:
    shown = {name for query in QUERIES for name in metrics_of(query)}
    recording = (ROOT / "deploy" / "prometheus" / "recording.yml").read_text()
    shown |= metrics_of(recording)
    hidden = {name for name, each in page.items() if name.startswith("gateway_") and not each.samples & shown}
    assert hidden == {"gateway_start_time_seconds"}


def test_variables_ask_for_what_is_on_the_page(page: dict[str, Metric]) -> None:
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            match = LABEL_VALUES.fullmatch(variable["query"]["query"])
            assert match is not None
            metric, label = match.groups()
            [name] = metrics_of(metric)
            assert label in page[name].labels | TARGET


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is missing: see `make prometheus`")
def test_promtool_can_read_every_query(tmp_path: Path) -> None:
    rules = [{"record": f"query:{number}", "expr": plain(query)} for number, query in enumerate(QUERIES)]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", str(path)], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


def test_panels_lie_beside_each_other_and_not_on_each_other() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_it_names_no_data_source_of_its_own() -> None:
    for panel in PANELS:
        assert panel["datasource"]["uid"] == "${datasource}"
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}
