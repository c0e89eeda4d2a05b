"""The listening sockets of one run: those that the service manager passes, and our own for want of them."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.control.activation import passed_sockets
from gateway.control.listening import Address, ListenError, Place, listen, place_of


@dataclass(frozen=True, slots=True)
class Doors:
    """``admin=None`` is no admin listener."""

    public: tuple[socket.socket, ...]
    admin: socket.socket | None

    @property
    def admin_place(self) -> Place | None:
        return None if self.admin is None else place_of(self.admin)


@contextlib.contextmanager
def open_doors(address: Address, admin_address: Address | None, *, with_tokens: bool) -> Iterator[Doors]:
    """Open until the end of the block. Sockets that were passed stand in the place of the addresses.

    Raises ListenError: an address cannot be had, or others can reach the admin listener and there is no token.
    """
    with contextlib.ExitStack() as stack:
        passed = passed_sockets(os.environ)
        for listener in (*passed.public, *passed.admin):
            stack.enter_context(listener)
        if len(passed.admin) > 1:
            raise ListenError("more than one of the sockets that were passed is named admin")
        public, admin = passed.public, next(iter(passed.admin), None)
        if not public:
            public = (stack.enter_context(listen(address, "--host", "--port")[0]),)
        if admin is None and admin_address is not None:
            admin = stack.enter_context(listen(admin_address, "--admin", "--admin")[0])
        if admin is not None and not with_tokens and not (place := place_of(admin)).loopback:
            raise ListenError(
                f"{place.url} can be reached by others, so the admin listener needs a token there: set "
                "GATEWAY_ADMIN_TOKEN, or use --admin-token-file"
            )
        yield Doors(public, admin)
