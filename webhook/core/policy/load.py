"""Policy YAML -> Policy, with its JSON Schema, and errors with line and path; reads no files."""

import difflib
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from webhook.core.api import node, quantity
from webhook.core.api.model import ISOLATED, Strategy, Workload
from webhook.core.checks import schema as families
from webhook.core.checks.schema import GuardsFile, TreatmentsFile
from webhook.core.integrations import field_path
from webhook.core.integrations.field_path import PathPattern
from webhook.core.integrations.integration import WellKnownLabel
from webhook.core.policy import yaml_text
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
    Otherwise,
    Policy,
    Row,
    RowName,
    SeveralGpus,
    Treatment,
)


class PolicyError(ValueError):
    """The policy is wrong; the message says where and what was expected."""


_ALWAYS: Final = ("apiVersion", "kind")
_PARTIAL: Final = (MatrixFile, RowFile, GuardsFile, TreatmentsFile)
_LISTED: Final = (ChoiceFile, LabelFile, TaintFile, PoolFile, PodTemplateFile)
_FILES: Final = (*_PARTIAL, *_LISTED, PolicyFile)
_KEYS: Final = tuple({key for part in _FILES for key in part.__struct_encode_fields__})
_TREATED: Final = (*TreatmentsFile.__struct_encode_fields__, *GuardsFile.__struct_encode_fields__)
_VALUES: Final[dict[str, tuple[str, ...]]] = {
    "apiVersion": ("gpu-sharing.io/v1",),
    "kind": ("Policy",),
    "strategies": tuple(Strategy),
    "strategy": tuple(Strategy),
    "otherwise": tuple(Otherwise),
    "severalGpus": tuple(SeveralGpus),
    "severalMigDevices": ("allow", "deny"),
    "tenantPools": ("isolated", "shared"),
    "workload": ("training", "inference", "dev", "tenant"),
    "effect": ("NoSchedule", "PreferNoSchedule", "NoExecute"),
    **dict.fromkeys(_TREATED, tuple(Treatment)),
}


def load(text: str, default: str) -> Policy:
    """Return the policy that `text` states on top of the built-in one.

    Args:
        text: YAML of the policy; may be partial, down to single keys of a matrix row.
        default: YAML of the built-in policy, which states everything.

    Raises:
        PolicyError: not YAML, an unknown key, a wrong type, or an unsafe tenant row.

    """
    document = yaml_text.parse(text, PolicyError)
    if not isinstance(document.value, dict):
        raise PolicyError("line 1: expected a mapping that starts with apiVersion and kind")
    for key in _ALWAYS:
        if key not in document.value:
            raise PolicyError(f"line 1: `{key}` is missing; begin as the built-in policy does")
    whole = _over(yaml_text.parse(default, PolicyError).value, document.value)
    try:
        return _compile(msgspec.convert(whole, PolicyFile), document.where)
    except msgspec.ValidationError as error:
        raise PolicyError(document.explain(str(error)) + _hint(str(error))) from None


def schema() -> dict[str, Any]:
    """The JSON Schema of a policy file, generated from the types above, for editors."""
    made = msgspec.json.schema(PolicyFile)
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "Policy of the GPU-sharing webhook"
    made["$defs"]["PolicyFile"]["required"] = list(_ALWAYS)
    for partial in _PARTIAL:
        made["$defs"][partial.__name__]["required"] = []
    return made


def _hint(error: str) -> str:
    """What to write instead, where msgspec's message does not say."""
    unknown = re.search(r"unknown field `(.+?)`", error)
    if unknown:
        others = [key for key in _KEYS if key != unknown[1]]  # it may be known elsewhere
        near = difflib.get_close_matches(unknown[1], others, n=1)
        return f"; did you mean `{near[0]}`?" if near else ""
    if error.endswith("].kind`"):  # of a pod template: any kind
        return ""
    key = re.search(r"(\w+)(?:\[\d+\])?`$", error)
    word = "enum value" in error or "got `bool`" in error  # Helm turns a bare `off` into false
    allowed = _VALUES.get(key[1]) if key and word else None
    return f"; write {' or '.join(allowed)}" if allowed else ""


def _over(base: Any, changes: Any) -> Any:
    """Lay mappings over mappings; anything else replaces."""
    if not isinstance(base, dict) or not isinstance(changes, dict):
        return changes
    return base | {key: _over(base.get(key), value) for key, value in changes.items()}


def _compile(read: PolicyFile, where: Callable[[str], str]) -> Policy:
    shared = read.tenant_pools == "shared"
    rows = zip(RowName, msgspec.structs.astuple(read.matrix), strict=True)
    matrix = {name: _row(name, row, where) for name, row in rows}
    for name in (RowName.TENANT, RowName.TENANT_TRAINING):
        _must_isolate(name, matrix[name], shared=shared, where=where)
    return Policy(
        matrix=matrix,
        guards=families.of_file(read.guards),
        several_mig_devices=read.several_mig_devices == "allow",
        shared_tenant_pools=shared,
        well_known_labels=tuple(
            WellKnownLabel(each.label, Workload(each.workload), each.value)
            for each in read.well_known_labels
        ),
        exempt_users=frozenset(read.exempt_users),
        gpu_taints=frozenset(read.gpu_taints),
        pools=tuple(_pool(index, pool, where) for index, pool in enumerate(read.pools)),
        pod_templates=_pod_templates(read.pod_templates, where),
    )


def _row(name: RowName, row: RowFile, where: Callable[[str], str]) -> Row:
    choices = tuple(
        Choice(each) if isinstance(each, Strategy) else Choice(each.strategy, each.on)
        for each in row.strategies
    )
    try:
        memory = None if row.memory is None else quantity.mebibytes(row.memory)
    except quantity.QuantityError as error:
        raise PolicyError(f"{where(f'$.matrix.{name}.memory')}: {error}") from None
    return Row(choices, row.otherwise, row.several_gpus, memory)


def _must_isolate(name: RowName, row: Row, *, shared: bool, where: Callable[[str], str]) -> None:
    for index, choice in enumerate(row.choices):
        if choice.strategy not in ISOLATED and not shared:
            raise PolicyError(
                f"{where(f'$.matrix.{name}.strategies[{index}]')}: {choice.strategy} does not "
                "isolate tenants; write mig or exclusive, or set `tenantPools: shared` to allow "
                "it on nodes of the tenant's own"
            )


def _pool(index: int, pool: PoolFile, where: Callable[[str], str]) -> node.Node:
    for resource, raw in pool.allocatable.items():
        try:
            quantity.count(raw)
        except quantity.QuantityError as error:
            path = f"$.pools[{index}].allocatable[{resource}]"
            raise PolicyError(f"{where(path)}: {error}") from None
    return node.Node(
        metadata=node.Metadata(name=pool.name, labels=pool.labels),
        spec=node.Spec(taints=tuple(node.Taint(t.key, t.effect, t.value) for t in pool.taints)),
        status=node.Status(allocatable=dict(pool.allocatable)),
    )


def _pod_templates(
    read: tuple[PodTemplateFile, ...], where: Callable[[str], str]
) -> dict[str, tuple[PathPattern, ...]]:
    made: dict[str, tuple[PathPattern, ...]] = {}
    for index, each in enumerate(read):
        try:
            made[each.kind] = (*made.get(each.kind, ()), field_path.parse_pattern(each.path))
        except field_path.FieldPathError as error:
            raise PolicyError(f"{where(f'$.podTemplates[{index}].path')}: {error}") from None
    return made
