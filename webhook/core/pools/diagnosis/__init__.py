"""What is wrong with a node's GPUs, and how to mend it."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api import node
from webhook.core.api.node import Node
from webhook.core.gpu.dialects.gfd.labels import PRODUCT
from webhook.core.gpu.reading import NodeOffers
from webhook.core.gpu.unusable import Unusable, UnusableReason
from webhook.core.pools.catalog import Catalog, find_model, whole_product
from webhook.core.pools.diagnosis import amounts, devices, requested
from webhook.core.pools.diagnosis.problem import NodeProblem, NodeView, Severity, error

_CHECKS: Final = (*requested.CHECKS, *devices.CHECKS, *amounts.CHECKS)


def diagnose(subject: Node, found: NodeOffers, catalog: Catalog) -> tuple[NodeProblem, ...]:
    """Return what is wrong with a node, the gravest first. `found` is how it is read."""
    seen = NodeView(subject, node.labels(subject), found, catalog)
    problems = [*_unusable(seen)]
    for check in _CHECKS:
        known = {each.code for each in problems}
        problems += (each for each in check(seen) if each.code not in known)
    return tuple(sorted(problems, key=lambda each: each.severity is not Severity.ERROR))


def _unusable(seen: NodeView) -> Iterator[NodeProblem]:
    """What the reading of nodes does not offer. Of MIG changes more is said by `requested`."""
    for each in seen.found.unusable:
        where = f"{each.resource}: " if each.resource else ""
        if each.reason not in (UnusableReason.MIG_CHANGING, UnusableReason.MIG_FAILED):
            what = f"{where}{each.reason.sentence} ({each.detail})"
            yield error(each.reason.value, what, _mend(each, seen))


def _mend(found: Unusable, seen: NodeView) -> str:
    """Return the mend of a finding, with a layout that the node's product has."""
    mend = found.mend
    if found.reason is UnusableReason.TOO_MANY:
        mend += "; GPUs of several products on a node are labelled as one: keep one product there"
    product = whole_product(seen.labels.get(PRODUCT, ""))
    devices = find_model(seen.catalog, product).devices
    return mend.replace("all-1g.10gb", f"all-{devices[0].profile.name}") if devices else mend
