"""Listening sockets that the service manager has opened for us: systemd's socket activation, sd_listen_fds(3).

The manager holds the sockets while the gateway is restarted, so a connection that comes meanwhile waits, and is
answered by the next gateway. It can also bind port 443 for a user who may not.
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping
from dataclasses import dataclass

from gateway.control.listening import ListenError

# SD_LISTEN_FDS_START.
FIRST_DESCRIPTOR = 3
ADMIN_NAME = "admin"


@dataclass(frozen=True, slots=True)
class Passed:
    """The sockets that were passed: those named ``admin`` (FileDescriptorName=admin), and all others."""

    public: tuple[socket.socket, ...]
    admin: tuple[socket.socket, ...]


def passed_sockets(environ: MutableMapping[str, str]) -> Passed:
    """What the process was started with; nothing twice, and nothing that was meant for another process.

    The variables are taken out of ``environ``: what we start must not take our sockets for its own. Raises ListenError
    for a descriptor that is no listening stream socket.
    """
    meant_for = environ.pop("LISTEN_PID", "")
    many = environ.pop("LISTEN_FDS", "")
    names = environ.pop("LISTEN_FDNAMES", "").split(":")
    if meant_for != str(os.getpid()) or not many.isdecimal():
        return Passed((), ())
    found: dict[bool, list[socket.socket]] = {True: [], False: []}
    for index in range(int(many)):
        name = names[index] if index < len(names) else ""
        found[name == ADMIN_NAME].append(_listener(FIRST_DESCRIPTOR + index, name or "no name"))
    return Passed(tuple(found[False]), tuple(found[True]))


def _listener(descriptor: int, name: str) -> socket.socket:
    try:
        listener = socket.socket(fileno=descriptor)
    except OSError as error:
        raise ListenError(f"descriptor {descriptor} ({name}) was passed, and is no socket: {error.strerror}") from None
    listener.set_inheritable(False)
    listener.setblocking(False)
    if listener.type != socket.SOCK_STREAM:
        raise ListenError(f"descriptor {descriptor} ({name}) is not a stream socket; use ListenStream=")
    if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise ListenError(f"descriptor {descriptor} ({name}) is a socket that does not listen; use Accept=no")
    return listener
