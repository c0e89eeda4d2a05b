"""Whether a client has gone whose connection is not being read.

Its end stands behind what it has sent before, and so the event loop cannot see it. The kernel can.
"""

from __future__ import annotations

import fcntl
import select
import socket
import struct
import termios
from math import inf

# Not everywhere: macOS has no such event. There, nobody is known to have gone.
_ENDED: int = getattr(select, "POLLRDHUP", 0)
_LOST = select.POLLHUP | select.POLLERR


def gone(sock: socket.socket, expected: float) -> bool:
    """Whether the client has reset the connection; or has ended its side, and what the kernel still has of it is less
    than the ``expected`` number of bytes, with which its request would be whole. Infinite: whatever is still there."""
    poll = select.poll()
    poll.register(sock.fileno(), _ENDED)
    events = poll.poll(0)
    if not events:
        return False
    if events[0][1] & _LOST:
        return True
    return expected == inf or _unread(sock) < expected


def _unread(sock: socket.socket) -> int:
    """Bytes that have come, and that nobody has read."""
    number: int = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.FIONREAD, bytes(4)))[0]
    return number
