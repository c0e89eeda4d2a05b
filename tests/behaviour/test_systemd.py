"""`gateway run` as a service of systemd: sockets that are passed, and what the service manager is told."""

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

from tests.behaviour.load import Load, project, seen, write_app
from tests.behaviour.process import command, environment, eventually

# What systemd does between fork and exec: the sockets from descriptor 3 on, and the process' own id.
PASS = """
import os, sys
many = int(sys.argv[1])
for number, descriptor in enumerate(map(int, sys.argv[2 : 2 + many])):
    os.dup2(descriptor, 3 + number)
    os.set_inheritable(3 + number, True)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2 + many], sys.argv[2 + many :])
"""


class Manager:
    """A service manager: it holds the sockets, starts the gateway on them, and is notified."""

    def __init__(self, folder: Path, *listeners: tuple[str, socket.socket], watchdog: float = 0) -> None:
        self.routes = project(folder)
        self._listeners = listeners
        self._inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._inbox.bind(str(folder / "notify"))
        self._inbox.settimeout(0.05)
        self._log = folder / "log"
        self._variables = {
            "NOTIFY_SOCKET": str(folder / "notify"),
            "LISTEN_FDS": str(len(listeners)),
            "LISTEN_FDNAMES": ":".join(name for name, _ in listeners),
            **({"WATCHDOG_USEC": str(int(watchdog * 1e6))} if watchdog else {}),
        }
        self.told: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *args: str) -> None:
        descriptors = [listener.fileno() for _, listener in self._listeners]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", PASS, str(len(descriptors)), *map(str, descriptors),
                 *command(str(self.routes), "--json", *args)],
                pass_fds=descriptors,
                env=environment(self._variables),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )  # fmt: skip

    def log(self) -> str:
        return self._log.read_text()

    def ready(self) -> dict[str, object]:
        """What `gateway run` prints when it is."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self.log()
        answer: dict[str, object] = json.loads(line)
        return answer

    def has_been_told(self, message: str) -> bool:
        try:
            while True:
                self.told.append(self._inbox.recv(4096).decode())
        except TimeoutError:
            return any(message in each for each in self.told)

    def count(self, line: str) -> int:
        """How often it has been told this line."""
        self.has_been_told(line)
        return sum(each.split("\n").count(line) for each in self.told)

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """The exit code, once it has ended."""
        assert self._process is not None
        assert self._process.stdout is not None
        process, stdout, self._process = self._process, self._process.stdout, None
        with stdout:
            try:
                return process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise

    def close(self) -> None:
        if self._process is not None:
            self.stop()
        self._inbox.close()


@contextmanager
def managed(folder: Path, *listeners: tuple[str, socket.socket], watchdog: float = 0) -> Iterator[Manager]:
    manager = Manager(folder, *listeners, watchdog=watchdog)
    try:
        yield manager
    finally:
        manager.close()


def url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_it_serves_on_the_sockets_that_it_is_given(tmp_path: Path) -> None:
    path = str(tmp_path / "gateway.sock")
    with (
        socket.create_server(("127.0.0.1", 0)) as public,
        socket.create_server(("127.0.0.1", 0)) as admin,
        socket.socket(socket.AF_UNIX) as unix,
    ):
        unix.bind(path)
        unix.listen()
        with managed(tmp_path, ("web", public), ("admin", admin), ("unix", unix)) as manager:
            # The sockets stand in the place of what the options say.
            manager.start("--port", "1", "--admin", "127.0.0.1:1", "--workers", "2")
            ready = manager.ready()
            assert ready["urls"] == [url(public), f"unix:{path}"]
            assert ready["admin"] == url(admin)
            assert httpx.post(url(public), content=b"1").json()["id"] == "1"
            assert httpx.get(url(admin) + "/readyz").json()["ready"] is True
            with httpx.Client(transport=httpx.HTTPTransport(uds=path)) as client:
                assert client.post("http://gateway/", content=b"2").json()["id"] == "2"
            assert manager.stop() == 0


def test_the_service_manager_is_told_how_it_goes(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as public, managed(tmp_path, ("", public), watchdog=0.6) as manager:
        manager.start("--admin", "off")
        manager.ready()
        eventually(lambda: manager.has_been_told("READY=1"))
        eventually(lambda: manager.has_been_told("STATUS=version 1 is live on 1 of 1 workers"))
        eventually(lambda: manager.count("WATCHDOG=1") > 2)
        for number in (signal.SIGHUP, signal.SIGUSR2):
            manager.told.clear()
            manager.signal(number)
            eventually(lambda: manager.has_been_told("RELOADING=1\nMONOTONIC_USEC="))
            eventually(lambda: manager.has_been_told("READY=1"), timeout=10)
        manager.routes.write_text("version: 2\n")
        eventually(lambda: manager.has_been_told("routes.yaml is refused as it is now"))
        assert manager.stop() == 0
        assert manager.has_been_told("STOPPING=1")
        assert "READY=1" not in manager.told[manager.told.index("STOPPING=1") :]


def test_a_restart_of_the_whole_gateway_loses_no_request(tmp_path: Path) -> None:
    """The manager holds the socket: what comes while nobody serves waits for the next gateway."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as public, managed(tmp_path, ("", public)) as manager:
        manager.start("--admin", "off", "--workers", "2")
        manager.ready()
        # A start takes long on a busy machine.
        with Load(url(public), timeout=30) as load:
            eventually(lambda: len(load.answers) > 100)
            assert manager.stop() == 0
            write_app(tmp_path, "brand-new")
            manager.start("--admin", "off", "--workers", "2")
            manager.ready()
            rest = len(load.answers) + 50
            eventually(lambda: len(load.answers) > rest)
        assert (load.lost, load.refused) == ({}, 0)
        assert load.codes == {"old", "brand-new"}
        assert seen(tmp_path) == dict.fromkeys(load.answers, 1)


def test_a_socket_that_cannot_be_served_ends_the_start_in_one_line(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other, managed(tmp_path, ("web", other)) as manager:
        manager.start("--admin", "off")
        assert manager.wait() == 1
        assert manager.log() == "descriptor 3 (web) is not a stream socket; use ListenStream=\n"


def test_an_admin_socket_that_others_can_reach_needs_a_token(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as admin, managed(tmp_path, ("admin", admin)) as manager:
        manager.start("--port", "0")
        assert manager.wait() == 1
        assert "can be reached by others, so the admin listener needs a token there" in manager.log()


@pytest.mark.skipif(shutil.which("systemd-socket-activate") is None, reason="systemd-socket-activate is missing")
def test_systemds_own_tool_starts_it_at_the_first_connection(tmp_path: Path) -> None:
    path = str(tmp_path / "gateway.sock")
    routes = project(tmp_path)
    keep = [f"--setenv={name}" for name in ("PATH", "PYTHONPATH", "HOME") if name in environment()]
    process = subprocess.Popen(
        ["systemd-socket-activate", "-l", path, *keep, *command(str(routes), "--admin", "off")],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: os.path.exists(path))
        with httpx.Client(transport=httpx.HTTPTransport(uds=path), timeout=20) as client:
            assert client.post("http://gateway/", content=b"first").json()["id"] == "first"
    finally:
        process.terminate()
        process.wait(10)
