"""A listening socket whose clients are counted when they are accepted, before any handshake."""

import asyncio
import errno
import socket
import ssl

from webhook.server.http.connections import INBOX, Connections
from webhook.server.http.protocol import HttpConnection

FULL = (errno.EMFILE, errno.ENFILE)
AT_ONCE = 32  # clients accepted in one turn of the loop, so that all others have theirs too


class Listener:
    """Accepts clients, and evicts of those that shake hands the oldest above a number."""

    def __init__(
        self, sock: socket.socket, context: ssl.SSLContext | None, connections: Connections
    ) -> None:
        self._sock, self._context, self._connections = sock, context, connections
        self._loop = asyncio.get_running_loop()
        self._arrivals: dict[asyncio.Task[None], None] = {}  # by age
        sock.settimeout(0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, INBOX)  # else each client takes 0.5 MB
        self._loop.add_reader(sock, self._accept)

    def close(self) -> None:
        """Accept nobody any more."""
        self._loop.remove_reader(self._sock)
        self._sock.close()

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                client, _ = self._sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in FULL:
                    self._make_room()
                return  # else the client is gone
            if len(self._arrivals) >= self._connections.limits.max_arrivals:
                self._evict()
            arrival = self._loop.create_task(self._connect(client))
            self._arrivals[arrival] = None
            arrival.add_done_callback(self._forget)

    async def _connect(self, client: socket.socket) -> None:
        """Shake hands, which makes a connection of the client."""
        limits, context = self._connections.limits, self._context
        client.settimeout(0)
        await self._loop.connect_accepted_socket(
            lambda: HttpConnection(self._connections),
            client,
            ssl=context,
            ssl_handshake_timeout=limits.handshake_timeout if context else None,
            ssl_shutdown_timeout=limits.body_timeout if context else None,
        )

    def _make_room(self) -> None:
        """End another client where there are no more files, by a hard limit below ours.

        A few clients are always in the handshake: only more of them are evicted.
        """
        if len(self._arrivals) > AT_ONCE or not self._connections.open:
            self._evict()
        else:
            self._connections.evict()

    def _evict(self) -> None:
        if self._arrivals:
            oldest = next(iter(self._arrivals))
            self._forget(oldest)
            oldest.cancel()

    def _forget(self, arrival: asyncio.Task[None]) -> None:
        self._arrivals.pop(arrival, None)
        if arrival.done() and not arrival.cancelled():
            arrival.exception()  # of a client that did not shake hands: nobody's trouble
