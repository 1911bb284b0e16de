"""The labels of Alibaba ACK: `ack.node.gpu.schedule` says which plugin serves a node.

Source: Alibaba Cloud, "Labels for enabling GPU scheduling policies".
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

_SCHEDULE: Final = "ack.node.gpu.schedule"
_NAME: Final = "aliyun.accelerator/nvidia_name"
_COUNT: Final = "aliyun.accelerator/nvidia_count"
_MEMORY: Final = "aliyun.accelerator/nvidia_mem"
_WHOLE: Final = "default"
_SHARING: Final = ("cgpu", "core_mem", "share", "topology", "mps")
_MEND: Final = (
    f"label the node pool {_SCHEDULE}={_WHOLE} for whole GPUs, or declare the pool (pools)"
)
_FORM: Final = whole_form(_NAME, NodeRequirement(_SCHEDULE, "In", (_WHOLE,)))


def _is_spoken(labels: Mapping[str, str]) -> bool:
    return _SCHEDULE in labels or _NAME in labels


def _read_offer(found: Advertised) -> Offer | Unusable:
    labels = found.labels
    schedule = labels.get(_SCHEDULE)
    detail = f"{_SCHEDULE}={schedule}"
    if schedule in _SHARING:
        return found.unusable(UnusableReason.OTHER_SHARING, detail)
    if schedule != _WHOLE or found.resource.kind is not ResourceKind.GPU:
        return found.unusable(UnusableReason.LABELS_MISSING, detail, _MEND)
    wrong = too_many(found, whole_numbers(labels.get(_COUNT)), f"{_COUNT}, {detail}")
    memory = mebibytes_of(labels.get(_MEMORY, "").removesuffix("MiB"))
    return next(wrong, None) or whole_offer(found, _FORM, memory)


DIALECT: Final = Dialect(
    name="ACK", is_spoken=_is_spoken, forms=only_whole(_FORM), read_offer=_read_offer
)
