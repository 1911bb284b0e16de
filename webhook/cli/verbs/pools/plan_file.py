"""The file of `pools plan -f`: a stock of GPUs, workloads, prices."""

import json
from collections import Counter
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from webhook.cli import manifests
from webhook.cli.manifests import InputError
from webhook.core.api import names, quantity
from webhook.core.api.pod import Pod
from webhook.core.policy.yaml_text import parse_document
from webhook.core.pools.plugin_file import MOST_MPS_CLIENTS

_Count = Annotated[int, Meta(ge=1, le=100_000)]
_Name = Annotated[str, Meta(min_length=1, max_length=253)]


class _PlanPart(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A typing error in a key must not be skipped in silence."""


class StockLine(_PlanPart, frozen=True):
    """GPUs of one product, in nodes of `gpus_per_node`, of which the last may have fewer."""

    product: _Name
    gpus: Annotated[int, Meta(ge=0, le=100_000)]
    gpus_per_node: Annotated[int, Meta(ge=1, le=64)]
    memory: str | None = None


class WorkloadLine(_PlanPart, frozen=True):
    """Pods that want the same. `memory` is what one GPU request needs."""

    name: _Name
    workload: Literal["training", "inference", "dev", "tenant"]
    replicas: Annotated[int, Meta(ge=0, le=100_000)]
    memory: str | None = None
    gpus: _Count = 1
    tenant: _Name | None = None


class PlanFile(_PlanPart, frozen=True):
    """What is to be planned. What is left out is read from the cluster, but for the replicas."""

    stock: tuple[StockLine, ...] | None = None
    workloads: tuple[WorkloadLine, ...] | None = None
    prices: dict[str, Annotated[float, Meta(ge=0)]] = {}
    mps_replicas: Annotated[int, Meta(ge=2, le=MOST_MPS_CLIENTS)] = 10
    time_slicing_replicas: Annotated[int, Meta(ge=2, le=100)] = 4


def read_plan_file(path: str) -> PlanFile:
    """Read a plan file, YAML or JSON.

    Raises:
        InputError: it cannot be read or is wrong; the message says where.
    """
    text = manifests.read_text(path)
    try:
        found = msgspec.convert(json.loads(text, object_pairs_hook=_without_twins), PlanFile)
    except (ValueError, RecursionError):  # not JSON, or wrong: YAML's reader knows the lines
        found = _read_yaml(path, text)
    for index, line in enumerate(found.stock or ()):
        _check_memory(f"{path}: stock[{index}].memory", line.memory)
    for index, each in enumerate(found.workloads or ()):
        _check_memory(f"{path}: workloads[{index}].memory", each.memory)
    names_of = [each.name for each in found.workloads or ()]
    if twice := next((each for each, count in Counter(names_of).items() if count > 1), None):
        raise InputError(f"{path}: several workloads are named {twice}; give each its own name")
    return found


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _read_yaml(path: str, text: str) -> PlanFile:
    try:
        document = parse_document(text, InputError)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    try:
        return msgspec.convert(document.value or {}, PlanFile)
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: {document.explain(str(error))}") from None


def _check_memory(where: str, memory: str | None) -> None:
    try:
        if memory is not None:
            quantity.mebibytes(memory)
    except quantity.QuantityError as error:
        raise InputError(f"{where}: {error}") from None


def namespace_of(line: WorkloadLine) -> dict[str, str]:
    """Return the labels of its namespace: only they open a tenant's own nodes."""
    return {} if line.tenant is None else {names.TENANT: line.tenant}


def pod_of(line: WorkloadLine) -> Pod:
    """Return a pod of a workload, as its author would write it."""
    labels = {names.WORKLOAD: line.workload}
    annotations = {} if line.memory is None else {names.GPU_MEMORY: line.memory}
    container = {"name": "main", "resources": {"limits": {names.GPU: line.gpus}}}
    metadata = {"name": line.name, "labels": labels, "annotations": annotations}
    return msgspec.convert({"metadata": metadata, "spec": {"containers": [container]}}, Pod)
