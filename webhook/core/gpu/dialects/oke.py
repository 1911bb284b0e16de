"""The labels of Oracle OKE, which never tell how GPUs are given.

Source: oracle-quickstart/oci-hpc-oke. The label `nvidia.com/gpu=true` is no resource.
"""

from collections.abc import Mapping
from typing import Final

from webhook.core.gpu.dialect import Advertised, Dialect
from webhook.core.gpu.unusable import Unusable, UnusableReason, unusable

_SHAPE: Final = "node.kubernetes.io/instance-type"
_GPUS: Final = "nvidia.com/gpu"
_MEND: Final = (
    "enable GPU Feature Discovery (gfd.enabled), or declare the pool in the policy, by "
    f"{_SHAPE} or a label of the node pool (pools)"
)


def _is_spoken(labels: Mapping[str, str]) -> bool:
    oracle = any(key.startswith("oci.oraclecloud.com/") for key in labels)
    return oracle or labels.get(_SHAPE, "").startswith(("VM.GPU", "BM.GPU"))


def _read_offer(found: Advertised) -> Unusable:
    detail = f"{_SHAPE}={found.labels.get(_SHAPE)}"
    return found.unusable(UnusableReason.LABELS_MISSING, detail, _MEND)


def _explain_nothing(labels: Mapping[str, str]) -> Unusable | None:
    if _GPUS not in labels:
        return None
    detail = f"label {_GPUS}={labels[_GPUS]}, no such resource is allocatable"
    return unusable(UnusableReason.NOTHING_ADVERTISED, detail)


DIALECT: Final = Dialect(
    name="OKE", is_spoken=_is_spoken, read_offer=_read_offer, explain_nothing=_explain_nothing
)
