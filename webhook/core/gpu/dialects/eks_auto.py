"""The labels of EKS Auto Mode, whose own device plugin gives whole GPUs only.

Source: AWS, "Control if a workload is deployed on EKS Auto Mode nodes" (table of labels).
"""

from collections.abc import Mapping
from typing import Final

from webhook.core.gpu.dialect import (
    Advertised,
    Dialect,
    mebibytes_of,
    only_whole,
    too_many,
    whole_form,
    whole_numbers,
    whole_offer,
)
from webhook.core.gpu.resources import ResourceKind
from webhook.core.gpu.unusable import Unusable, UnusableReason
from webhook.core.gpu.values import NodeRequirement, Offer

_AWS: Final = "eks.amazonaws.com/"
_TYPE: Final = _AWS + "compute-type"
_NAME: Final = _AWS + "instance-gpu-name"
_COUNT: Final = _AWS + "instance-gpu-count"
_MEMORY: Final = _AWS + "instance-gpu-memory"
_MAKER: Final = _AWS + "instance-gpu-manufacturer"
_FORM: Final = whole_form(
    _NAME, NodeRequirement(_TYPE, "In", ("auto",)), NodeRequirement(_MAKER, "In", ("nvidia",))
)


def _is_spoken(labels: Mapping[str, str]) -> bool:
    return labels.get(_TYPE) == "auto" and labels.get(_MAKER) == "nvidia"


def _read_offer(found: Advertised) -> Offer | Unusable:
    """Whole GPUs, if the machine has as many as are advertised.

    The memory is AWS's figure (16384 MiB of a T4 with 15360), so a sixteenth is taken off.
    """
    labels = found.labels
    count = whole_numbers(labels.get(_COUNT))
    if count is None or found.resource.kind is not ResourceKind.GPU:
        return found.unusable(UnusableReason.LABELS_MISSING, f"no {_COUNT}")
    wrong = too_many(found, count, f"{_COUNT}={count}")
    memory = mebibytes_of(labels.get(_MEMORY))
    rounded = memory * 15 // 16 if memory else None
    return next(wrong, None) or whole_offer(found, _FORM, rounded)


DIALECT: Final = Dialect(
    name="EKS Auto Mode", is_spoken=_is_spoken, forms=only_whole(_FORM), read_offer=_read_offer
)
