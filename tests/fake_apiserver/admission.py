"""Admission by the real webhook over HTTPS, as the API server calls it, for `FakeApi.admit`."""

from __future__ import annotations

import base64
import copy
import json
import uuid
from http.client import HTTPSConnection
from typing import TYPE_CHECKING

import jsonpatch

from tests.fake_apiserver.answers import StatusError, denied
from tests.fake_apiserver.api import Admitted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fake_apiserver.api import Request
    from tests.fake_apiserver.paths import Json

JSON_HEADERS = {"Content-Type": "application/json"}
SIDES = (("/mutate", "mutate.gpu-sharing.io"), ("/validate", "validate.gpu-sharing.io"))


def review(pod: Json, namespace: str, **changes: object) -> Json:
    """Return the AdmissionReview of a pod's creation, with fields of its request changed."""
    pods = {"group": "", "version": "v1", "resource": "pods"}
    kind = {"group": "", "version": "v1", "kind": "Pod"}
    request = {
        "uid": str(uuid.uuid4()),
        "kind": kind,
        "resource": pods,
        "requestKind": kind,
        "requestResource": pods,
        "name": pod["metadata"].get("name", ""),
        "namespace": namespace,
        "operation": "CREATE",
        "userInfo": {"username": "jane", "groups": ["system:authenticated"]},
        "object": pod,
        "oldObject": None,
        "dryRun": False,
        "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
    }
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": request | changes,
    }


def through_webhook(connect: Callable[[], HTTPSConnection]) -> Callable[[Request], Admitted]:
    """Return what sends each new pod to /mutate and then /validate of a running webhook."""

    def admit(request: Request) -> Admitted:
        path, item, warnings = request.resource, copy.deepcopy(request.body), []
        for side, name in SIDES:
            asked = review(item, path.namespace, dryRun=request.dry_run)
            response = _call(connect(), side, asked)
            warnings += response.get("warnings") or ()
            if not response["allowed"]:
                raise _denial(name, response.get("status") or {})
            operations = json.loads(base64.b64decode(response.get("patch", "W10=")))
            item = jsonpatch.apply_patch(item, operations)
        return Admitted(item, tuple(warnings))

    return admit


def _call(connection: HTTPSConnection, path: str, asked: Json) -> Json:
    try:
        connection.request("POST", f"{path}?timeout=3s", json.dumps(asked), JSON_HEADERS)
        found = connection.getresponse()
        data = found.read()
    except OSError as error:
        raise StatusError(500, f"failed calling webhook: {error}") from None
    finally:
        connection.close()
    if found.status != 200:
        raise StatusError(500, f"failed calling webhook: HTTP {found.status}")
    answered: Json = json.loads(data)["response"]
    return answered


def _denial(webhook: str, told: Json) -> StatusError:
    """The webhook's own Status, its message with the API server's words before it."""
    causes = (told.get("details") or {}).get("causes") or ()
    return denied(webhook, told.get("message", ""), *causes, code=told.get("code") or 403)
