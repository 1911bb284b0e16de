"""What the loop tells of errors that nobody awaits."""

import asyncio
from typing import Any, Final

_GIVEN_UP: Final = ("Fatal error on SSL protocol", "the handler is closed")


def tell_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error, unless a connection was given up in its handshake.

    A lookup that takes too long closes its connection to the API server. For what still arrives
    there uvloop 0.23 writes to it once more (`SSLProtocol._process_outgoing`), which harms nothing.
    """
    message, cause = _GIVEN_UP
    if context["message"] != message or cause not in str(context.get("exception")):
        loop.default_exception_handler(context)
