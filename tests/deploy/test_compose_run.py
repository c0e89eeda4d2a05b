"""The services of deploy/compose.yaml, with its very commands and environments, as processes of this machine."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.behaviour.process import ROOT, environment, eventually

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]
HEALTHCHECK = str(ROOT / "deploy" / "healthcheck.py")
SECRETS = {
    "POSTGRES_PASSWORD": "unused",
    "BOOKSHOP_SECRET_KEY": "a-key-of-the-test-and-of-nobody-else",
    "GATEWAY_ADMIN_TOKEN": "may-change-routes-of-the-test",
    "GATEWAY_ADMIN_READ_TOKEN": "may-only-read-what-is-there",
}


class Machine:
    """Where each container's ports are on this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {
            "legacy:5000": _free(),
            "new:5000": _free(),
            "third-party:8090": _free(),
            "gateway:8000": _free(),
            "gateway:8001": _free(),
        }

    def url(self, place: str) -> str:
        return f"http://127.0.0.1:{self.ports[place]}"

    def translated(self, service: str, text: str) -> str:
        """``text`` of that service with our addresses, secrets and files."""
        text = re.sub(r"\$\{([A-Z_]+):\?[^}]*\}", lambda match: SECRETS[match[1]], text)
        text = text.replace("/opt/healthcheck.py", HEALTHCHECK)
        for place, port in self.ports.items():
            name, inside = place.split(":")
            text = text.replace(f"//{place}", f"//127.0.0.1:{port}")
            if name == service:
                text = re.sub(rf"(0\.0\.0\.0|127\.0\.0\.1):{inside}\b", f"127.0.0.1:{port}", text)
                text = text.replace(f"--port={inside}", f"--port={port}")
        return text.replace("0.0.0.0", "127.0.0.1")

    def start(self, service: str, *more: str) -> subprocess.Popen[bytes]:
        described = COMPOSE[service]
        command = [self.translated(service, word) for word in described["command"]]
        if service == "gateway":
            command = ["gateway", *command]
        command = command[1:] if command[0] == "python" else ["-m", *command]
        variables = {name: self.translated(service, value) for name, value in described.get("environment", {}).items()}
        if "DATABASE_URL" in variables:
            variables["DATABASE_URL"] = f"sqlite:///{self.folder / 'bookshop.db'}"
        if "HOME" in variables:
            variables["HOME"] = str(self.folder)
        with (self.folder / f"{service}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, *command, *more],
                cwd=self.folder,
                env=environment(variables),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def healthy(self, service: str) -> bool:
        words = [self.translated(service, word) for word in COMPOSE[service]["healthcheck"]["test"][2:]]
        return subprocess.run([sys.executable, *words], stderr=subprocess.DEVNULL, check=False).returncode == 0


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("compose"))
    routes = machine.folder / "routes.yaml"
    routes.write_bytes((ROOT / "routes.remote.yaml").read_bytes())
    with ExitStack() as stack:

        def start(service: str, *more: str) -> None:
            process = machine.start(service, *more)
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)

        try:
            # In the order that depends_on gives.
            for service in ("legacy", "new"):
                start(service)
                eventually(lambda service=service: machine.healthy(service), timeout=20, step=0.1)  # type: ignore[misc]
            start("third-party", "--port", str(machine.ports["third-party:8090"]))
            start("gateway", "--port", str(machine.ports["gateway:8000"]), "--routes", str(routes))
            eventually(lambda: _ready(machine), timeout=20, step=0.1)
            yield machine
        except AssertionError as error:
            for log in machine.folder.glob("*.log"):
                error.add_note(f"{log.name}:\n{log.read_text()}")
            raise


def _ready(machine: Machine) -> bool:
    try:
        return httpx.get(machine.url("gateway:8001") + "/readyz").status_code == 200
    except httpx.TransportError:
        return False


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_both_apps_answer_through_the_gateway(machine: Machine) -> None:
    shop = machine.url("gateway:8000")
    headers = {"Host": "shop.example"}
    assert httpx.get(shop + "/books/1", headers=headers).status_code == 200
    assert "</html>" in httpx.get(shop + "/", headers=headers).text
    # Both believe the gateway about where the client is.
    redirect = httpx.get(shop + "/catalogue/new", headers=headers)
    assert redirect.status_code == 302
    assert httpx.get(shop + "/reports", headers=headers).headers["location"] == "http://shop.example/reports/"


def test_the_third_party_has_its_sign_of_life(machine: Machine) -> None:
    eventually(lambda: machine.healthy("third-party"), timeout=5, step=0.1)


def test_prometheus_and_people_get_in_with_their_tokens_and_nobody_else(machine: Machine) -> None:
    admin = machine.url("gateway:8001")

    def status(path: str, token: str | None, host: str = "gateway:8001") -> int:
        headers = {"Host": host, **({"Authorization": f"Bearer {token}"} if token else {})}
        return httpx.get(admin + path, headers=headers).status_code

    assert status("/metrics", None) == 401
    assert status("/metrics", SECRETS["GATEWAY_ADMIN_READ_TOKEN"]) == 200
    assert status("/api/v1/routes", SECRETS["GATEWAY_ADMIN_TOKEN"], "localhost:8001") == 200
    assert status("/readyz", None) == 200


def test_the_command_of_its_head_changes_a_route(machine: Machine) -> None:
    """`exec gateway gateway split /books new=50`, as the comment in compose.yaml has it."""
    (command,) = re.findall(r"exec gateway (gateway .*)", (ROOT / "deploy" / "compose.yaml").read_text())
    variables = {
        name: machine.translated("gateway", value) for name, value in COMPOSE["gateway"]["environment"].items()
    }
    done = subprocess.run(
        [sys.executable, "-m", *command.split(), "--routes", str(machine.folder / "routes.yaml")],
        env=environment(variables),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "live on 2 of 2 workers" in done.stdout
