"""A policy file as text becomes a Policy, or an error with line and path."""

import difflib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec

from webhook.core.api import node, quantity
from webhook.core.api.workload import Workload
from webhook.core.gpu.strategies import Strategy
from webhook.core.integrations import field_path
from webhook.core.integrations.field_path import PathPattern
from webhook.core.integrations.integration import WellKnownLabel
from webhook.core.policy import checks_schema
from webhook.core.policy.checks_schema import GuardsFile, TreatmentsFile
from webhook.core.policy.schema import (
    ChoiceFile,
    LabelFile,
    MatrixFile,
    PodTemplateFile,
    PolicyFile,
    PoolFile,
    RowFile,
    TaintFile,
)
from webhook.core.policy.values import (
    Choice,
    Policy,
    Row,
    RowName,
)
from webhook.core.policy.yaml_text import Document, parse_document


class PolicyError(ValueError):
    """The policy is wrong, and the message says where and what was expected."""


_ALWAYS: Final = ("apiVersion", "kind")
_PARTIAL: Final = (MatrixFile, RowFile, GuardsFile, TreatmentsFile)
_LISTED: Final = (ChoiceFile, LabelFile, TaintFile, PoolFile, PodTemplateFile)


def parse_policy(text: str, default: str) -> Policy:
    """Returns the policy that `text` states on top of the built-in one.

    Args:
        text: YAML of the policy; may be partial, down to single keys of a matrix row.
        default: YAML of the built-in policy, which states everything.

    Raises:
        PolicyError: not YAML, an unknown key, a wrong type, or an unsafe tenant row.

    """
    document = parse_document(text, PolicyError)
    if not isinstance(document.value, dict):
        raise PolicyError("line 1: expected a mapping that starts with apiVersion and kind")
    for key in _ALWAYS:
        if key not in document.value:
            raise PolicyError(f"line 1: `{key}` is missing; begin as the built-in policy does")
    whole = _over(parse_document(default, PolicyError).value, document.value)
    try:
        return _compile(msgspec.convert(whole, PolicyFile), document)
    except msgspec.ValidationError as error:
        raise PolicyError(document.explain(str(error)) + _hint(str(error))) from None


def policy_schema() -> dict[str, Any]:
    """Returns the JSON Schema of a policy file, for editors."""
    made = msgspec.json.schema(PolicyFile)
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "Policy of the GPU-sharing webhook"
    made["$defs"]["PolicyFile"]["required"] = list(_ALWAYS)
    for partial in _PARTIAL:
        made["$defs"][partial.__name__]["required"] = []
    return made


def _hint(error: str) -> str:
    """Returns what to write instead, where msgspec's message does not say it."""
    fields = [field for part in (*_PARTIAL, *_LISTED, PolicyFile) for field in _fields(part)]
    unknown = re.search(r"unknown field `(.+?)`", error)
    if unknown:
        others = [key for key, _ in fields if key != unknown[1]]  # it may be known elsewhere
        near = difflib.get_close_matches(unknown[1], others, n=1)
        return f"; did you mean `{near[0]}`?" if near else ""
    if error.endswith("].kind`"):  # of a pod template: any kind
        return ""
    key = re.search(r"(\w+)(?:\[\d+\])?`$", error)
    word = "enum value" in error or "got `bool`" in error  # Helm turns a bare `off` into false
    found = (_words(annotation) for name, annotation in fields if key and word and name == key[1])
    allowed = next(filter(None, found), ())
    return f"; write {' or '.join(allowed)}" if allowed else ""


def _fields(part: type[msgspec.Struct]) -> Iterator[tuple[str, Any]]:
    """Yields each key of a part of the file, with the type of its value."""
    annotations = get_type_hints(part, include_extras=True)
    for key, name in zip(part.__struct_encode_fields__, part.__struct_fields__, strict=True):
        yield key, annotations[name]


def _words(annotation: Any) -> tuple[str, ...]:
    """Returns the words of the first closed list within a type."""
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return tuple(annotation)
    inner = get_args(annotation)
    return (
        inner if get_origin(annotation) is Literal else next(filter(None, map(_words, inner)), ())
    )


def _over(base: Any, changes: Any) -> Any:
    """Returns mappings laid over mappings, where anything else replaces."""
    if not isinstance(base, dict) or not isinstance(changes, dict):
        return changes
    return base | {key: _over(base.get(key), value) for key, value in changes.items()}


def _compile(read: PolicyFile, document: Document) -> Policy:
    shared = read.tenant_pools == "shared"
    rows = zip(RowName, msgspec.structs.astuple(read.matrix), strict=True)
    matrix = {name: _row(name, row, document) for name, row in rows}
    if not shared:
        _require_isolation(matrix, document)
    return Policy(
        matrix=matrix,
        guards=checks_schema.compile_treatments(read.guards),
        several_mig_devices=read.several_mig_devices == "allow",
        shared_tenant_pools=shared,
        well_known_labels=tuple(
            WellKnownLabel(each.label, Workload(each.workload), each.value)
            for each in read.well_known_labels
        ),
        exempt_users=frozenset(read.exempt_users),
        gpu_taints=frozenset(read.gpu_taints),
        pools=tuple(_pool(index, pool, document) for index, pool in enumerate(read.pools)),
        pod_templates=_stated_paths(read.pod_templates, document),
    )


@contextmanager
def _reading(document: Document, path: str) -> Iterator[None]:
    """Places what is wrong with the text of a value."""
    try:
        yield
    except (quantity.QuantityError, field_path.FieldPathError) as error:
        raise PolicyError(f"{document.locate(path)}: {error}") from None


def _row(name: RowName, row: RowFile, document: Document) -> Row:
    choices = tuple(
        Choice(each) if isinstance(each, Strategy) else Choice(each.strategy, each.on)
        for each in row.strategies
    )
    with _reading(document, f"$.matrix.{name}.memory"):
        memory = None if row.memory is None else quantity.mebibytes(row.memory)
    return Row(choices, row.otherwise, row.several_gpus, memory)


def _require_isolation(matrix: Mapping[RowName, Row], document: Document) -> None:
    for name in (RowName.TENANT, RowName.TENANT_TRAINING):
        for index, choice in enumerate(matrix[name].choices):
            if not choice.strategy.traits.isolated:
                raise PolicyError(
                    f"{document.locate(f'$.matrix.{name}.strategies[{index}]')}: "
                    f"{choice.strategy} does not isolate tenants; write mig or exclusive, or set "
                    "`tenantPools: shared` to allow it on nodes of the tenant's own"
                )


def _pool(index: int, pool: PoolFile, document: Document) -> node.Node:
    for resource, raw in pool.allocatable.items():
        with _reading(document, f"$.pools[{index}].allocatable[{resource}]"):
            quantity.count(raw)
    return node.Node(
        metadata=node.NodeMetadata(name=pool.name, labels=pool.labels),
        spec=node.NodeSpec(taints=tuple(node.Taint(t.key, t.effect, t.value) for t in pool.taints)),
        status=node.NodeStatus(allocatable=dict(pool.allocatable)),
    )


def _stated_paths(
    read: tuple[PodTemplateFile, ...], document: Document
) -> dict[str, tuple[PathPattern, ...]]:
    made: dict[str, tuple[PathPattern, ...]] = {}
    for index, each in enumerate(read):
        with _reading(document, f"$.podTemplates[{index}].path"):
            made[each.kind] = (*made.get(each.kind, ()), field_path.parse_pattern(each.path))
    return made
