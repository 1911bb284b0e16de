"""A declared pool as its autoscaler needs it, to grow from zero: labels, taints, resources.

Source: Karpenter pkg/scheduling/requirements.go and NodeOverlay; cluster-autoscaler, cloudprovider
aws, azure and clusterapi; cloud-dialects 8.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from webhook.core.api import names, node
from webhook.core.api.node import Taint
from webhook.core.gpu.values import DeclaredPool, Offer

_CA: Final = "k8s.io/cluster-autoscaler/node-template/"
_CAPI: Final = "capacity.cluster-autoscaler.kubernetes.io/"
_MACHINE: Final = ("kubernetes.io/", "node.kubernetes.io/", "topology.kubernetes.io/")


@dataclass(frozen=True, slots=True)
class NodeTemplate:
    """What an autoscaler must know of the next node of a pool."""

    name: str
    labels: Mapping[str, str]
    taints: tuple[Taint, ...]
    resources: Mapping[str, int]


def template_of(pool: DeclaredPool, offers: Iterable[Offer]) -> NodeTemplate:
    """Return the template of a pool, with all labels that the webhook will require."""
    labels = dict(node.labels(pool.node))
    resources: dict[str, int] = {}
    for offer in offers:
        resources[offer.resource] = resources.get(offer.resource, 0) + offer.amount
        for each in offer.form.requirements:
            if each.operator == "In" and each.key not in labels:
                labels[each.key] = each.values[0]
    return NodeTemplate(pool.name, labels, node.taints(pool.node), resources)


def karpenter(template: NodeTemplate) -> list[dict[str, Any]]:
    """Return the part of a NodePool, and a NodeOverlay for what Karpenter does not know.

    A label that a pod requires and no NodePool has makes Karpenter refuse every pool. Of resources
    it knows nvidia.com/gpu by the instance type; the others need the gate NodeOverlay (alpha).
    """
    own = {k: v for k, v in template.labels.items() if not k.startswith(("karpenter", *_MACHINE))}
    spec: dict[str, Any] = {"metadata": {"labels": own}}
    if template.taints:
        spec["spec"] = {"taints": [_taint(each) for each in template.taints]}
    made = [_karpenter("v1", "NodePool", template, {"template": spec})]
    unknown = {key: str(n) for key, n in template.resources.items() if key != names.GPU}
    if unknown:
        select = {"key": "karpenter.sh/nodepool", "operator": "In", "values": [template.name]}
        overlay = {"requirements": [select], "capacity": unknown}
        made.append(_karpenter("v1alpha1", "NodeOverlay", template, overlay))
    return made


def _karpenter(version: str, kind: str, template: NodeTemplate, spec: Any) -> dict[str, Any]:
    head = {"apiVersion": f"karpenter.sh/{version}", "kind": kind}
    return {**head, "metadata": {"name": template.name}, "spec": spec}


def aws_tags(template: NodeTemplate) -> dict[str, str]:
    """Return the tags of an Auto Scaling group."""
    return {
        **{f"{_CA}label/{key}": value for key, value in template.labels.items()},
        **{f"{_CA}taint/{t.key}": f"{t.value or ''}:{t.effect}" for t in template.taints},
        **{f"{_CA}resources/{key}": str(count) for key, count in template.resources.items()},
    }


def azure_tags(template: NodeTemplate) -> dict[str, str]:
    """Return the tags of a scale set. In their keys `_` is `~2`, and `/` is `_`."""
    return {
        key.replace("_", "~2").replace("/", "_"): value for key, value in aws_tags(template).items()
    }


def cluster_api(template: NodeTemplate) -> dict[str, str]:
    """Return the annotations of a MachineDeployment. It knows one GPU resource."""
    made = {
        f"{_CAPI}labels": ",".join(f"{key}={value}" for key, value in template.labels.items()),
    }
    if template.taints:
        made[f"{_CAPI}taints"] = ",".join(
            f"{t.key}={t.value or ''}:{t.effect}" for t in template.taints
        )
    for resource, count in list(template.resources.items())[:1]:
        made[f"{_CAPI}gpu-type"] = resource
        made[f"{_CAPI}gpu-count"] = str(count)
    return made


def gke_flags(template: NodeTemplate) -> list[str]:
    """Return flags of `gcloud container node-pools create`. GKE writes its own labels itself."""
    gke = {
        key.removeprefix("cloud.google.com/gke-"): value
        for key, value in template.labels.items()
        if key.startswith("cloud.google.com/gke-")
    }
    count = gke.get("accelerator-count", "1")
    parts = [f"type={gke['accelerator']}", f"count={count}"] if "accelerator" in gke else []
    sharing = ("gpu-partition-size", "gpu-sharing-strategy", "max-shared-clients-per-gpu")
    parts += [f"{label}={gke[label]}" for label in sharing if label in gke]
    flags = [f"--accelerator={','.join(parts)}"] if parts else []
    own = {k: v for k, v in template.labels.items() if not k.startswith("cloud.google.com/")}
    if own:
        flags.append(f"--node-labels={','.join(f'{k}={v}' for k, v in own.items())}")
    if template.taints:
        taints = (f"{t.key}={t.value or ''}:{t.effect}" for t in template.taints)
        flags.append(f"--node-taints={','.join(taints)}")
    return flags


def _taint(taint: Taint) -> dict[str, str]:
    made = {"key": taint.key, "effect": taint.effect}
    return made if taint.value is None else {**made, "value": taint.value}


AUTOSCALERS: Final[Mapping[str, Callable[[NodeTemplate], Any]]] = {
    "karpenter": karpenter,
    "cluster-autoscaler-aws": aws_tags,
    "azure": azure_tags,
    "capi": cluster_api,
    "gke": gke_flags,
}
"""How each autoscaler is told, by its word on the command line."""
