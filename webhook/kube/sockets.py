"""The sockets to an API server."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aiohttp import AddrInfoType

_KEEPALIVE: Final = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 9))


def create_socket(at_once: int | None, address: AddrInfoType) -> socket.socket:
    """Return a socket whose vanished peer is noticed in about 3 minutes, as client-go's is."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    if at_once is not None:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, at_once)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return made
