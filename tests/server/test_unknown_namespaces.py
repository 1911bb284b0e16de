"""Reviews of unknown namespaces hold up no other review: over TLS, with a real worker."""

import json
import select
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from looking_up import LookingUp
from serving import Server, dial, read_answer, serving, until, with_length
from webhook_process import gpu_pod, question

from tests.fake_apiserver.faults import Gate
from tests.fake_apiserver.server import FakeApiServer

UNKNOWN = [f"unknown-{number}" for number in range(50)]
TYPE = b"Content-Type: application/json\r\n"


def review(namespace: str) -> bytes:
    """The bytes of a request that asks for a pod in a namespace."""
    body = json.dumps(question(gpu_pod("inference"), namespace)).encode()
    return with_length(body, TYPE).replace(b"/echo", b"/mutate")


def answered(connection) -> tuple[int, bytes]:
    answer, body = read_answer(connection)
    return answer.status, body


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApiServer]:
    """An API server over TLS that has the unknown namespaces, and says nothing of them yet."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with FakeApiServer(tls=True) as started:
        for name in UNKNOWN:
            started.store.put("/api/v1/namespaces", {"metadata": {"name": name, "labels": {}}})
        yield started


@pytest.fixture
def looking_up(api, tmp_path, pair, monkeypatch):
    """Give what starts a server that looks up for so many seconds."""

    @contextmanager
    def start(seconds: float) -> Iterator[Server]:
        monkeypatch.setenv("KUBECONFIG", str(api.write_kubeconfig(tmp_path)))
        monkeypatch.setenv("LOOKUP_SECONDS", str(seconds))
        with serving(tmp_path, pair, kind=LookingUp) as server:
            until(lambda: answers(server, "known"))
            yield server

    return start


def answers(server: Server, namespace: str) -> bool:
    """Whether a review of a namespace is answered well, as it is once the nodes are read."""
    with dial(server) as connection:
        connection.sendall(review(namespace))
        return answered(connection)[0] == 200


def hold(api: FakeApiServer) -> Gate:
    """Let the API server say nothing of the unknown namespaces until the gate is opened."""
    gate = Gate()
    for name in UNKNOWN:
        api.plan("get", f"/api/v1/namespaces/{name}", gate)
    return gate


def test_known_namespaces_are_answered_while_fifty_unknown_ones_wait(api, looking_up):
    gate = hold(api)
    with looking_up(seconds=60) as server, ExitStack() as stack:
        waiting = [stack.enter_context(dial(server)) for _ in UNKNOWN]
        for connection, name in zip(waiting, UNKNOWN, strict=True):
            connection.sendall(review(name))
        gate.wait_reached()
        with dial(server) as known:
            for _ in range(20):
                known.sendall(review("known"))
                status, body = answered(known)
                assert status == 200
                assert json.loads(body)["response"]["allowed"]
        assert select.select(waiting, [], [], 0)[0] == []
        gate.open()
        assert {answered(connection)[0] for connection in waiting} == {200}
    looked_up = [each.path.rpartition("/")[2] for each in api.requests]
    assert sorted(looked_up) == sorted(UNKNOWN)


def test_reviews_of_one_unknown_namespace_share_one_lookup(api, looking_up):
    gate = hold(api)
    with looking_up(seconds=60) as server, ExitStack() as stack:
        waiting = [stack.enter_context(dial(server)) for _ in range(20)]
        for connection in waiting:
            connection.sendall(review(UNKNOWN[0]))
        gate.wait_reached()
        assert answers(server, "known")
        gate.open()
        assert {answered(connection)[0] for connection in waiting} == {200}
    assert len(api.seen("get", f"/api/v1/namespaces/{UNKNOWN[0]}")) == 1


def test_a_silent_api_server_is_a_503_for_each_and_the_failure_policy_decides(api, looking_up):
    hold(api)
    with looking_up(seconds=0.5) as server, ExitStack() as stack:
        waiting = [stack.enter_context(dial(server)) for _ in UNKNOWN]
        for connection, name in zip(waiting, UNKNOWN, strict=True):
            connection.sendall(review(name))
        found = [answered(connection) for connection in waiting]
        assert answers(server, "known")
        assert {connection.recv(1) for connection in waiting} == {b""}  # ask another replica
    texts = [f"namespace '{name}': labels unknown".encode() for name in UNKNOWN]
    assert found == [(503, text) for text in texts]
