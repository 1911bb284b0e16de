"""The worker seen from outside: a process under gunicorn, real TLS, real sockets."""

import json
import signal
import threading
from contextlib import closing
from http.client import HTTPConnection

import pytest
from serving import (
    CHUNKED,
    HEAD,
    Server,
    answer_to,
    dial,
    everything,
    https,
    post,
    read_answer,
    serving,
    until,
    with_length,
)

# Plain service.


def test_reviews_are_answered_on_one_kept_connection(server):
    client = https(server)
    for body in (b"one", b"", b"two" * 20_000):
        answer = post(client, body)
        assert (answer.status, answer.read()) == (200, body)
        assert answer.headers["Connection"] is None
        assert answer.headers["Date"].endswith("GMT")
    first = client.sock
    post(client).read()
    assert client.sock is first


def test_the_application_sees_the_whole_request(server):
    client = https(server)
    client.putrequest("GET", "/request?a=%20b")
    headers = {"Content-Type": "application/json", "X-Two": "1", "X_Two": "9", "Proxy": "evil"}
    for name, value in headers.items():
        client.putheader(name, value)
    client.putheader("X-Two", "2")
    client.putheader("X-Empty", "")
    client.endheaders()
    seen = json.loads(client.getresponse().read())
    headers = seen.pop("headers")
    assert seen == {
        "method": "GET",
        "path": "/request",
        "query": "a=%20b",
        "version": "1.1",
        "body": "0",
        "keep_alive": True,
        "client": [],
    }
    expected = {
        "content-type": "application/json",
        "x-two": "1,2",
        "x-empty": "",
        "host": f"127.0.0.1:{server.port}",
    }
    assert {key: headers.get(key) for key in expected} == expected
    assert "proxy" not in headers


def test_what_threads_compute_leaves_the_loop_its_turn_within_a_millisecond(server):
    client = https(server)
    client.request("GET", "/turns")
    assert float(client.getresponse().read()) < 0.001


def test_what_start_up_made_is_not_looked_through_for_garbage(server):
    client = https(server)
    client.request("GET", "/frozen")
    assert int(client.getresponse().read()) > 10_000


def test_a_chunked_body_arrives_whole_with_its_length(server):
    chunks = b"4\r\nrevi\r\n2;a=b\r\new\r\n0\r\nTrailer: said\r\n\r\n"
    close = b"Connection: close\r\n\r\n"
    _, body = answer_to(server, HEAD + CHUNKED + close + chunks)
    assert body == b"review"
    request = HEAD.replace(b"/echo", b"/request") + CHUNKED
    known = json.loads(answer_to(server, request + close + chunks)[1])
    assert known["body"] == "6"


def test_a_client_that_asks_is_told_to_continue(server):
    with dial(server) as connection:
        connection.sendall(HEAD + b"Content-Length: 6\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"review")
        assert connection.recv(1000).endswith(b"\r\n\r\nreview")


def test_head_has_the_length_and_no_body(server):
    request = b"HEAD /big HTTP/1.1\r\nHost: webhook\r\nConnection: close\r\n\r\n"
    with dial(server) as connection:
        connection.sendall(request)
        head, _, body = everything(connection).partition(b"\r\n\r\n")
    assert b"Content-Length: 1000000" in head
    assert body == b""


def test_http_1_0_is_answered_and_closed(server):
    answer, _ = answer_to(server, b"GET /echo HTTP/1.0\r\n\r\n")
    assert (answer.status, answer.headers["Connection"]) == (200, "close")


def test_pipelined_requests_are_answered_in_order(server):
    bodies = [b"<%d>" % number for number in range(500)]
    last = with_length(b"last", b"Connection: close\r\n")
    with dial(server) as connection:
        connection.sendall(b"".join(map(with_length, bodies)) + last)
        answer = everything(connection)
    assert [part.rsplit(b"\r\n\r\n")[-1] for part in answer.split(b"HTTP/1.1 ")[1:]] == [
        *bodies,
        b"last",
    ]


def test_a_request_in_many_small_pieces_is_read(server):
    with dial(server) as connection:
        for byte in with_length(b"review", b"Connection: close\r\n"):
            connection.sendall(bytes([byte]))
        assert everything(connection).endswith(b"\r\n\r\nreview")


def test_the_application_is_told_that_an_answer_is_written(server):
    client = https(server)
    before = int(post(client, path="/written").read())
    assert int(post(client, path="/written").read()) == before + 1


@pytest.mark.parametrize("path", ["/raise", "/silent", "/split"])
def test_a_failing_application_gives_500_and_the_connection_goes_on(server, path):
    client = https(server)
    failed = post(client, path=path)
    assert (failed.status, b"Traceback" in failed.read()) == (500, False)
    assert failed.headers["Set-Cookie"] is None
    assert post(client, b"next").read() == b"next"
    assert server.said(f"the application failed at {path}")


# Draining and stopping.


def test_a_drain_file_ends_each_connection_after_its_next_answer(own):
    with own() as server:
        client = https(server)
        post(client).read()
        server.drain_file.touch()
        with dial(server) as spare:
            until(lambda: post(https(server)).headers["Connection"] == "close")
            assert post(client).headers["Connection"] == "close"
            spare.sendall(with_length(b"late"))
            assert everything(spare).endswith(b"late")


class Reviewer(threading.Thread):
    """Reviews as fast as it can on one kept connection, until a new one is refused."""

    def __init__(self, server):
        super().__init__()
        self._server = server
        self.answered, self.lost = 0, []
        self.start()

    def run(self):
        """Review until the server is gone."""
        with closing(https(self._server)) as client:
            self._review(client)

    def _review(self, client):
        """Review until a request fails; an error counts where the connection was kept."""
        kept = False
        while True:
            try:
                answer = post(client)
                answer.read()
            except OSError as error:
                if kept:
                    self.lost.append(error)
                return
            self.answered += 1
            kept = answer.headers["Connection"] != "close"


def test_sigterm_under_load_loses_no_review_on_an_open_connection(own):
    with own(linger=0.5) as server:
        reviewers = [Reviewer(server) for _ in range(8)]
        until(lambda: all(each.answered > 50 for each in reviewers))
        server.stop()
        for each in reviewers:
            each.join(30)
        until(server.ended)
        assert [each.lost for each in reviewers] == [[]] * 8
        assert server.process.returncode == 0


def test_a_stopping_worker_answers_idle_connections_and_new_ones_with_close(own):
    with own(linger=5) as server, dial(server) as idle, dial(server) as half:
        half.sendall(with_length(b"review")[:-1])
        post(https(server)).read()
        server.stop()
        until(lambda: server.said("Handling signal: term"))
        until(lambda: post(https(server)).headers["Connection"] == "close")
        idle.sendall(with_length(b"late"))
        half.sendall(b"w")
        for connection, body in ((idle, b"late"), (half, b"review")):
            answer = everything(connection)
            assert b"Connection: close" in answer
            assert answer.endswith(body)


def test_a_request_that_hangs_ends_with_graceful_timeout(own):
    with own(graceful_timeout=1) as server, dial(server) as half:
        half.sendall(with_length(b"review")[:-1])
        post(https(server)).read()
        server.stop()
        until(server.ended, seconds=10)


@pytest.mark.parametrize("name", ["SIGINT", "SIGQUIT"])
def test_a_quick_stop_waits_for_nobody(own, name):
    with own(linger=60) as server, dial(server):
        post(https(server)).read()
        server.process.send_signal(signal.Signals[name])
        until(server.ended, seconds=15)


def test_a_worker_whose_parent_died_ends(own):
    with own(linger=0.1) as server:
        client = https(server)
        post(client).read()
        server.process.kill()
        server.process.wait()
        until(lambda: refuses_connections(server))


def refuses_connections(server: Server) -> bool:
    try:
        dial(server).close()
    except OSError:
        return True
    return False


def test_without_a_certificate_plain_http_is_served(tmp_path):
    with serving(tmp_path, None) as server:
        client = HTTPConnection("127.0.0.1", server.port, timeout=30)
        server.clients.append(client)
        assert post(client, b"review").read() == b"review"


def test_hooks_are_called_and_background_work_ends_with_the_worker(own):
    with own(linger=0.1) as server:
        until(lambda: server.said("background began"))
        assert server.said("post_worker_init")
        server.stop()
        until(server.ended)
        assert server.said("background ended")


# Answers that wait.


def counts(server: Server) -> list[int]:
    return json.loads(post(https(server), path="/later/counts").read())


def test_an_answer_that_waits_holds_up_no_other_connection(server):
    with dial(server) as one, dial(server) as two:
        for connection in (one, two):
            connection.sendall(with_length(b"waits").replace(b"/echo", b"/later"))
        until(lambda: counts(server) == [2, 0])
        assert post(https(server), b"next").read() == b"next"
        post(https(server), path="/later/now").read()
        assert [read_answer(each)[1] for each in (one, two)] == [b"waits", b"waits"]


def test_requests_behind_one_that_waits_keep_their_order(server):
    with dial(server) as connection:
        first = with_length(b"first").replace(b"/echo", b"/later")
        connection.sendall(first + with_length(b"second") + with_length(b"third"))
        until(lambda: counts(server)[0] == 1)
        post(https(server), path="/later/now").read()
        answers = [read_answer(connection)[1] for _ in range(3)]
    assert answers == [b"first", b"second", b"third"]


def test_a_client_that_goes_away_cancels_what_it_waits_for(own):
    with own() as server:
        with dial(server) as connection:
            connection.sendall(with_length(b"waits").replace(b"/echo", b"/later"))
            until(lambda: counts(server) == [1, 0])
        until(lambda: counts(server) == [0, 1])


def test_an_answer_that_fails_later_is_a_500(server):
    assert post(https(server), path="/later/fail").status == 500
    assert server.said("the application failed at /later/fail")


def test_an_answer_that_never_comes_ends_the_connection(own):
    with own(answer_timeout=0.3) as server, dial(server) as connection:
        connection.sendall(with_length(b"waits").replace(b"/echo", b"/later"))
        assert everything(connection) == b""
        until(lambda: counts(server) == [0, 1])


def test_a_stopping_worker_answers_what_waits(own):
    with own(linger=5) as server, dial(server) as connection:
        connection.sendall(with_length(b"waits").replace(b"/echo", b"/later"))
        until(lambda: counts(server) == [1, 0])
        server.stop()
        until(lambda: post(https(server)).headers["Connection"] == "close")
        post(https(server), path="/later/now").read()
        answer = everything(connection)
        assert b"Connection: close" in answer
        assert answer.endswith(b"waits")


def test_the_bodies_of_what_waits_count(own):
    with own(max_buffered=1_000_000) as server, dial(server) as first, dial(server) as second:
        large = b"x" * 900_000
        first.sendall(with_length(large).replace(b"/echo", b"/later"))
        until(lambda: counts(server) == [1, 0])
        second.sendall(HEAD + b"Content-Length: 900000\r\n\r\n" + b"x" * 600_000)
        assert read_answer(second)[0].status == 503
        post(https(server), path="/later/now").read()
        assert read_answer(first)[1] == large
