"""The GPUs that a node has, whatever they are made into."""

import re
from dataclasses import dataclass

from webhook.core.api import mig, node
from webhook.core.api.node import Node
from webhook.core.gpu.dialects.gfd.labels import COUNT, MEMORY, PRODUCT, VIRTUAL
from webhook.core.pools.catalog import Catalog, find_model, whole_product
from webhook.core.pools.layouts import all_layouts


@dataclass(frozen=True, slots=True)
class PhysicalGpus:
    """GPUs of one product. `memory` of each is in MiB, None where the labels do not tell it."""

    product: str
    count: int
    memory: int | None


def physical_gpus(subject: Node, catalog: Catalog) -> PhysicalGpus | None:
    """Return the GPUs of a node by its labels, None where they do not tell.

    Under mig.strategy=single `gpu.count` and `gpu.memory` are those of the MIG devices, and under
    vGPU the card is another's.
    """
    labels = node.labels(subject)
    label = labels.get(PRODUCT, "")
    count = _integer(labels.get(COUNT))
    if not label or not count or labels.get(VIRTUAL) == "true":
        return None
    product = whole_product(label)
    profile = mig.of_product(label)
    if profile is None:
        return PhysicalGpus(product, count, _integer(labels.get(MEMORY)))
    layouts = all_layouts(find_model(catalog, product))
    most = max((each.get(profile.name, 0) for each in layouts), default=0)
    return PhysicalGpus(product, -(-count // most), None) if most else None


def _integer(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,6}", text) else None
