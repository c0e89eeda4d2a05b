"""deploy/compose.yaml, as far as it can be tried without Docker."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.dockerfile import stages

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
COMPOSE = DEPLOY / "compose.yaml"

DATA: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
SERVICES: dict[str, Any] = DATA["services"]


def has_compose() -> bool:
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "compose", "version"], capture_output=True).returncode == 0


def variables() -> set[str]:
    """Those that env.example lists."""
    lines = (DEPLOY / "env.example").read_text().splitlines()
    return {line.partition("=")[0] for line in lines if line and not line.startswith("#")}


def test_it_keeps_the_compose_specification() -> None:
    """Every key and value is one that the specification knows, and what is referred to is there."""
    compose_spec = pytest.importorskip("compose_spec", reason="compose-spec is missing: pip install '.[deploy]'")
    compose_spec.PyCompose.from_json(json.dumps(DATA)).validate()


@pytest.mark.skipif(not has_compose(), reason="docker compose is missing")
def test_docker_compose_reads_it() -> None:
    filled = dict.fromkeys(variables(), "x")
    done = subprocess.run(
        ["docker", "compose", "-f", str(COMPOSE), "config", "--quiet"],
        env={**os.environ, **filled},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_for_what_it_needs_and_says_how_it_is(name: str) -> None:
    service = SERVICES[name]
    assert "healthcheck" in service or name == "gateway", "the gateway's is in its image"
    for other, needs in service.get("depends_on", {}).items():
        assert needs["condition"] in ("service_healthy", "service_started")
        assert other in SERVICES
    assert "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_built_here_or_pinned(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        build = service["build"]
        assert (COMPOSE.parent / build["context"] / build["dockerfile"]).is_file()
        assert build["target"] in stages()
    else:
        assert re.search(r":v?\d+\.\d+", service["image"])


def test_the_files_that_are_mounted_are_there() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", ())]
    files = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
    assert len(files) > 5
    for file in files:
        assert (DEPLOY / file).is_file(), file


def test_secrets_come_from_the_env_file_alone() -> None:
    text = COMPOSE.read_text()
    used = set(re.findall(r"\$\{([A-Z_]+)", text))
    assert used == variables()
    # None has a value that somebody could forget to change.
    assert all(f"${{{name}:?set it in deploy/.env}}" in text for name in used)
    ignored = (DEPLOY.parent / ".gitignore").read_text().splitlines()
    assert ".env" in ignored


def test_only_the_shop_is_reached_from_elsewhere() -> None:
    published = {port for service in SERVICES.values() for port in service.get("ports", ())}
    assert {port for port in published if not port.startswith("127.0.0.1:")} == {"8000:8000"}
    assert DATA["networks"]["inside"]["internal"] is True
    for name in ("legacy", "new", "database"):
        assert SERVICES[name]["networks"] == ["inside"]


def test_the_gateway_has_time_to_drain() -> None:
    assert SERVICES["gateway"]["stop_grace_period"] == "40s"


def test_prometheus_and_grafana_find_what_they_are_given() -> None:
    prometheus = yaml.safe_load((DEPLOY / "compose" / "prometheus.yml").read_text())
    mounted = {mount.split(":")[1] for mount in SERVICES["prometheus"]["volumes"]}
    for file in prometheus["rule_files"]:
        assert f"/etc/prometheus/{file}" in mounted
    (job,) = prometheus["scrape_configs"]
    assert job["static_configs"][0]["targets"] == ["gateway:8001"]
    secret = Path(job["authorization"]["credentials_file"])
    assert str(secret.parent) == "/run/secrets"
    assert SERVICES["prometheus"]["secrets"] == [secret.name]
    (provider,) = yaml.safe_load((DEPLOY / "compose" / "grafana-dashboards.yml").read_text())["providers"]
    mounted = {mount.split(":")[1] for mount in SERVICES["grafana"]["volumes"]}
    assert any(place.startswith(provider["options"]["path"] + "/") for place in mounted)
