"""What clients may not do, seen from outside: forbidden, too large, too slow, too many."""

import resource
import select
import socket
import ssl
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from serving import (
    CHUNKED,
    DEADLINE,
    HEAD,
    Server,
    answer_to,
    client_context,
    dial,
    everything,
    https,
    post,
    read_answer,
    until,
    with_length,
)


def refused(server: Server, raw: bytes) -> int:
    """Send raw bytes; give the status of the answer, which must announce the end."""
    answer, _ = answer_to(server, raw)
    assert answer.headers["Connection"] == "close"
    return answer.status


# What is refused.


FORBIDDEN = {
    "not-http": b"\x00\x01\x02 not http\r\n\r\n",
    "http-0.9": b"GET /\r\n\r\n",
    "http-2-in-name": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "http-2-preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no-host": b"GET / HTTP/1.1\r\n\r\n",
    "two-hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "connect": b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "upgrade": HEAD + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    "folded-header": HEAD + b"X: a\r\n folded\r\n\r\n",
    "space-before-colon": HEAD + b"X : a\r\n\r\n",
    "length-and-coding": HEAD + b"Content-Length: 1\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    "coding-and-length": HEAD + CHUNKED + b"Content-Length: 1\r\n\r\n0\r\n\r\n",
    "two-lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "one-length-twice": HEAD + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "list-of-lengths": HEAD + b"Content-Length: 1, 1\r\n\r\na",
    "signed-length": HEAD + b"Content-Length: +1\r\n\r\na",
    "unknown-coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "two-codings": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "no-chunk-size": HEAD + CHUNKED + b"\r\nxyz\r\n",
    "coding-in-1.0": b"POST / HTTP/1.0\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_http_forbids_is_answered_400(server, name):
    assert refused(server, FORBIDDEN[name]) == 400


def test_nothing_after_a_refused_request_is_answered(server):
    with ExitStack() as stack:
        clients = [stack.enter_context(dial(server)) for _ in FORBIDDEN]
        for client, raw in zip(clients, FORBIDDEN.values(), strict=True):
            client.sendall(raw + with_length(b"smuggled"))
        answers = [everything(client) for client in clients]
    assert [answer.count(b"Content-Length: ") for answer in answers] == [1] * len(FORBIDDEN)


def test_a_bad_request_after_a_good_one_costs_only_itself(server):
    with dial(server) as connection:
        connection.sendall(with_length(b"good") + b"bad\r\n\r\n")
        assert read_answer(connection)[1] == b"good"
        assert read_answer(connection)[0].status == 400


def test_an_announced_body_over_the_limit_is_refused_before_it_is_sent(server):
    assert refused(server, HEAD + b"Content-Length: 100001\r\n\r\n") == 413


def test_a_client_that_sends_too_large_a_body_can_read_why(server):
    with dial(server) as connection:
        connection.sendall(with_length(b"x" * 3_000_000))
        assert read_answer(connection)[0].status == 413


def test_a_chunked_body_over_the_limit_is_refused(server):
    chunks = b"fffff\r\n" + b"x" * 0xFFFFF
    with dial(server) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
        assert read_answer(connection)[0].status == 413


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(HEAD + b"X: " + b"a" * 33_000 + b"\r\n\r\n", id="one-long"),
        pytest.param(HEAD + b"X: a\r\n" * 9_000 + b"\r\n", id="many-short"),
        pytest.param(HEAD + b"X: " + b"a" * 200_000, id="without-end"),
        pytest.param(b"GET /" + b"a" * 33_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", id="target"),
    ],
)
def test_too_large_a_head_is_answered_431(server, raw):
    assert refused(server, raw) == 431


def test_an_unknown_expectation_is_answered_417(server):
    assert refused(server, HEAD + b"Expect: tea\r\n\r\n") == 417


# Silent, slow and greedy clients.


@pytest.mark.parametrize("silent", [128, 300])
def test_silent_and_half_sent_connections_hold_up_no_review(server, silent):
    with ExitStack() as stack:
        for _ in range(silent):
            stack.enter_context(dial(server))
        for number in range(128):
            half = stack.enter_context(dial(server))
            half.sendall(with_length(b"review")[: 40 + number % 20])
        for _ in range(20):  # connections that do not even begin TLS
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        client = https(server)
        assert post(client, b"next").read() == b"next"


def test_a_slow_head_and_a_slow_body_are_cut_off_with_408(own):
    with own(header_timeout=1, body_timeout=1) as server:
        assert refused(server, HEAD) == 408
        assert refused(server, with_length(b"review")[:-1]) == 408
        client = https(server)
        post(client).read()
        kept = client.sock
        assert post(client, b"next").read() == b"next"
        assert client.sock is kept


def test_an_idle_connection_is_closed_after_keepalive(own):
    with own(keepalive=1) as server, dial(server) as spare, dial(server) as used:
        used.sendall(with_length(b"review"))
        assert everything(used).endswith(b"review")
        assert everything(spare) == b""


def test_a_client_that_never_reads_is_dropped_and_holds_up_nobody(own):
    with own(body_timeout=0.5) as server, dial(server) as greedy:
        greedy.settimeout(0.5)
        request = b"GET /big HTTP/1.1\r\nHost: webhook\r\n\r\n"

        def sends_on() -> bool:
            try:
                greedy.sendall(request * 1000)
            except TimeoutError:
                return False  # the server has stopped to read
            except OSError:
                return True
            return False

        until(sends_on)
        made = int(post(https(server), path="/written").read())
        assert made < 30  # of 1 MB each: what the kernel and one high-water mark hold


def test_above_the_limit_the_oldest_idle_connection_is_closed(own):
    with own(max_connections=3) as server, ExitStack() as stack:
        first = stack.enter_context(dial(server))
        busy = stack.enter_context(dial(server))
        busy.sendall(with_length(b"review")[:-1])
        post(https(server)).read()
        client = https(server)
        assert post(client, b"next").read() == b"next"
        assert ended(first)
        busy.sendall(b"w")
        assert busy.recv(1000).endswith(b"review")


def hello() -> bytes:
    """The first message of a handshake."""
    sent = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        client_context().wrap_bio(ssl.MemoryBIO(), sent).do_handshake()
    return sent.read()


@pytest.mark.parametrize("said", [b"", hello()], ids=["silent", "half-open"])
def test_a_client_counts_before_its_handshake(own, said):
    with own(max_arrivals=4, handshake_timeout=60) as server, ExitStack() as stack:
        clients = []
        for _ in range(64):
            plain = socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE)
            clients.append(stack.enter_context(plain))
            plain.sendall(said)
        assert post(https(server), b"next").read() == b"next"
        assert all(map(end_of, clients[:60]))
        clients[-1].settimeout(0)
        with pytest.raises(BlockingIOError):  # which is not evicted
            end_of(clients[-1])


def test_above_the_limit_the_oldest_half_sent_request_is_dropped(own):
    with own(max_connections=4, body_timeout=60) as server, ExitStack() as stack:
        clients = []
        for _ in range(32):
            clients.append(stack.enter_context(dial(server)))
            clients[-1].sendall(with_length(b"review")[:-1])
        assert post(https(server), b"next").read() == b"next"
        assert all(map(ended, clients[:28]))


def test_without_a_file_left_the_oldest_idle_connection_makes_room(own):
    """The hard limit of open files is the machine's, and may be lower than our own limits."""
    with own() as server, ExitStack() as stack:
        post(https(server)).read()  # the worker is there
        parent = server.process.pid
        [worker] = map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())
        files = len([*Path(f"/proc/{worker}/fd").iterdir()]) + 6
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (files, files))
        clients = [stack.enter_context(dial(server)) for _ in range(30)]
        assert post(https(server), b"next").read() == b"next"
        assert ended(clients[0])


def end_of(connection: socket.socket) -> bool:
    """Read until the server has closed, gently or not."""
    with suppress(ConnectionResetError):
        everything(connection)
    return True


def ended(connection: ssl.SSLSocket) -> bool:
    """Whether the server has closed, gently or not."""
    try:
        return connection.recv(1) == b""
    except (ConnectionResetError, ssl.SSLError):
        return True


def test_sixty_four_bodies_of_700_kb_at_once_are_not_too_much(own):
    with own() as server, ExitStack() as stack:
        clients = [stack.enter_context(dial(server)) for _ in range(64)]
        for client in clients:
            client.sendall(HEAD + b"Content-Length: 700000\r\n\r\n" + b"x" * 699_999)
        for client in clients:
            client.sendall(b"x")
        assert {read_answer(client)[0].status for client in clients} == {200}


def test_bodies_that_are_too_much_together_are_refused_small_ones_not(own):
    with own(max_buffered=1_000_000) as server, ExitStack() as stack:
        large = HEAD + b"Content-Length: 900000\r\n\r\n" + b"x" * 600_000
        clients = [stack.enter_context(dial(server)) for _ in range(2)]
        for client in clients:
            client.sendall(large)
        readable, _, _ = select.select(clients, [], [], DEADLINE)
        assert [read_answer(client)[0].status for client in readable] == [503]
        assert post(https(server), b"small").read() == b"small"
