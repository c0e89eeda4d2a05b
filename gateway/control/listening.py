"""Listening sockets, and one clear line when there cannot be one."""

from __future__ import annotations

import errno
import ipaddress
import socket
from dataclasses import dataclass

BACKLOG = 2048


class ListenError(Exception):
    """``str()`` is one line for the user."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. Port 0 leaves the choice to the system."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """``HOST:PORT``, with an IPv6 host in brackets. Raises ValueError with a line for the user."""
        host, colon, port = text.rpartition(":")
        if not colon or not host:
            raise ValueError(f"'{text}' is not HOST:PORT, as in 127.0.0.1:8001 or [::1]:8001")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            raise ValueError(f"'{text}': an IPv6 address stands in brackets, as in [::1]:8001")
        if not (port.isascii() and port.isdecimal() and int(port) <= 65535):
            raise ValueError(f"'{text}': a port is a number from 0 to 65535")
        return cls(host, int(port))

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """Where a Unix socket listens. ``path`` is "" for one without a name."""

    path: str

    @property
    def url(self) -> str:
        return f"unix:{self.path}"

    @property
    def loopback(self) -> bool:
        """Who reaches it is up to the permissions of its file, on this machine in any case."""
        return True


Place = Address | UnixAddress


def place_of(listener: socket.socket) -> Place:
    """Where ``listener`` listens."""
    name = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        # An abstract address is given as bytes, with a zero byte where its name is written with an @.
        return UnixAddress("@" + name[1:].decode(errors="replace") if isinstance(name, bytes) else name)
    return Address(name[0], name[1])


def listen(address: Address, host_flag: str, port_flag: str) -> tuple[socket.socket, Address]:
    """The listening socket, and the address that it really has. Raises ListenError.

    The flags are the command line's options for the host and for the port: the message says which one to change.
    """
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise ListenError(f"host '{address.host}' cannot be resolved ({_reason(error)}); see {host_flag}") from None
    # IPv4 before IPv6: a name such as localhost has both, and the URL that we print should work for every client.
    family, kind, protocol, _, place = min(found, key=lambda item: item[0] != socket.AF_INET)
    listener = socket.socket(family, kind, protocol)
    try:
        # Without it, a restart would fail for as long as connections of the last run are in TIME_WAIT.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # `::` means every address, IPv4 ones too, wherever the system's default is otherwise.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(place)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise ListenError(_why(address, host_flag, port_flag, error)) from None
    return listener, Address(address.host, listener.getsockname()[1])


def _why(address: Address, host_flag: str, port_flag: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {address.port} on {address.host} is in use; choose another with {port_flag}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"listening on port {address.port} is not permitted to this user; choose another with {port_flag}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{address.host} is not an address of this machine; see {host_flag}"
    return f"cannot listen on {address.host} port {address.port}: {_reason(error)}; see {host_flag}"


def _reason(error: OSError | UnicodeError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
