"""A device plugin alone, and clouds that say no more than that there are GPUs.

Bottlerocket's device plugin shares and cuts by settings of the host, and no label says so.
Sources: awslabs/amazon-eks-ami, bottlerocket-os, aws/karpenter-provider-aws,
oracle-quickstart/oci-hpc-oke, kubernetes/autoscaler cloudprovider, and the clouds' documents.
"""

from collections.abc import Mapping
from typing import Final

from webhook.core.gpu.dialect import Advertised, Dialect
from webhook.core.gpu.unusable import Unusable, UnusableReason, unusable

# "There are GPUs", by GPU Operator, Node Feature Discovery, Karpenter and clouds.
_PRESENT: Final = {
    "nvidia.com/gpu.present": "true",
    "feature.node.kubernetes.io/pci-10de.present": "true",
    "nvidia.com/gpu": "true",  # OKE: a label, no resource
    "karpenter.k8s.aws/instance-gpu-manufacturer": "nvidia",
    "ibm-cloud.kubernetes.io/gpu-enabled": "true",
    "doks.digitalocean.com/gpu-brand": "nvidia",
    "nebius.com/gpu": "true",
}
# What a pool of nodes is declared by, the first that a node has.
_POOLS: Final = (
    *("karpenter.sh/nodepool", "eks.amazonaws.com/nodegroup", "alpha.eksctl.io/nodegroup-name"),
    *("cloud.google.com/gke-nodepool", "doks.digitalocean.com/node-pool"),
    *("vke.vultr.com/node-pool", "kubernetes.civo.com/civo-node-pool", "nodepool"),  # the last: OVH
    *("k8s.scaleway.com/pool-name", "lke.linode.com/pool-id", "nebius.com/node-group-id"),
    *("ibm-cloud.kubernetes.io/worker-pool-name", "crusoe.ai/nodepool.name"),
    *("alibabacloud.com/nodepool-id", "node.kubernetes.io/instance-type"),
)
_INSTALL: Final = "enable GPU Feature Discovery (gfd.enabled)"
_DRA: Final = "nvidia.com/gpu.deploy.dra-driver"

_WORKLOADS: Final = (
    "nvidia.com/gpu.workload.config"  # GPU Operator: container, vm-passthrough, vm-vgpu
)


def _read_offer(found: Advertised) -> Unusable:
    key = next((each for each in _POOLS if each in found.labels), None)
    if key is None:
        detail = f"{found.amount} allocatable and no label of GPU Feature Discovery"
        return found.unusable(UnusableReason.LABELS_MISSING, detail)
    mend = f"declare the pool in the policy, by {key} (pools), or {_INSTALL}"
    return found.unusable(UnusableReason.LABELS_MISSING, f"{key}={found.labels[key]}", mend)


def _explain_nothing(labels: Mapping[str, str]) -> Unusable | None:
    given = labels.get(_WORKLOADS, "container")
    if given != "container":
        return unusable(UnusableReason.FOR_VIRTUAL_MACHINES, f"{_WORKLOADS}={given}")
    present = next((key for key, value in _PRESENT.items() if labels.get(key) == value), None)
    if present is None:
        return None
    driver = f", {_DRA}=true" if labels.get(_DRA) == "true" else ""
    detail = f"{present}={labels[present]}{driver}"
    return unusable(UnusableReason.NOTHING_ADVERTISED, detail)


DIALECT: Final = Dialect(
    name="device plugin alone",
    is_spoken=lambda _: True,
    read_offer=_read_offer,
    explain_nothing=_explain_nothing,
    order=2,
)
