"""Pods that the webhook must refuse, sent as a dry run."""

from dataclasses import dataclass
from typing import Final

from certs import api, names
from certs.reasons import CertReason, Problem
from certs.secrets import Json
from webhook.kube.api_request import DRY_RUN
from webhook.kube.client import ApiClient
from webhook.kube.errors import ApiError


@dataclass(frozen=True, slots=True)
class ProbePod:
    """A pod for one side, and the only cause for which that side refuses it.

    `kind` is the path of the side's configurations.
    """

    kind: str
    cause: str
    pod: Json


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The sides that refused their pod, as paths of configurations, and what went wrong."""

    refused_by: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


def _pod(name: str, labels: Json, container: Json) -> Json:
    """Return a pod that only the webhook has a reason to refuse, not even `restricted`."""
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


# Both are refused under every policy and with every inventory. The first requests a GPU with a
# workload label that does not exist; the validating side alone would also miss the affinity that
# the mutating side adds (`not_rewritten`). The second requests no GPU, so the mutating side never
# sees it, and names all GPUs.
PROBE_PODS: Final = (
    ProbePod(
        names.MUTATING,
        "invalid_workload",
        _pod(
            "gpu-sharing-probe-mutate",
            {names.PREFIX + "workload": "probe-that-must-be-refused"},
            {"resources": {"limits": {"nvidia.com/gpu": "1"}}},
        ),
    ),
    ProbePod(
        names.VALIDATING,
        "gpu_visibility",
        _pod(
            "gpu-sharing-probe-validate",
            {},
            {"env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]},
        ),
    ),
)


async def send_probes(client: ApiClient, namespace: str) -> ProbeResult:
    """Return what became of the probe pods, of which none is created."""
    problems = {each.kind: await _send_probe(client, namespace, each) for each in PROBE_PODS}
    return ProbeResult(
        frozenset(kind for kind, problem in problems.items() if problem is None),
        tuple(problem for problem in problems.values() if problem is not None),
    )


async def _send_probe(client: ApiClient, namespace: str, probe: ProbePod) -> Problem | None:
    """Return what happened instead of the refusal, None for that."""
    name = probe.pod["metadata"]["name"]
    try:
        await api.send(client, "POST", names.pods_path(namespace) + DRY_RUN, probe.pod)
    except ApiError as error:
        causes = {cause.reason for cause in error.causes}
        if not (error.forbidden and causes):
            return Problem(CertReason.PROBE_FAILED, name, str(error))
        other = Problem(CertReason.PROBE_REFUSED_BY_OTHER, name, str(error))
        return None if causes == {probe.cause} else other
    return Problem(CertReason.PROBE_NOT_REFUSED, name)
