"""Pods that must be refused, sent as a dry run: whether our webhook really refuses them."""

import re
from dataclasses import dataclass
from typing import Final

from certs import names
from certs.client import Api, ApiError, ForbiddenError, Json, Request
from certs.reasons import Problem, Reason

_REFUSAL: Final = re.compile(r'admission webhook "([^"]+)" denied the request')


@dataclass(frozen=True, slots=True)
class Probed:
    """What became of the probe pods: the webhooks that refused one, and what went wrong."""

    refused_by: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


def probe(api: Api, namespace: str) -> Probed:
    """Send every probe pod; nothing is created, whatever the answer."""
    results = [_send(api, namespace, pod) for pod in probe_pods()]
    return Probed(
        frozenset(each for each in results if isinstance(each, str)),
        tuple(each for each in results if isinstance(each, Problem)),
    )


def probe_pods() -> tuple[Json, ...]:
    """One pod for each side, refused under every policy and with every inventory.

    The first asks for a GPU with a workload label that does not exist. The second asks for
    none, so the mutating side never sees it, and names all GPUs: the validating side refuses.
    """
    label = {names.PREFIX + "workload": "probe-that-must-be-refused"}
    ask = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
    reach = {"env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]}
    return (
        _pod("gpu-sharing-probe-mutate", label, ask),
        _pod("gpu-sharing-probe-validate", {}, reach),
    )


def _pod(name: str, labels: Json, container: Json) -> Json:
    """A pod that nothing but our webhook has a reason to refuse, not even `restricted`."""
    security = {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    image = {"name": "probe", "image": "probe.invalid/never-pulled:0"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [{**image, "securityContext": security, **container}],
        },
    }


def _send(api: Api, namespace: str, pod: Json) -> str | Problem:
    """Return the name of the webhook that refused the pod, or what happened instead."""
    name = pod["metadata"]["name"]
    try:
        api(Request("POST", names.pods_path(namespace), pod, dry_run=True))
    except ForbiddenError as error:
        found = _REFUSAL.search(error.message)
        return found[1] if found else Problem(Reason.PROBE_FAILED, name, str(error))
    except ApiError as error:
        return Problem(Reason.PROBE_FAILED, name, str(error))
    return Problem(Reason.PROBE_NOT_REFUSED, name)
