"""The client: bytes, errors, time limits, and which cluster it asks as whom."""

import os
import socket
import ssl
import time
from pathlib import Path

import pytest
from cluster_doubles import NODES, asked

from tests.fake_apiserver.answers import json_answer, status
from tests.fake_apiserver.faults import dripping, silent, stream
from webhook.cli.loaders import load_policy
from webhook.cli.state_source import RECEIVED, open_cluster
from webhook.kube.api_request import DRY_RUN
from webhook.kube.client import open_client, split_lines
from webhook.kube.cluster_config import load_service_account
from webhook.kube.errors import ApiError, StatusCause
from webhook.kube.sockets import create_socket
from webhook.server.state import ServerState

EVENTS = "/apis/events.k8s.io/v1/namespaces/shop/events"


async def collected(lines):
    async with lines as opened:
        return [line async for line in opened]


async def test_a_refusal_carries_status_message_retry_after_and_causes(api, client):
    cause = {"reason": "FieldValueInvalid", "message": "no", "field": "spec.a"}
    slow = {"message": "slow\n down", "details": {"causes": [cause]}}
    api.plan("list", NODES, json_answer(429, slow, Retry_After="7"))
    with pytest.raises(ApiError) as caught:
        await client.get(NODES, timeout=5)
    assert (caught.value.status, caught.value.message) == (429, "slow down")
    assert caught.value.retry_after == 7
    assert caught.value.causes == (StatusCause("FieldValueInvalid", "no", "spec.a"),)
    assert caught.value.temporary


async def test_a_refusal_that_is_no_status_is_told_as_it_came(api, client):
    api.plan("list", NODES, json_answer(502, "x" * 100_000))
    with pytest.raises(ApiError, match='HTTP 502: "xxx') as caught:
        await client.get(NODES, timeout=5)
    assert len(caught.value.message) == 300


@pytest.mark.parametrize(
    ("date", "days"),
    [("Fri, 01 Jan 2100 00:00:00 GMT", 10_000), ("Thu, 01 Jan 1970 00:00:00 -0000", 0), ("x", 0)],
)
async def test_how_far_the_clock_of_the_api_server_is_ahead_is_known(api, client, date, days):
    api.plan("list", NODES, json_answer(200, {}, Date=date))
    await client.get(NODES, timeout=5)
    assert client.ahead.days >= days
    await client.get(NODES, timeout=5)
    assert not client.ahead


async def test_the_token_and_the_parameters_are_sent(api, client):
    api.plan("list", NODES, json_answer(200, {}))
    assert await client.get(NODES, {"labelSelector": "a/b in (c, d)"}, timeout=5) == b"{}"
    assert api.requests[0].headers["Authorization"] == "Bearer secret"
    assert api.requests[0].headers["User-Agent"] == "gpu-sharing"
    assert asked(api, "list", NODES) == [{"labelSelector": "a/b in (c, d)"}]


@pytest.mark.parametrize("name", ["..", "..%2Fnodes", "a%20b"])
async def test_a_path_is_sent_as_it_is(api, client, name):
    with pytest.raises(ApiError):
        await client.get(f"{NODES}/{name}", timeout=5)
    assert api.requests[0].path == f"{NODES}/{name}"


@pytest.mark.parametrize(
    "sent",
    [
        ("POST", {"a": 1}, "application/json"),
        ("PATCH", {"a": 1}, "application/merge-patch+json"),
        ("PATCH", [{"op": "remove", "path": "/a"}], "application/json-patch+json"),
    ],
)
async def test_what_is_sent_names_its_media_type(api, client, sent):
    method, body, kind = sent
    warned = json_answer(201, {"done": True}, ('old "field"',))
    api.plan("create" if method == "POST" else "patch", EVENTS, warned)
    found = await client.send(method, EVENTS + DRY_RUN, body, timeout=5)
    assert (found.body, found.warnings) == (b'{"done": true}', ('old "field"',))
    [request] = api.requests
    assert (request.body, request.dry_run) == (body, True)
    assert request.headers["Content-Type"] == kind


async def test_what_outlives_the_client_opens_no_connection(api, client):
    api.plan("list", NODES, json_answer(200, {}))
    await client.get(NODES, timeout=5)
    await client.close()
    with pytest.raises(ApiError, match="the client is closed"):
        await client.get(NODES, timeout=5)
    assert len(asked(api, "list", NODES)) == 1


async def test_no_server_is_an_error_without_a_status(api, client):
    api.stop()
    with pytest.raises(ApiError) as caught:
        await client.get(NODES, timeout=5)
    assert caught.value.status is None
    api.start()


@pytest.mark.parametrize("fault", [silent, dripping])
async def test_a_slow_answer_is_given_up(api, client, fault):
    api.plan("list", NODES, fault)
    started = time.monotonic()
    with pytest.raises(ApiError, match=r"no whole answer within 0\.2 s"):
        await client.get(NODES, timeout=0.2)
    assert time.monotonic() - started < 2


async def test_a_silent_stream_is_given_up(api, client):
    api.plan("watch", NODES, silent)
    with pytest.raises(ApiError) as caught:
        await collected(client.stream(NODES, {"watch": "true"}, timeout=0.2))
    assert caught.value.status is None


async def test_a_stream_cut_off_in_a_line_is_an_error(api, client):
    api.plan("watch", NODES, stream(("BOOKMARK", {}), end=b'50\r\n{"type":'))
    with pytest.raises(ApiError):
        await collected(client.stream(NODES, {"watch": "true"}, timeout=5))


async def test_a_stream_that_is_refused_is_an_error(api, client):
    api.plan("watch", NODES, status(410))
    with pytest.raises(ApiError) as caught:
        await collected(client.stream(NODES, {"watch": "true"}, timeout=5))
    assert caught.value.expired


async def test_a_stream_with_an_end_just_ends(api, client):
    api.plan("watch", NODES, stream(("BOOKMARK", {})))
    lines = await collected(client.stream(NODES, {"watch": "true"}, timeout=5))
    assert lines == [b'{"type": "BOOKMARK", "object": {}}']


async def test_lines_are_found_in_any_pieces(runner):
    async def chunks():
        for chunk in (b"a", b"b\n\nc\nd", b"", b"e\n", b"f"):
            yield chunk

    assert [line async for line in split_lines(chunks())] == [b"ab", b"c", b"de", b"f"]


@pytest.mark.parametrize("text", ["", "clusters: [", "current-context: none"])
def test_an_unusable_kubeconfig_is_an_error(tmp_path, text):
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(ApiError):
        open_client(str(path))


def test_a_context_that_is_not_there_is_an_error(kubeconfig):
    with pytest.raises(ApiError, match="elsewhere"):
        open_client(str(kubeconfig), "elsewhere")


@pytest.fixture
def service_account(tmp_path):
    """What kubelet mounts; the CA is any that this machine trusts."""
    ca = ssl.get_default_verify_paths()
    bundle = ca.cafile or ca.openssl_cafile
    (tmp_path / "ca.crt").write_text(Path(bundle).read_text())
    (tmp_path / "token").write_text("first\n")
    return tmp_path


ENVIRON = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


async def test_the_token_of_a_service_account_is_read_again(runner, service_account):
    found = load_service_account(ENVIRON, service_account)
    assert found.server == "https://10.0.0.1:443"
    assert await found.authorization() == "Bearer first"
    (service_account / "token").write_text("second\n")
    os.utime(service_account / "ca.crt", ns=(1, 1))
    assert await found.authorization() == "Bearer second"


def test_a_service_address_of_ipv6_stands_in_brackets(service_account):
    found = load_service_account(ENVIRON | {"KUBERNETES_SERVICE_HOST": "fd00::1"}, service_account)
    assert found.server == "https://[fd00::1]:443"


@pytest.mark.parametrize("missing", ["token", "ca.crt", "KUBERNETES_SERVICE_HOST"])
def test_without_all_of_it_there_is_no_service_account(service_account, missing):
    environ = {name: value for name, value in ENVIRON.items() if name != missing}
    (service_account / missing).write_text("")
    assert load_service_account(environ, service_account) is None


async def test_what_the_reader_of_a_stream_raises_stays_what_it_is(api, client):
    async def read_and_fail():
        async with client.stream(NODES, {"watch": "true"}, timeout=5) as lines:
            async for _ in lines:
                raise BrokenPipeError

    api.plan("watch", NODES, stream(("BOOKMARK", {})))
    with pytest.raises(BrokenPipeError):
        await read_and_fail()


@pytest.mark.parametrize("at_once", [RECEIVED, None])
def test_a_socket_receives_as_little_as_is_wanted(at_once):
    address = socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1)
    with create_socket(at_once, address) as made:
        # Linux counts twice what is asked for, as its own records take room too.
        few = made.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) <= 2 * RECEIVED
        assert few is (at_once is not None)


def test_a_server_receives_little_at_once_and_a_command_much(client, kubeconfig):
    source = open_cluster(ServerState(load_policy(None)), lambda *_, **__: None, str(kubeconfig))
    assert (source.live.client.at_once, client.at_once) == (RECEIVED, None)
