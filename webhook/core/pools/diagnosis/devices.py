"""Layouts, products and names of a node's devices that waste or surprise."""

import re
from collections.abc import Iterator
from typing import Final

from webhook.core.api import names, node
from webhook.core.api.quantity import counted
from webhook.core.gpu.dialects.gfd.labels import PRODUCT, REPLICAS, VIRTUAL
from webhook.core.pools.catalog import find_model, whole_product
from webhook.core.pools.diagnosis.problem import NodeProblem, NodeView, error, number, warning
from webhook.core.pools.hardware import physical_gpus
from webhook.core.pools.idle_slices import idle_slices

_RENAME: Final = "set renameByDefault: true in the device plugin's configuration"
_KEEP: Final = "GKE has no other name for them: keep other pods away by the pool's taint"
_GKE: Final = "cloud.google.com/gke-"


def _layouts(seen: NodeView) -> Iterator[NodeProblem]:
    """GPUs that are cut so that more devices would fit."""
    have = seen.devices()
    gpus = physical_gpus(seen.subject, seen.catalog)
    if not have or gpus is None:
        return
    model = find_model(seen.catalog, gpus.product, gpus.memory)
    whole = sum(
        each.amount // max(each.replicas, 1) for each in seen.found.offers if each.profile is None
    )
    known = {each.profile.name for each in model.devices}
    strange = sorted(set(have) - known - {p for p in have if not re.fullmatch(r"\dg\.\d+gb", p)})
    if strange and model.devices:
        yield error(
            "products_differ",
            f"{', '.join(strange)} cannot be of a {gpus.product}: the node has several products",
            "keep GPUs of one product on a node: labels tell of one alone",
        )
        return
    idle = idle_slices(model, have, gpus.count - whole)
    if idle:
        yield warning(
            "slices_idle",
            f"{counted(gpus.count - whole, 'cut GPU')}: "
            + ", ".join(f"{n} x {p}" for p, n in have.items())
            + f", and {idle} more fit",
            "choose a layout that fills them: gpu-sharing pools plan",
        )


def _products(seen: NodeView) -> Iterator[NodeProblem]:
    """Different products on one node: GFD keeps the labels of one."""
    product = whole_product(seen.labels.get(PRODUCT, ""))
    others = {
        whole_product(value)
        for key, value in seen.labels.items()
        if key.startswith(names.MIG) and key.endswith(".product") and value
    }
    different = sorted(others - {product})
    if product and different:
        yield error(
            "products_differ", f"{PRODUCT}={product} beside MIG devices of {', '.join(different)}",
            "keep GPUs of one product on a node: labels tell of one alone",
        )  # fmt: skip


def _shared(seen: NodeView) -> Iterator[NodeProblem]:
    """Shares and slices under the name of whole GPUs."""
    gpus = number(str(node.allocatable(seen.subject).get(names.GPU, 0)))
    shared = next((o.replicas for o in seen.found.offers if not o.strategy.traits.isolated), 0)
    replicas = max(number(seen.labels.get(REPLICAS)), shared)
    if gpus and (replicas > 1 or seen.labels.get(PRODUCT, "").endswith("-SHARED")):
        yield warning(
            "not_renamed",
            f"{gpus} {names.GPU} are shares, {replicas} of a GPU: a pod that nobody rewrote gets "
            "a share where it requests a GPU, and quotas count shares as GPUs",
            _KEEP if any(key.startswith(_GKE) for key in seen.labels) else _RENAME,
        )
    profile = seen.profile
    if gpus and profile is not None:
        yield warning(
            "single_strategy",
            f"{gpus} {names.GPU} are MIG devices {profile.name} (mig.strategy=single): a pod that "
            "nobody rewrote gets a slice where it requests a GPU",
            "set mig.strategy=mixed for these nodes",
        )


def _shared_slices(seen: NodeView) -> Iterator[NodeProblem]:
    for each in seen.found.offers:
        if not each.strategy.traits.isolated and each.profile is not None:
            yield warning(
                "slices_shared",
                f"{each.resource}: {each.replicas} pods share each MIG device: not isolated",
                "remove the MIG resource from timeSlicing.resources for tenants",
            )


def _virtual(seen: NodeView) -> Iterator[NodeProblem]:
    if seen.labels.get(VIRTUAL) == "true":
        yield warning(
            "virtual", "the GPU is a vGPU: the hypervisor may share the card with other machines",
            "give tenants nodes with passed-through cards, or ask who runs the hypervisor",
        )  # fmt: skip


CHECKS: Final = (_products, _layouts, _shared, _shared_slices, _virtual)
