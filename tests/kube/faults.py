"""What can go wrong with a request, for `FakeApi.plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading

    from fake_http import Fault, Handler


def refuse(status: int, message: str = "no", **headers: str) -> Fault:
    return lambda handler: handler.send(status, {"code": status, "message": message}, **headers)


def stream(*events: tuple[str, object], end: bytes = b"0\r\n\r\n") -> Fault:
    """Send events and then raw bytes: by default those of a clean end."""

    def fault(handler: Handler) -> None:
        handler.open_stream()
        for kind, item in events:
            handler.send_event(kind, item)
        handler.wfile.write(end)
        handler.close_connection = True

    return fault


def silent(handler: Handler) -> None:
    """Open a stream and never send anything, nor close it."""
    handler.open_stream()
    handler.api.hang(60)


def slow(seconds: float) -> Fault:
    def fault(handler: Handler) -> None:
        handler.api.hang(seconds)
        handler.send(200, {"metadata": {}})

    return fault


def held_by(released: threading.Event) -> Fault:
    """Answer nothing until that is set, and then break off."""

    def fault(handler: Handler) -> None:
        released.wait(60)
        handler.close_connection = True

    return fault


def dripping(handler: Handler) -> None:
    """Send the body of an answer in drops, each of them in time."""
    handler.open_stream()
    for _ in range(100):
        handler.send_chunk(b" ")
        handler.api.hang(0.05)
