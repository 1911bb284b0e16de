"""The pod that would be created again for a live one, or for a workload."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from webhook.cli.cluster import types
from webhook.cli.cluster.client import ClusterClient, Object, Unavailable
from webhook.cli.cluster.types import LivePod
from webhook.cli.inspect import reconstruct
from webhook.core.api.resource import ApiResource
from webhook.core.integrations import kubernetes, registry
from webhook.core.integrations.registry import StatedPaths

_MAKERS: Final[Mapping[str, ApiResource]] = {
    each.kind: each
    for each in (
        kubernetes.REPLICA_SET,
        kubernetes.JOB,
        kubernetes.STATEFUL_SET,
        kubernetes.DAEMON_SET,
    )
}
"""What makes pods itself, by one template."""


@dataclass(frozen=True, slots=True)
class RebuiltPod:
    """A pod to try, and in words what it is made of."""

    pod: Object
    source: str


def rebuild_pod(client: ClusterClient, live: LivePod) -> RebuiltPod:
    """By its controller's template where that can be read. Else by the pod itself, taken back."""
    owner = live.meta.controller
    maker = _MAKERS.get(owner.kind) if owner else None
    if owner and maker:
        try:
            found = client.get(maker, owner.name, live.meta.namespace)
        except Unavailable:
            pass  # it may be gone, or not for this caller: the pod itself tells nearly as much
        else:
            made = reconstruct.from_template(_template(found), live.raw)
            return RebuiltPod(made, f"the pod template of {owner.kind}/{owner.name}")
    return RebuiltPod(
        reconstruct.from_live_pod(live.raw), "the pod itself, as it was before it was decided"
    )


def rebuild_workload(subject: Object, stated: StatedPaths) -> Iterator[RebuiltPod]:
    """Every pod that an object would make, by its templates."""
    kind, metadata = subject.get("kind", ""), subject.get("metadata") or {}
    name = metadata.get("name", "")
    for each in registry.find_templates(subject, stated):
        made = reconstruct.from_template(_claimed(subject, each.pod))
        made["metadata"]["generateName"] = f"{name[:50]}-"
        where = f" at {each.path}" if each.path not in ("", "spec.template") else ""
        yield RebuiltPod(made, f"the pod template of {kind}/{name}{where}")


def _template(maker: Object) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (maker.get("spec") or {}).get("template") or {}
    return found


def _claimed(subject: Object, pod: Mapping[str, Any]) -> Mapping[str, Any]:
    """The volumes that a StatefulSet adds for its claims, without which its mounts are wrong."""
    claims = (subject.get("spec") or {}).get("volumeClaimTemplates") or ()
    if subject.get("kind") != "StatefulSet" or not claims:
        return pod
    added = [
        {"name": n, "persistentVolumeClaim": {"claimName": n}}
        for n in (each["metadata"]["name"] for each in claims)
    ]
    spec = pod.get("spec") or {}
    return {**pod, "spec": {**spec, "volumes": [*(spec.get("volumes") or ()), *added]}}


def read_live_pod(client: ClusterClient, name: str, namespace: str) -> LivePod:
    """Read one pod. Raises Unavailable."""
    return types.live_pod(client.get(kubernetes.POD, name, namespace))
