"""Thousands of nodes of the kinds of the examples, with products of their own."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from webhook.core.api.node import Node
from webhook.core.gpu.inventory import build_inventory
from webhook.core.gpu.values import Inventory

EXAMPLES = Path(__file__).parents[2] / "examples" / "inventory.yaml"
PRODUCT = "nvidia.com/gpu.product"


def nodes(count: int, kinds: int) -> Iterator[dict[str, Any]]:
    """Yield nodes of so many kinds, each with a name of its own."""
    found = yaml.load(EXAMPLES.read_text(encoding="utf-8"), yaml.CSafeLoader)["items"]
    models = [each for each in found if each["kind"] == "Node"]
    for number in range(count):
        kind = number % kinds
        made = copy.deepcopy(models[kind % len(models)])
        name, labels = f"node-{number}", made["metadata"]["labels"]
        made["metadata"]["name"] = labels["kubernetes.io/hostname"] = name
        if kind >= len(models):
            labels[PRODUCT] = f"{labels.get(PRODUCT, 'GPU')}-{kind}"
        yield made


def inventory(count: int, kinds: int, spec: dict[str, Any] | None = None) -> Inventory:
    """Return what they offer, where each node has a spec of its own or this one."""
    found = (each if spec is None else each | {"spec": spec} for each in nodes(count, kinds))
    return build_inventory(msgspec.convert(each, Node) for each in found)
