"""GPUs that another plugin or scheduler shares, beside the names that ours gives them."""

import re
from typing import Final

from webhook.core.api import names, node, quantity
from webhook.core.api.node import Node
from webhook.core.gpu.dialect import Advertised
from webhook.core.gpu.resources import OTHER_VENDORS
from webhook.core.gpu.unusable import Unusable, UnusableReason, unusable

_SHARES: Final = re.compile(
    r"nvidia\.com/gpu[-_.]?(mem|cores)|koordinator\.sh/gpu"
    rf"|(?!nvidia\.com/)(?!{OTHER_VENDORS})[^/]*/(.*[-_.])?"
    r"(([a-z]|shared[-_.])gpu|gpu[-_.](mem|core|share|count|number|perc|milli)|vcuda|nvidia)"
).match
"""Names of shares: Volcano, Koordinator, HAMi, clouds of Alibaba, Tencent, Volcengine and Baidu,
Elastic GPU, Deepomatic, AWS' virtual GPUs; and device files that any pod may ask for (Smarter)."""
_SPEAKS: Final = re.compile("gpu|cuda|nvidia").search  # which is found out sooner
_HAMI: Final = "use HAMi's own resources there (nvidia.com/gpumem), or set deviceSplitCount to 1"


def sharing(subject: Node) -> Unusable | None:
    """Return why GPUs are not offered that another plugin shares under names of its own."""
    every = (subject.status.allocatable if subject.status else None) or {}
    for name, raw in every.items():
        speaks = _SPEAKS(name) and name != names.GPU and _SHARES(name)
        if speaks and not quantity.is_zero(raw):
            return unusable(UnusableReason.OTHER_SHARING, f"{name} is allocatable")
    return None


def sharing_of_hami(found: Advertised, subject: Node) -> Unusable | None:
    """Return why a name is not offered of which HAMi gives more than GPUs."""
    registered = node.hami_devices(subject)
    gpus = registered.count("GPU-")
    if not registered or found.amount <= gpus:
        return None
    detail = f"{found.amount} allocatable, HAMi registered {gpus} GPUs"
    return found.unusable(UnusableReason.OTHER_SHARING, detail, _HAMI)
