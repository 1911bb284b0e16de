"""A policy file as text becomes a Policy, or an error with line and path."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import msgspec

from webhook.core.api import quantity
from webhook.core.api.workload import Workload
from webhook.core.checks.finding import TenantAllowances
from webhook.core.gpu.strategies import Strategy
from webhook.core.gpu.values import DeclaredPool
from webhook.core.integrations import field_path
from webhook.core.integrations.field_path import PathPattern
from webhook.core.integrations.integration import WellKnownLabel
from webhook.core.policy import checks_schema, hints, merge, mistakes
from webhook.core.policy.checks_schema import GuardsFile, TreatmentsFile
from webhook.core.policy.merge import WrittenPolicy
from webhook.core.policy.pools import PoolError, compile_pool
from webhook.core.policy.schema import MatrixFile, PodTemplateFile, PolicyFile, PoolFile, RowFile
from webhook.core.policy.values import Choice, Policy, Row, RowName
from webhook.core.policy.yaml_text import parse_document


class PolicyError(ValueError):
    """The policy is wrong, and the message says where and what was expected."""


_ALWAYS: Final = ("apiVersion", "kind")
_PARTIAL: Final = (MatrixFile, RowFile, GuardsFile, TreatmentsFile)


def parse_policy(text: str, default: str) -> Policy:
    """Return the policy that `text` states on top of the built-in one.

    Args:
        text: YAML of the policy; may be partial, down to single keys of a matrix row.
        default: YAML of the built-in policy, which states everything.

    Raises:
        PolicyError: not YAML, an unknown key, a wrong type, what can never match, or an unsafe
            tenant row.

    """
    written = _merge(text, default)
    try:
        read = msgspec.convert(written.whole, PolicyFile)
    except msgspec.ValidationError as error:
        raise PolicyError(written.explain(str(error)) + hints.hint(str(error))) from None
    _refuse_mistakes(read, written)
    return _compile(read, written)


def whole_policy(text: str, default: str) -> dict[str, Any]:
    """Return a policy with all that it leaves out, as a policy file states it.

    Raises:
        PolicyError: as `parse_policy`.
    """
    parse_policy(text, default)
    written = _merge(text, default)
    return written.whole | {key: {merge.REPLACE: written.whole[key]} for key in written.replaced}


def _merge(text: str, default: str) -> WrittenPolicy:
    document = parse_document(text, PolicyError)
    if not isinstance(document.value, dict):
        raise PolicyError("line 1: expected a mapping that starts with apiVersion and kind")
    for key in _ALWAYS:
        if key not in document.value:
            raise PolicyError(f"line 1: `{key}` is missing; begin as the built-in policy does")
    return merge.merge_policy(_built_in(default), document)


@cache
def _built_in(default: str) -> Any:
    """Reading it takes longer than most files that are laid over it."""
    return parse_document(default, PolicyError).value


def _refuse_mistakes(read: PolicyFile, written: WrittenPolicy) -> None:
    """Refuse what has the right form and can never match."""
    for path, wrong in _mistakes(read):
        if wrong is not None:
            raise PolicyError(f"{written.locate(path)}: {wrong}")


def _mistakes(read: PolicyFile) -> Iterator[tuple[str, str | None]]:
    """Yield each path that is looked at, and what is wrong there."""
    for index, user in enumerate(read.exempt_users):
        yield f"$.exemptUsers[{index}]", mistakes.wrong_user(user)
    for index, key in enumerate(read.gpu_taints):
        yield f"$.gpuTaints[{index}]", mistakes.wrong_taint(key)
    for index, name in enumerate(read.tenant_capabilities):
        yield f"$.tenantCapabilities[{index}]", mistakes.wrong_capability(name)
    for index, each in enumerate(read.well_known_labels):
        yield f"$.wellKnownLabels[{index}].label", mistakes.wrong_key(each.label)
    for name, row in _rows(read):
        for index, choice in enumerate(row.strategies):
            for at, word in enumerate(() if isinstance(choice, Strategy) else choice.on):
                path = f"$.matrix.{name}.strategies[{index}].on[{at}]"
                yield path, mistakes.wrong_product(word)


def _rows(read: PolicyFile) -> Iterator[tuple[RowName, RowFile]]:
    return zip(RowName, msgspec.structs.astuple(read.matrix), strict=True)


def policy_schema() -> dict[str, Any]:
    """Return the JSON Schema of a policy file, for editors."""
    made = msgspec.json.schema(PolicyFile)
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "Policy of the GPU-sharing webhook"
    made["$defs"]["PolicyFile"]["required"] = list(_ALWAYS)
    for partial in _PARTIAL:
        made["$defs"][partial.__name__]["required"] = []
    properties = made["$defs"]["PolicyFile"]["properties"]
    properties.update(dict(merge.list_schemas(properties)))
    return made


def _compile(read: PolicyFile, written: WrittenPolicy) -> Policy:
    shared = read.tenant_pools == "shared"
    matrix = {name: _row(name, row, written) for name, row in _rows(read)}
    if not shared:
        _require_isolation(matrix, written)
    allowances = map(frozenset, (read.tenant_host_paths, read.tenant_capabilities))
    return Policy(
        matrix=matrix,
        guards=checks_schema.compile_treatments(read.guards),
        several_mig_devices=read.several_mig_devices == "allow",
        shared_tenant_pools=shared,
        tenant_allowances=TenantAllowances(*allowances),
        well_known_labels=tuple(
            WellKnownLabel(each.label, Workload(each.workload), each.value)
            for each in read.well_known_labels
        ),
        exempt_users=frozenset(read.exempt_users),
        gpu_taints=frozenset(read.gpu_taints),
        momentary_taints=read.momentary_taints,
        pools=_pools(read.pools, written),
        pod_templates=_stated_paths(read.pod_templates, written),
        command_hints=read.command_hints == "classify",
        model_memory=read.model_memory == "estimate",
    )


@contextmanager
def _reading(written: WrittenPolicy, path: str) -> Iterator[None]:
    """Places what is wrong with the text of a value."""
    try:
        yield
    except (quantity.QuantityError, field_path.FieldPathError) as error:
        raise PolicyError(f"{written.locate(path)}: {error}") from None


def _row(name: RowName, row: RowFile, written: WrittenPolicy) -> Row:
    choices = tuple(
        Choice(each) if isinstance(each, Strategy) else Choice(each.strategy, each.on)
        for each in row.strategies
    )
    with _reading(written, f"$.matrix.{name}.memory"):
        memory = None if row.memory is None else quantity.mebibytes(row.memory)
    return Row(choices, row.otherwise, row.several_gpus, memory)


def _require_isolation(matrix: Mapping[RowName, Row], written: WrittenPolicy) -> None:
    for name in (RowName.TENANT, RowName.TENANT_TRAINING):
        for index, choice in enumerate(matrix[name].choices):
            if not choice.strategy.traits.isolated:
                raise PolicyError(
                    f"{written.locate(f'$.matrix.{name}.strategies[{index}]')}: "
                    f"{choice.strategy} does not isolate tenants; write mig or exclusive, or set "
                    "`tenantPools: shared` to allow it on nodes of the tenant's own"
                )


def _pools(read: tuple[PoolFile, ...], written: WrittenPolicy) -> tuple[DeclaredPool, ...]:
    made: list[DeclaredPool] = []
    for index, each in enumerate(read):
        try:
            pool = compile_pool(each)
        except PoolError as error:
            where = written.locate(f"$.pools[{index}].{error.key}")
            raise PolicyError(f"{where}: {error}") from None
        if pool.name in {other.name for other in made}:
            where = written.locate(f"$.pools[{index}].name")
            raise PolicyError(f"{where}: another pool is called {pool.name} too")
        empty = mistakes.empty_pool(pool)
        if empty is not None:
            raise PolicyError(f"{written.locate(f'$.pools[{index}]')}: {empty}")
        made.append(pool)
    return tuple(made)


def _stated_paths(
    read: tuple[PodTemplateFile, ...], written: WrittenPolicy
) -> dict[tuple[str | None, str], tuple[PathPattern, ...]]:
    made: dict[tuple[str | None, str], tuple[PathPattern, ...]] = {}
    for index, each in enumerate(read):
        with _reading(written, f"$.podTemplates[{index}].path"):
            key = (each.group, each.kind)
            made[key] = (*made.get(key, ()), field_path.parse_pattern(each.path))
    return made
