"""Errors that nobody awaits are told, but those of connections that were given up."""

import asyncio
import logging
import socket
from collections.abc import Callable

import pytest
import uvloop

from webhook.server.http.loop_errors import tell_error

SSL = "Fatal error on SSL protocol"


async def write_closed() -> Exception:
    """What uvloop raises when something is written to a connection that is closed."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connecting = asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
        transport, _ = await connecting
        transport.abort()
        while True:
            try:
                transport.write(b"x")
            except RuntimeError as closed:
                return closed
            await asyncio.sleep(0)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[str, Exception | None], str]:
    """What is logged of an error."""

    def tell(message: str, error: Exception | None) -> str:
        async def call() -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(tell_error)
            found = error or await write_closed()
            loop.call_exception_handler({"message": message, "exception": found})

        with caplog.at_level(logging.ERROR):
            uvloop.run(call())
        return caplog.text

    return tell


def test_a_connection_that_was_given_up_is_no_error(told):
    assert told(SSL, None) == ""


@pytest.mark.parametrize(
    ("message", "error"),
    [(SSL, ValueError("another")), ("Exception in callback x", None)],
    ids=["another-error", "another-place"],
)
def test_all_else_is_told(told, message, error):
    assert message in told(message, error)
