from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.control.activation import passed_sockets
from tests.behaviour.process import environment

# As the service manager does: the sockets from descriptor 3 on, and the process' own id.
ASK = """
import os, sys
for number, descriptor in enumerate(map(int, sys.argv[1:])):
    os.dup2(descriptor, 3 + number)
os.environ["LISTEN_PID"] = str(os.getpid() + int(os.environ.get("OFF", "0")))
from gateway.control.activation import passed_sockets
from gateway.control.listening import ListenError, place_of
try:
    passed = passed_sockets(os.environ)
except ListenError as error:
    print(error)
else:
    public, admin = [[place_of(each).url for each in group] for group in (passed.public, passed.admin)]
    print(" ".join([*public, "|", *admin]))
    left = [name for name in os.environ if name.startswith("LISTEN_")]
    print(left, [each.get_inheritable() for each in passed.public])
"""


def ask(*descriptors: int, names: str = "", **more: str) -> list[str]:
    """What a process finds that these descriptors are passed to."""
    asked = subprocess.run(
        [sys.executable, "-c", ASK, *map(str, descriptors)],
        pass_fds=descriptors,
        env=environment({"LISTEN_FDS": str(len(descriptors)), "LISTEN_FDNAMES": names, **more}),
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    return asked.stdout.splitlines()


def test_sockets_are_told_apart_by_their_names(tmp_path: Path) -> None:
    path = str(tmp_path / "gateway.sock")
    with (
        socket.create_server(("127.0.0.1", 0)) as public,
        socket.create_server(("127.0.0.1", 0)) as admin,
        socket.socket(socket.AF_UNIX) as unix,
    ):
        unix.bind(path)
        unix.listen()
        urls = [f"http://127.0.0.1:{each.getsockname()[1]}" for each in (public, admin)]
        descriptors = [each.fileno() for each in (public, admin, unix)]
        assert ask(*descriptors, names="gateway.socket:admin:unix") == [
            f"{urls[0]} unix:{path} | {urls[1]}",
            # Nobody else is to take them for its own.
            "[] [False, False]",
        ]
        # systemd gives no names to old programs: all are public.
        assert ask(descriptors[0])[0] == f"{urls[0]} |"


def test_what_was_meant_for_another_process_is_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as public:
        assert ask(public.fileno(), OFF="1") == ["|", "[] []"]


def test_without_a_service_manager_there_is_nothing() -> None:
    passed = passed_sockets({})
    assert (passed.public, passed.admin) == ((), ())
    passed = passed_sockets({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "many"})
    assert (passed.public, passed.admin) == ((), ())


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (socket.SOCK_DGRAM, "descriptor 3 (web) is not a stream socket; use ListenStream="),
        (socket.SOCK_STREAM, "descriptor 3 (web) is a socket that does not listen; use Accept=no"),
    ],
)
def test_what_cannot_be_served_is_told(kind: socket.SocketKind, told: str) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        assert ask(other.fileno(), names="web") == [told]


def test_a_file_is_no_socket(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        (line,) = ask(file.fileno(), names="web")
        assert line.startswith("descriptor 3 (web) was passed, and is no socket")
