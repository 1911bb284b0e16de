"""The labels of EKS and Karpenter nodes, which never tell how GPUs are given.

Bottlerocket's device plugin shares and cuts by settings of the host, and no label says so.
Sources: awslabs/amazon-eks-ami (nodeadm), bottlerocket-os (kubelet-device-plugins.nvidia),
aws/karpenter-provider-aws (instance-types).
"""

from collections.abc import Mapping
from typing import Final

from webhook.core.gpu.dialect import Advertised, Dialect
from webhook.core.gpu.unusable import Unusable, UnusableReason, unusable

_POOLS: Final = (
    "karpenter.sh/nodepool",
    "eks.amazonaws.com/nodegroup",
    "alpha.eksctl.io/nodegroup-name",
)
_MAKER: Final = "karpenter.k8s.aws/instance-gpu-manufacturer"
_NAME: Final = "karpenter.k8s.aws/instance-gpu-name"
_INSTALL: Final = "install the NVIDIA device plugin with gfd.enabled=true"


def _is_spoken(labels: Mapping[str, str]) -> bool:
    aws = any(key.startswith(("eks.amazonaws.com/", "karpenter.k8s.aws/")) for key in labels)
    return aws or "alpha.eksctl.io/nodegroup-name" in labels


def _read_offer(found: Advertised) -> Unusable:
    key = next((each for each in _POOLS if each in found.labels), _POOLS[0])
    detail = f"{key}={found.labels.get(key)}"
    mend = f"declare the pool in the policy, by {key} (pools), or {_INSTALL}"
    return found.unusable(UnusableReason.LABELS_MISSING, detail, mend)


def _explain_nothing(labels: Mapping[str, str]) -> Unusable | None:
    if labels.get(_MAKER) != "nvidia" and _NAME not in labels:
        return None
    detail = f"{_NAME}={labels.get(_NAME)}, no nvidia.com resource is allocatable"
    return unusable(UnusableReason.NOTHING_ADVERTISED, detail)


DIALECT: Final = Dialect(
    name="EKS", is_spoken=_is_spoken, read_offer=_read_offer, explain_nothing=_explain_nothing
)
