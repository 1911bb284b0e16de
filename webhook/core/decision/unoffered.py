"""GPUs that nodes have and do not offer, in the words of a refusal."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from webhook.core.api import denials, names
from webhook.core.api.reason import Reason
from webhook.core.gpu.unusable import Unusable
from webhook.core.gpu.values import Inventory

_MOST_TOLD: Final = 2


def reason_of(inventory: Inventory) -> Reason:
    """Return why nothing is offered although nodes have GPUs."""
    silent = all(each.reason.silent for many in inventory.unusable.values() for each in many)
    return denials.GPU_LABELS_MISSING if silent else denials.NODES_UNUSABLE


def known_to(tenant: str | None, inventory: Inventory) -> Inventory:
    """Return an inventory without unusable nodes of other tenants."""
    unusable = {
        node: many
        for node, many in inventory.unusable.items()
        if inventory.owners.get(node) in (None, tenant)
    }
    return replace(inventory, unusable=unusable)


def tell_unusable(inventory: Inventory, resource: str = names.GPU) -> str:
    """Return which nodes have GPUs that are not offered, and why, for a refusal.

    Empty where all nodes offer what they have under the name; nvidia.com/gpu is asked for any.
    """
    texts = list_unusable(inventory, resource)
    if len(texts) > _MOST_TOLD:
        texts = [*texts[:_MOST_TOLD], "other nodes have other reasons (gpu-sharing status)"]
    return "; ".join(texts)


def list_unusable(inventory: Inventory, resource: str = names.GPU) -> list[str]:
    """Return a sentence for each reason why GPUs are not offered, with its mend."""
    grouped: dict[tuple[str, str], list[tuple[str, Unusable]]] = {}
    for node, each in _of_resource(inventory, resource):
        grouped.setdefault((each.reason.value, each.mend), []).append((node, each))
    by_number = sorted(grouped.values(), key=lambda many: (-len(many), many[0][0]))
    return [_text(many) for many in by_number]


def _of_resource(inventory: Inventory, resource: str) -> Iterator[tuple[str, Unusable]]:
    for node, many in sorted(inventory.unusable.items()):
        for each in many:
            if resource == names.GPU or each.resource in ("", resource):
                yield node, each


def _text(many: list[tuple[str, Unusable]]) -> str:
    node, first = many[0]
    others = len({name for name, _ in many}) - 1
    more = f" and {others} more" if others else ""
    return f"node {node}{more}: {first.text}"
