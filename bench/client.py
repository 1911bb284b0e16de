"""A client of the shape of kube-apiserver: HTTP/1.1 over TLS, kept alive, one request at a time.

It reads lines of JSON (host, port, path, ca, pair of a certificate and key if one is shown, body,
connections, seconds to warm up and to measure, whether a number in the body differs in each
request, the server's processes) and answers each with a line: the requests that were measured,
seconds and the server's CPU seconds, p50 and p99 of a request.
"""

import asyncio
import json
import ssl
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

import uvloop

HEAD = (
    "POST {} HTTP/1.1\r\nHost: webhook.gpu-sharing.svc:443\r\n"
    "User-Agent: kube-apiserver-admission\r\nContent-Length: {}\r\nAccept: application/json\r\n"
    "Content-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n"
)
NUMBER = b"0000000000"
"""Replaced in each request where bodies are to differ."""


def requests(path: str, body: bytes, *, differ: bool) -> Iterator[bytes]:
    """The requests of all connections together."""
    before, number, after = (HEAD.format(path, len(body)).encode() + body).partition(NUMBER)
    assert number
    for each in count():
        yield before + (b"%010d" % each if differ else number) + after


def cpu(pids: list[int]) -> float:
    """User and system seconds of processes so far, all threads (clock_getcpuclockid(3))."""
    return sum(time.clock_gettime((~each << 3) | 2) for each in pids)


@dataclass
class Load:
    """What is sent, for how long after the first answers, and what each request took."""

    requests: Iterator[bytes]
    seconds: float
    warm: float
    pids: list[int]
    sent: int = 0
    phases: list[tuple[float, float]] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    def goes_on(self, now: float) -> bool:
        """Note time and CPU at the first request, after the warm ones, and at the end."""
        lengths = (0.0, self.warm, self.seconds)
        while len(self.phases) < len(lengths):
            if self.phases and now < self.phases[-1][0] + lengths[len(self.phases)]:
                return True
            self.phases.append((now, cpu(self.pids)))
            if len(self.phases) < len(lengths):
                self.took.clear()
        return False


class Connection(asyncio.Protocol):
    """Sends the next request when an answer is whole, until time is up."""

    def __init__(self, load: Load, done: asyncio.Future[None]) -> None:
        self.load, self.done, self.left, self.head = load, done, 0, b""
        self.chunked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.send()

    def send(self) -> None:
        self.began = time.perf_counter()
        if not self.load.goes_on(self.began):
            self.transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self.load.sent += 1
        self.transport.write(next(self.load.requests))

    def data_received(self, data: bytes) -> None:
        if not self.left and not self.chunked:
            self.head += data
            head, end, data = self.head.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 20"):
                self.transport.abort()
                self.done.set_exception(ConnectionError(head))
                return
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            self.left, self.head, self.chunked = int(length or 0), b"", not length
        self.left -= 0 if self.chunked else len(data)
        if data.endswith(b"\r\n0\r\n\r\n") if self.chunked else not self.left:
            self.chunked = False
            self.load.took.append(time.perf_counter() - self.began)
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("closed by the server"))


async def measure(asked: dict[str, Any]) -> dict[str, float]:
    """Send reviews over some connections for some seconds."""
    loop = asyncio.get_running_loop()
    context = ssl.create_default_context(cafile=asked["ca"])
    if asked["pair"]:
        context.load_cert_chain(*asked["pair"])
    made = requests(asked["path"], asked["body"].encode(), differ=asked["differ"])
    load = Load(made, asked["seconds"], asked["warm"], asked["pids"])
    waiting = [loop.create_future() for _ in range(asked["connections"])]
    try:
        for done in waiting:
            await loop.create_connection(
                lambda done=done: Connection(load, done), asked["host"], asked["port"], ssl=context
            )
        await asyncio.gather(*waiting)
    except OSError:  # it is not ready yet
        return {"reviews": 0}
    took = sorted(load.took) or [0.0]
    (began, before), (ended, after) = load.phases[1:]
    return {
        "reviews": len(load.took),
        "all": load.sent,
        "seconds": ended - began,
        "cpu": after - before,
        "p50": took[len(took) // 2],
        "p99": took[len(took) * 99 // 100],
    }


def main() -> None:
    """Answer each line."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(uvloop.run(measure(json.loads(line)))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
