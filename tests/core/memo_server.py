"""A server of reviews without its sockets, and one pod that it is asked about."""

import asyncio
import copy
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import casefiles
import large_cluster
import msgspec

from webhook.core import event, record
from webhook.core.admit import admit
from webhook.core.api.admission import AdmissionRequest
from webhook.core.gpu.values import Inventory
from webhook.core.policy.values import Policy
from webhook.core.verdict import Verdict
from webhook.server.admission import decode, encode
from webhook.server.admission.app import ROUTES, AdmissionApp, create_handler
from webhook.server.admission.error_boundary import ReviewObserver
from webhook.server.http.messages import HttpRequest, HttpResponse
from webhook.server.state import ServerState

Json = dict[str, Any]
POLICY = casefiles.rules({})
INVENTORY = large_cluster.inventory(5, 5)
USER = "system:serviceaccount:kube-system:replicaset-controller"
KIND = {"group": "", "version": "v1", "kind": "Pod"}
POD: Json = {
    "metadata": {
        "name": "web-1",
        "generateName": "web-",
        "labels": {"gpu-sharing.io/workload": "inference", "app": "web", "job-name": "a"},
        "annotations": {"note": "one"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "web", "uid": "1", "controller": True}],
        "managedFields": [{"time": "2026-01-01T00:00:00Z"}],
    },
    "spec": {
        "containers": [
            {
                "name": "main",
                "image": "a",
                "env": [{"name": "RANK", "value": "0"}],
                "resources": {"limits": {"nvidia.com/gpu": "1"}},
                "volumeMounts": [{"name": "kube-api-access-abcde", "mountPath": "/var/run/token"}],
            },
            {"name": "beside", "image": "b", "env": [{"name": "A", "value": "0"}]},
        ],
        "volumes": [{"name": "kube-api-access-abcde", "projected": {}}],
    },
}
MODEL = [{"name": "MODEL_ID", "value": "llama-7b"}]
Change = Callable[[Json], Any]


def main_of(pod: Json) -> Json:
    """The container that requests a GPU."""
    found: Json = pod["spec"]["containers"][0]
    return found


def envelope(pod: Json, **about: Any) -> bytes:
    """The bytes of an AdmissionReview."""
    request = {"uid": "u", "operation": "CREATE", "namespace": "n", "kind": KIND} | about
    request |= {"object": pod, "userInfo": {"username": about.get("user", USER)}}
    whole = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    return msgspec.json.encode(whole)


def post(path: str, body: bytes) -> HttpRequest:
    """A request as the parser gives it."""
    headers = {"content-type": "application/json"}
    return HttpRequest("POST", path, "", "1.1", headers, body, keep_alive=True)


def ignore(*_: object) -> None:
    """Learn of what is not asked for here, and forget it."""


class Server:
    """The handler of reviews, and what it tells of each after its answer."""

    def __init__(self, policy: Policy = POLICY, inventory: Inventory = INVENTORY) -> None:
        self.state = ServerState(policy)
        self.state.inventory = inventory
        self.labels: Json = {"gpu-sharing.io/mode": "enforce"}
        self.told: list[Any] = []
        self.app = AdmissionApp(
            state=self.state,
            namespaces=lambda *_: self.labels,
            observer=ReviewObserver(self._reviewed, *[ignore] * 3),
            judge=lambda _: (),
            fallback=lambda _: HttpResponse("404 Not Found", [], b""),
            page="page",
        )
        self.handle = create_handler(self.app)

    def _reviewed(self, request: AdmissionRequest, verdict: Verdict, _seconds: float) -> None:
        self.told.append(told(request, verdict))

    def answer(self, path: str, body: bytes) -> HttpResponse:
        """The answer to a body, also where it takes its turn."""

        async def wait(answer: Awaitable[HttpResponse]) -> HttpResponse:
            return await answer

        found = self.handle(post(path, body))
        return found if isinstance(found, HttpResponse) else asyncio.run(wait(found))

    def review(self, pod: Json, path: str = "/mutate", **about: Any) -> tuple[bytes, Any]:
        """The answer without its uid, and what is told."""
        answer = self.answer(path, envelope(pod, **about))
        assert answer.status == "200 OK", answer.body
        assert answer.after is not None
        answer.after()
        return answer.body, self.told.pop()


def told(request: AdmissionRequest, verdict: Verdict) -> tuple[Any, ...]:
    """What is told of a review after its answer."""
    line = msgspec.to_builtins(record.to_log_line(request, verdict.short_record))
    return line, event.of(request, verdict), verdict


def decided(server: Server, path: str, body: bytes) -> tuple[bytes, Any]:
    """What a server answers and tells that keeps nothing."""
    asked = decode.decode_review(body)
    request = decode.to_request(asked, ROUTES[path], server.labels, decode.decode_pods(asked))
    assert server.state.inventory is not None
    verdict = admit(request, server.state.policy, replace(server.state.inventory))
    return encode.encode(request, verdict, "page"), told(request, verdict)


def changed(change: Change) -> Json:
    """A copy of the pod with a change."""
    pod = copy.deepcopy(POD)
    change(pod)
    return pod


def renamed(pod: Json) -> Json:
    """The pod as its controller would make another one."""
    made: Json = json.loads(
        json.dumps(pod).replace("kube-api-access-abcde", "kube-api-access-xy234")
    )
    metadata = made.get("metadata") or {}
    return made | {"metadata": metadata | {"name": "other", "uid": "2", "managedFields": []}}
