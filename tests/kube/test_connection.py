"""The connection: bytes, errors, time limits."""

import time

import pytest
from fake_api import NODES
from faults import dripping, refuse, slow, stream

from webhook.kube.connection import split_lines
from webhook.kube.errors import ApiError
from webhook.kube.kubeconfig import connect


def test_a_refusal_carries_status_message_and_retry_after(api, connection):
    api.plan(NODES, "get", refuse(429, "slow down", Retry_After="7"))
    with pytest.raises(ApiError) as caught:
        connection.get(NODES, {}, timeout=5)
    assert (caught.value.status, caught.value.message) == (429, "slow down")
    assert caught.value.retry_after == 7


def test_a_refusal_that_is_no_status_is_told_as_it_came(api, connection):
    api.plan(NODES, "get", lambda handler: handler.send(502, "x" * 1000))
    with pytest.raises(ApiError, match='HTTP 502: "xxx') as caught:
        connection.get(NODES, {}, timeout=5)
    assert len(caught.value.message) == 300


def test_the_token_and_the_parameters_are_sent(api, connection):
    seen = []
    api.plan(NODES, "get", lambda handler: (seen.append(handler.headers), handler.send(200, {})))
    assert connection.get(NODES, {"labelSelector": "a/b in (c, d)"}, timeout=5) == b"{}"
    assert seen[0]["Authorization"] == "Bearer secret"
    assert api.asked(NODES, "get") == [{"labelSelector": "a/b in (c, d)"}]


def test_no_server_is_a_failure_without_a_status(api, connection):
    api.stop()
    with pytest.raises(ApiError) as caught:
        connection.get(NODES, {}, timeout=5)
    assert caught.value.status is None
    api.start()


@pytest.mark.parametrize("fault", [slow(5), dripping])
def test_a_slow_answer_is_given_up(api, connection, fault):
    api.plan(NODES, "get", fault)
    started = time.monotonic()
    with pytest.raises(ApiError):
        connection.get(NODES, {}, timeout=0.2)
    assert time.monotonic() - started < 2


def test_a_stream_cut_off_in_a_line_is_a_failure(api, connection):
    api.plan(NODES, "watch", stream(("BOOKMARK", {}), end=b'50\r\n{"type":'))
    lines = connection.stream(NODES, {"watch": "true"}, timeout=5)
    with pytest.raises(ApiError):
        list(lines)
    lines.close()


def test_a_stream_with_an_end_just_ends(api, connection):
    api.plan(NODES, "watch", stream(("BOOKMARK", {})))
    lines = connection.stream(NODES, {"watch": "true"}, timeout=5)
    assert list(lines) == [b'{"type": "BOOKMARK", "object": {}}']
    lines.close()


def test_lines_are_found_in_any_pieces():
    assert list(split_lines([b"a", b"b\n\nc\nd", b"", b"e\n", b"f"])) == [b"ab", b"c", b"de", b"f"]


@pytest.mark.parametrize("text", ["", "clusters: [", "current-context: none"])
def test_an_unusable_kubeconfig_is_a_failure(tmp_path, text):
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(ApiError):
        connect(str(path))


def test_a_context_that_is_not_there_is_a_failure(kubeconfig):
    with pytest.raises(ApiError, match="elsewhere"):
        connect(str(kubeconfig), context="elsewhere")
