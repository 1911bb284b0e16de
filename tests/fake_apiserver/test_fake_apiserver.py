"""The fake API server does what a real one does, as far as the tests rely on it."""

import asyncio
import contextlib
import gc
import json
import socket
import threading

import pytest

from tests.fake_apiserver.answers import denied, json_answer, status, text_answer
from tests.fake_apiserver.api import Admitted
from tests.fake_apiserver.faults import Gate, cut, dripping, instead, silent, stream
from tests.fake_apiserver.paths import parse_path, path_of_object
from tests.fake_apiserver.rights import edits, views
from tests.fake_apiserver.selectors import matches_field, matches_labels
from tests.fake_apiserver.server import FakeApiServer
from webhook.kube.api_request import DRY_RUN
from webhook.kube.client import open_client
from webhook.kube.errors import ApiError

PODS = "/api/v1/namespaces/shop/pods"
NODES = "/api/v1/nodes"


def pod(name: str, **labels: str) -> dict:
    return {"metadata": {"name": name, "labels": labels}, "spec": {}}


@pytest.fixture
def api(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with FakeApiServer() as started:
        yield started


@pytest.fixture
def call(api, tmp_path):
    """Run what gets a client in a loop of its own."""
    path = str(api.write_kubeconfig(tmp_path))

    async def with_client(use):
        async with open_client(path) as client:
            return await use(client)

    return lambda use: asyncio.run(with_client(use))


@pytest.fixture
def get(call):
    return lambda path, **params: json.loads(
        call(lambda client: client.get(path, params, timeout=10))
    )


@pytest.fixture
def send(call):
    return lambda method, path, body: json.loads(
        call(lambda client: client.send(method, path, body, timeout=10)).body
    )


def refused(use, *arguments, **params) -> ApiError:
    with pytest.raises(ApiError) as caught:
        use(*arguments, **params)
    return caught.value


# The pure parts.


def test_paths_are_taken_apart_and_put_together():
    for path in ("/api/v1/nodes/a", "/apis/apps/v1/namespaces/shop/deployments/web", f"{PODS}/x"):
        assert parse_path(path).path == path
    log = parse_path(f"{PODS}/x:8080/proxy/metrics")
    assert (log.name, log.right, log.subresource) == ("x:8080", "pods/proxy", "proxy/metrics")
    assert parse_path("/api/v1/namespaces/shop").scope == "shop"
    assert parse_path("/api/v1/namespaces/..%2Fnodes").name == "../nodes"
    made = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a", "namespace": "b"}}
    assert path_of_object(made).path == "/apis/batch/v1/namespaces/b/jobs/a"


@pytest.mark.parametrize(
    ("requirement", "holds"),
    [
        ("a", True),
        ("!a", False),
        ("a=b", True),
        ("a==c", False),
        ("a!=c", True),
        ("a in (b, c)", True),
        ("a notin (b)", False),
        ("z notin (b)", True),
    ],
)
def test_label_selectors(requirement, holds):
    assert matches_labels({"a": "b"}, requirement) is holds


def test_field_selectors():
    item = {"metadata": {"name": "a"}, "status": {"phase": "Running"}}
    assert matches_field(item, "status.phase=Running")
    assert matches_field(item, "status.phase!=Failed")
    assert not matches_field(item, "spec.nodeName=a")


# Requests.


def test_lists_come_in_pages_and_an_old_page_is_410(api, get):
    api.store.put(PODS, *(pod(name, app="x" if name < "c" else "y") for name in "abcd"))
    first = get("/api/v1/pods", limit="3")
    rest = get("/api/v1/pods", limit="3", **{"continue": first["metadata"]["continue"]})
    assert [each["metadata"]["name"] for each in first["items"] + rest["items"]] == list("abcd")
    assert len(get(PODS, labelSelector="app=x")["items"]) == 2
    assert get("/api/v1/namespaces/lab/pods")["items"] is None
    api.store.forget_history()
    token = {"continue": first["metadata"]["continue"]}
    assert refused(get, "/api/v1/pods", **token).expired


def test_writes_have_versions_and_conflicts(api, get, send):
    made = send("POST", PODS, pod("a"))
    assert refused(send, "POST", PODS, pod("a")).conflict
    changed = send("PUT", f"{PODS}/a", made | {"spec": {"a": 1}})
    assert int(changed["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    assert refused(send, "PUT", f"{PODS}/a", made).conflict
    merged = send("PATCH", f"{PODS}/a", {"spec": {"a": None, "b": {"c": 2}}})
    assert merged["spec"] == {"b": {"c": 2}}
    test = {"op": "test", "path": "/spec/b/c", "value": 3}
    assert refused(send, "PATCH", f"{PODS}/a", [test]).status == 422
    assert refused(send, "PATCH", f"{PODS}/none", [test]).not_found
    old = {"op": "add", "path": "/metadata/resourceVersion", "value": "1"}
    assert refused(send, "PATCH", f"{PODS}/a", [old]).conflict
    assert get(f"{PODS}/a") == merged


def test_a_dry_run_answers_and_stores_nothing(api, send):
    assert send("POST", PODS + DRY_RUN, {"metadata": {"generateName": "a-"}})["metadata"]["name"]
    assert api.store.objects == {}
    assert api.writes() == [("create", PODS)]


def test_rights_refuse_in_the_api_servers_words(api, get, send):
    api.allowed = views("shop", ("nodes", ""))
    assert get(NODES)["items"] is None
    assert str(refused(send, "POST", PODS, pod("a"))) == (
        'HTTP 403: pods is forbidden: User "jane" cannot create resource "pods" '
        'in API group "" in the namespace "shop"'
    )
    assert refused(get, "/api/v1/pods").forbidden
    api.allowed = edits("shop")
    assert send("POST", PODS, pod("a"))
    assert refused(get, NODES).forbidden


def test_admission_changes_warns_and_denies(api, call, send):
    api.admit = lambda request: Admitted(request.body | {"spec": {"a": 1}}, ('a "b"', "c"))
    found = call(lambda client: client.send("POST", PODS, pod("a"), timeout=10))
    assert json.loads(found.body)["spec"] == {"a": 1}
    assert found.warnings == ('a "b"', "c")

    def deny(request):
        raise denied("x.io", "no", {"reason": "code", "message": "no", "field": "spec"})

    api.admit = deny
    error = refused(send, "POST", PODS, pod("b"))
    assert error.message == 'admission webhook "x.io" denied the request: no'
    assert [each.reason for each in error.causes] == ["code"]


def test_texts_of_subresources_and_discovery(api, call, get):
    api.texts = {f"{PODS}/a/log": "one\ntwo\n", f"{PODS}/a:80/proxy/metrics": 503}
    assert call(lambda client: client.get(f"{PODS}/a/log", timeout=10)) == b"one\ntwo\n"
    assert refused(get, f"{PODS}/a:80/proxy/metrics").status == 503
    assert refused(get, "/apis/ray.io").not_found
    api.groups.add("ray.io")
    assert get("/apis/ray.io")["preferredVersion"] == {"version": "v1"}


async def lines_of(client, path, count, **params):
    """The first lines of a stream."""
    async with client.stream(path, params, timeout=10) as opened:
        return [line async for line, _ in zip_async(opened, count)]


async def zip_async(lines, count):
    index = 0
    async for line in lines:
        index += 1
        yield line, index
        if index == count:
            return


@pytest.fixture
def watch(call):
    def events(count, **params):
        params = {"watch": "true"} | params
        lines = call(lambda client: lines_of(client, PODS, count, **params))
        return [(each["type"], each["object"]) for each in map(json.loads, lines)]

    return events


def test_a_watch_resumes_sees_selectors_and_is_too_old_in_the_end(api, watch):
    version = str(api.store.version)
    api.store.put(PODS, pod("a", app="x"))
    api.store.put(PODS, pod("a", app="y"))
    api.store.remove(f"{PODS}/a")
    api.store.bookmark(PODS)
    kinds = [kind for kind, _ in watch(4, resourceVersion=version)]
    assert kinds == ["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
    chosen = watch(3, resourceVersion=version, labelSelector="app=x")
    assert [kind for kind, _ in chosen] == ["ADDED", "DELETED", "BOOKMARK"]
    api.store.forget_history()
    [(kind, item)] = watch(1, resourceVersion=version)
    assert (kind, item["code"]) == ("ERROR", 410)


def test_a_watch_sends_what_comes_later_and_ends_in_time(api, call, watch):
    api.plan("watch", PODS, instead(lambda _: api.store.put(PODS, pod("early"))))

    async def both(client):
        waiting = asyncio.ensure_future(
            lines_of(client, PODS, 1, watch="true", resourceVersion=str(api.store.version))
        )
        await asyncio.to_thread(api.wait_for, lambda: api.seen("watch", PODS))
        api.store.put(PODS, pod("late"))
        return json.loads((await waiting)[0])["object"]["metadata"]["name"]

    api.faults.clear()
    assert call(both) == "late"
    assert watch(99, resourceVersion=str(api.store.version), timeoutSeconds="0.01") == []


def test_a_log_is_followed(api, call):
    api.texts[f"{PODS}/a/log"] = "one\n"

    async def both(client):
        async with client.stream(f"{PODS}/a/log", {"follow": "true"}, timeout=10) as log:
            first = await anext(log)
            api.append_text(f"{PODS}/a/log", "two\n")
            return first, await anext(log)

    assert call(both) == (b"one", b"two")


# Faults.


@pytest.mark.parametrize("fault", [silent, dripping])
def test_an_answer_that_never_ends(api, call, fault):
    api.plan("list", NODES, fault)
    assert refused(call, lambda client: client.get(NODES, timeout=0.1)).status is None


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ([status(503, "later", Retry_After="7")], "HTTP 503: later"),
        ([text_answer(502, "<html>no</html>")], "HTTP 502: Bad Gateway"),
        ([cut, cut], "Server disconnected"),  # aiohttp tries once more by itself
    ],
)
def test_what_is_planned_comes_before_the_truth(api, get, faults, told):
    api.plan("list", NODES, *faults)
    assert str(refused(get, NODES)).startswith(told)
    assert get(NODES)["items"] is None
    assert len(api.seen("list", NODES)) == len(faults) + 1


def test_wrong_json_and_broken_streams(api, get, call):
    api.plan("list", NODES, json_answer(200, ["odd"]))
    assert get(NODES) == ["odd"]
    api.plan("watch", NODES, stream(("BOOKMARK", {}), end=b'50\r\n{"type":'))
    error = refused(call, lambda client: lines_of(client, NODES, 9, watch="true"))
    assert error.status is None


def test_a_gate_holds_a_request(api, call):
    gate = Gate()
    api.plan("list", NODES, gate)

    async def both(client):
        waiting = asyncio.ensure_future(client.get(NODES, timeout=10))
        await asyncio.to_thread(gate.wait_reached)
        api.store.put(NODES, {"metadata": {"name": "late"}})
        gate.open()
        return json.loads(await waiting)["items"][0]["metadata"]["name"]

    assert call(both) == "late"


def test_it_can_be_gone_for_a_while(api, get):
    api.stop()
    assert refused(get, NODES).status is None
    api.start()
    assert get(NODES)["items"] is None


def test_who_connects_as_it_stops_leaves_no_socket_open(api):
    done = threading.Event()

    def connect() -> None:
        while not done.wait(0.0002):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", int(api.url.rpartition(":")[2])), 1).close()

    client = threading.Thread(target=connect)
    client.start()
    for _ in range(40):
        api.stop()
        api.start()
    done.set()
    client.join()
    gc.collect()  # an open one is a ResourceWarning


def test_it_speaks_tls(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with FakeApiServer(tls=True) as api:
        path = str(api.write_kubeconfig(tmp_path))

        async def ask():
            async with open_client(path) as client:
                return await client.get(NODES, timeout=10)

        assert json.loads(asyncio.run(ask()))["kind"] == "List"
