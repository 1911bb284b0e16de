"""What clients with large bodies at once may cost in memory."""

import asyncio
import logging
import socket
import tracemalloc

from webhook.server.http.connections import INBOX, Connections, ServerLimits
from webhook.server.http.head import Refusal
from webhook.server.http.listener import Listener
from webhook.server.http.messages import plain_response
from webhook.server.http.reader import RequestReader

BODY = 1_000_000


def test_a_body_that_is_refused_is_let_go_while_its_client_reads_why():
    reader = RequestReader(32 * 1024, 7 * 1024 * 1024)
    reader.feed(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (BODY + 1))
    tracemalloc.start()
    try:
        reader.feed(bytes(BODY))
        assert tracemalloc.get_traced_memory()[0] > BODY
        reader.refuse(Refusal("503 Service Unavailable", "too many"))
        assert tracemalloc.get_traced_memory()[0] < BODY / 10
    finally:
        tracemalloc.stop()


def test_the_kernel_gives_us_no_more_of_a_client_at_once_than_we_read():
    async def listen() -> int:
        connections = Connections(lambda _: plain_response("", ""), ServerLimits(), logging.root)
        made = socket.create_server(("127.0.0.1", 0))
        listener = Listener(made, None, connections)
        size = made.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        listener.close()
        return size

    assert asyncio.run(listen()) <= 2 * INBOX  # Linux doubles it
