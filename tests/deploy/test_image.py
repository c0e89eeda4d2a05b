"""The image `gateway`, built and run without Docker: the steps of deploy/Dockerfile in a folder of the test's own.

It installs everything anew, which takes a minute and a package index: `make image-test`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.behaviour.probe import project
from tests.behaviour.process import eventually
from tests.deploy.dockerfile import ROOT, Stage, context, line_of, stages

pytestmark = [
    pytest.mark.skipif("IMAGE_TEST" not in os.environ, reason="takes a minute and a package index: make image-test"),
    pytest.mark.timeout(300),
]

# Absolute paths of the image, which the test has below a folder of its own.
PLACES = ("/opt/", "/src", "/etc/gateway", "/var/lib/gateway")


class Image:
    """All stages share one tree: what a stage takes from another is there already."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(tree)}
        self.environment.update({name: value for name, value in os.environ.items() if name.startswith("PIP_")})
        self.folder = tree

    def place(self, text: str) -> str:
        """``text`` with the image's paths as they are here."""
        for place in PLACES:
            text = text.replace(place, f"{self.tree}{place}")
        return text

    def build(self, stage: Stage) -> None:
        for instruction in stage.instructions:
            match instruction.name:
                case "ENV":
                    for setting in instruction.value.split():
                        name, _, value = setting.partition("=")
                        value = self.place(value.strip('"')).replace("$PATH", self.environment["PATH"])
                        self.environment[name] = value
                case "WORKDIR":
                    self.folder = Path(self.place(instruction.value))
                    self.folder.mkdir(parents=True, exist_ok=True)
                case "COPY":
                    self._copy(*instruction.copies())
                case "RUN":
                    self._run(self.place(instruction.value))

    def _copy(self, stage: str | None, sources: list[str], destination: str) -> None:
        if stage is not None:
            return
        target = self.folder / self.place(destination)
        for path in context():
            for source in sources:
                if str(path) == source:
                    to = target / path.name if destination.endswith("/") else target
                elif str(path).startswith(f"{source}/"):
                    to = target / path.relative_to(source)
                else:
                    continue
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / path, to)

    def _run(self, command: str) -> None:
        if command.startswith("groupadd"):
            return
        # Here one user owns everything.
        command = command.replace("--owner=10001 --group=10001 ", "")
        subprocess.run(["/bin/sh", "-ec", command], cwd=self.folder, env=self.environment, timeout=240, check=True)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    image = Image(tmp_path_factory.mktemp("image"))
    known = stages()
    python = Path(sys.executable).resolve().parent
    image.environment["PATH"] = f"{python}{os.pathsep}{image.environment['PATH']}"
    for name in ("python", "requirements", "build", "gateway"):
        image.build(known[name])
    # The last stage takes the environment along, and nothing of what it was made from.
    shutil.rmtree(image.tree / "src")
    return image


@contextmanager
def running(image: Image, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = next(each for each in reversed(line_of("gateway")) if each.name == "ENTRYPOINT").exec_form()
    program = image.tree / "opt" / "venv" / "bin" / command[0]
    process = subprocess.Popen(
        [str(program), *arguments], cwd=image.folder, env=image.environment, stdin=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_the_command_serves_and_the_healthcheck_sees_it(image: Image) -> None:
    project(image.tree / "etc" / "gateway", to="new")
    command = next(each for each in reversed(line_of("gateway")) if each.name == "CMD").exec_form()
    check = next(each for each in reversed(line_of("gateway")) if each.name == "HEALTHCHECK")
    words: list[str] = json.loads(check.value.partition(" CMD ")[2])
    port, admin = _free(), _free()

    def healthy() -> bool:
        python, script, url = words
        asked = [
            str(image.tree / "opt" / "venv" / "bin" / python),
            image.place(script),
            url.replace("8001", str(admin)),
        ]
        return subprocess.run(asked, env=image.environment, stderr=subprocess.DEVNULL, check=False).returncode == 0

    assert not healthy()
    with running(image, *command, "--port", str(port), "--admin", f"127.0.0.1:{admin}") as process:
        eventually(healthy, timeout=30, step=0.2)
        assert httpx.get(f"http://127.0.0.1:{port}/books").json()["app"] == "new"
        # The dashboard's files are in the wheel.
        assert "<title>" in httpx.get(f"http://127.0.0.1:{admin}/").text
        # It is the process itself that Docker stops.
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    assert not healthy()
    assert (image.tree / "var" / "lib" / "gateway").stat().st_mode & 0o777 == 0o700


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
