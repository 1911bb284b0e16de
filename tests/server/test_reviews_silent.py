"""Clients that say nothing, or half of it, do not keep the next review from its answer."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from webhook_process import Webhook, gpu_pod, question, webhook_running

from examples.demo.local_server import HOST, LocalServer, dial

HALF = b"POST /mutate HTTP/1.1\r\nHost: webhook\r\nContent-Type: application/js"
SLOW = b"POST /mutate HTTP/1.1\r\nHost: webhook\r\nContent-Length: 1000\r\n\r\n{"
SOON = 5.0  # seconds: half of what the API server waits, and under every time-out of the server


@pytest.fixture
def webhook(tmp_path: Path) -> Iterator[Webhook]:
    """A process of the test's own."""
    with webhook_running(tmp_path) as running:
        yield running


def client(place: LocalServer, stack: ExitStack) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=place.ca)
    return stack.enter_context(dial(place.port, context, HOST, SOON))


def test_a_review_is_answered_beside_hundreds_of_clients_that_say_nothing_more(
    webhook: Webhook,
) -> None:
    place = webhook.place
    with ExitStack() as stack:
        for _ in range(64):  # not even a handshake
            stack.enter_context(socket.create_connection((HOST, place.port), timeout=SOON))
        for said in [b""] * 128 + [HALF] * 128 + [SLOW] * 32:
            client(place, stack).sendall(said)

        connection = place.connect(timeout=SOON)
        stack.callback(connection.close)
        for _ in range(3):
            answer = Webhook.review(webhook, "/mutate", question(gpu_pod("dev")))
            assert answer["allowed"]
        connection.request("GET", "/livez")
        with connection.getresponse() as alive:
            assert alive.status == 200
