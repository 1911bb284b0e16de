"""What an API server does with a new pod: defaults, /mutate, patch, /validate."""

import base64
import copy
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any, Final

import jsonpatch

from examples.demo.local_server import LocalServer
from webhook.core import record
from webhook.core.api import names
from webhook.core.record_values import DecisionRecord

_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Creation:
    """What came of a pod, with the decision as recorded; `seconds` is the time of /mutate."""

    allowed: bool
    before: dict[str, Any]
    after: dict[str, Any]
    message: str
    record: DecisionRecord
    seconds: float


class ApiServer:
    """A stand-in that sends what a real one sends; the real one comes with `make e2e`."""

    def __init__(self, server: LocalServer) -> None:
        self._connection = server.connect()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def create(self, pod: dict[str, Any], namespace: str, owner: dict[str, Any]) -> Creation:
        """Send a new pod through both webhooks, as a dry run that asks for the record."""
        before = _defaulted(pod, namespace, owner)
        started = time.perf_counter()
        answer = self._call("/mutate", before, namespace)
        seconds = time.perf_counter() - started
        [told] = filter(None, map(record.from_json, answer["warnings"]))
        after = before
        if answer["allowed"]:
            operations = json.loads(base64.b64decode(answer.get("patch", "W10=")))
            after = jsonpatch.apply_patch(copy.deepcopy(before), operations)
            checked = self._call("/validate", after, namespace)
            answer = answer if checked["allowed"] else checked
        return Creation(
            allowed=answer["allowed"],
            before=_without_question(before),
            after=_without_question(after),
            message=answer.get("status", {}).get("message", ""),
            record=told,
            seconds=seconds,
        )

    def _call(self, path: str, pod: dict[str, Any], namespace: str) -> dict[str, Any]:
        body = json.dumps(review(pod, namespace, dry_run=True))
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", f"{path}?timeout=3s", body, headers)
        response = self._connection.getresponse()
        text = response.read().decode()
        if response.status != _OK:
            raise RuntimeError(f"{path}: HTTP {response.status}: {text}")
        answer: dict[str, Any] = json.loads(text)["response"]
        return answer


def review(pod: dict[str, Any], namespace: str, *, dry_run: bool = False) -> dict[str, Any]:
    """Return the AdmissionReview for the creation of a pod."""
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": str(uuid.uuid4()),
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "requestKind": {"group": "", "version": "v1", "kind": "Pod"},
            "requestResource": {"group": "", "version": "v1", "resource": "pods"},
            "name": pod["metadata"].get("name", ""),
            "namespace": namespace,
            "operation": "CREATE",
            "userInfo": {"username": "demo", "groups": ["system:authenticated"]},
            "object": pod,
            "oldObject": None,
            "dryRun": dry_run,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
        },
    }


def _without_question(pod: dict[str, Any]) -> dict[str, Any]:
    """The pod without the annotation that asks for the record."""
    metadata = dict(pod["metadata"])
    left = {k: v for k, v in metadata.pop("annotations").items() if k != names.EXPLAIN}
    return {**pod, "metadata": metadata | ({"annotations": left} if left else {})}


def _defaulted(pod: dict[str, Any], namespace: str, owner: dict[str, Any]) -> dict[str, Any]:
    """The pod as it reaches a webhook: requests default to limits, controllers leave no name."""
    made = copy.deepcopy(pod)
    metadata = {key: value for key, value in (made.get("metadata") or {}).items() if value}
    name = owner["metadata"]["name"]
    if owner["kind"] == "Pod":
        metadata["name"] = name
    else:
        metadata["generateName"] = f"{name}-"
        controller = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": name}
        metadata["ownerReferences"] = [controller | {"controller": True, "uid": str(uuid.uuid4())}]
    metadata["annotations"] = {**metadata.get("annotations", {}), names.EXPLAIN: "true"}
    for container in made["spec"]["containers"]:
        resources = container.get("resources", {})
        if "limits" in resources:
            resources["requests"] = {**resources["limits"], **resources.get("requests", {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        **made,
        "metadata": metadata | {"namespace": namespace},
    }
