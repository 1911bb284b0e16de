"""The labels of CoreWeave, whose nodes give whole GPUs.

Their prefix is also that of attributes in dynamic resource allocation.

Source: CoreWeave, "Node labels"; skypilot's tests and issue 5628 for the values.
"""

from collections.abc import Mapping
from typing import Final

from webhook.core.gpu.dialect import (
    Advertised,
    Dialect,
    only_whole,
    too_many,
    whole_form,
    whole_numbers,
    whole_offer,
)
from webhook.core.gpu.resources import ResourceKind
from webhook.core.gpu.unusable import Unusable, UnusableReason
from webhook.core.gpu.values import Offer

_PREFIX: Final = "gpu.nvidia.com/"
_CLASS: Final = _PREFIX + "class"
_COUNT: Final = _PREFIX + "count"
_VRAM: Final = _PREFIX + "vram"
_MEND: Final = f"declare the pool in the policy, by {_CLASS} (pools)"
_FORM: Final = whole_form(_CLASS, pattern=r"^[A-Z][A-Z0-9_]*\Z")


def _is_spoken(labels: Mapping[str, str]) -> bool:
    return _CLASS in labels


def _read_offer(found: Advertised) -> Offer | Unusable:
    """Whole GPUs, if the machine has as many as are advertised.

    The memory is in whole GB, so a sixteenth is taken off.
    """
    labels = found.labels
    count = whole_numbers(labels.get(_COUNT))
    if count is None or found.resource.kind is not ResourceKind.GPU:
        return found.unusable(UnusableReason.LABELS_MISSING, f"no {_COUNT}", _MEND)
    wrong = too_many(found, count, f"{_COUNT}={count}")
    vram = whole_numbers(labels.get(_VRAM))
    memory = vram * 1024 * 15 // 16 if vram else None
    return next(wrong, None) or whole_offer(found, _FORM, memory)


DIALECT: Final = Dialect(
    name="CoreWeave", is_spoken=_is_spoken, forms=only_whole(_FORM), read_offer=_read_offer
)
