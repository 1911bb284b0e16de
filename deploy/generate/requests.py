"""CEL of the backstop on GPU requests: what a name amounts to, by the forms of the dialects."""

from collections.abc import Iterable, Iterator
from typing import Final

from deploy.generate.cel import HAS_VARIABLES, over_pod, requires_label
from webhook.core.api import denials, mig, names
from webhook.core.api.reason import Reason
from webhook.core.checks.cel import (
    CONTAINERS,
    LISTS,
    NOT_ZERO,
    REQUESTS_MPS,
    leaves,
    matches,
    requires,
)
from webhook.core.checks.registry import CHECKS
from webhook.core.decision.safety import BACKSTOP
from webhook.core.gpu.meaning import FORMS
from webhook.core.gpu.resources import ResourceKind
from webhook.core.gpu.strategies import Strategy
from webhook.core.gpu.values import Form, NodeRequirement

_SLICE: Final = f"k.{matches(mig.RESOURCE_PATTERN)}"
_SHARED: Final = f"k.endsWith('{names.SHARED}')"
_IS: Final = {
    ResourceKind.GPU: f"k == '{names.GPU}'",
    ResourceKind.SHARED_GPU: f"k == '{names.SHARED_GPU}'",
    ResourceKind.SLICE: f"{_SLICE} && !{_SHARED}",
    ResourceKind.SHARED_SLICE: f"{_SLICE} && {_SHARED}",
}
ISOLATED: Final = tuple(each for each in Strategy if each.traits.isolated)
_WHOLE: Final = {ResourceKind.GPU: "gpu", ResourceKind.SHARED_GPU: "sharedGpu"}
"""Kinds of one name, whose forms are a variable each: looked at once, not for each request."""
_OLD: Final = f"oldObject.spec.{LISTS[-1]}"
_UNLESS_TENANT: Final = "!variables.tenant || "
_ANY_GPU: Final = " || ".join(f"({each})" for each in _IS.values())
_POOL: Final = f"'{names.TENANT}'"
_OWN_POOL: Final = "variables.name != '' && v == variables.name"
_MAY_SHARE: Final = (
    '{{ if eq "shared" (dig "tenantPools" "isolated" (.Values.policy | default dict)) }}'
    "(variables.tenant ? variables.ownPool : variables.offPools)"
    "{{ else }}!variables.tenant{{ end }}"
)
_UNLESS_AVAILABLE: Final = (
    f'{{{{ if eq .Values.profile "available" }}}}{_UNLESS_TENANT}{{{{ end }}}}'
)
_PINNED: Final = leaves("'{{ $key }}'", "v == '{{ $value }}'")
_DECLARED: Final = (
    '[]{{ $pools := .Values.policy.pools }}{{ if kindIs "map" $pools }}'
    "{{ $pools = $pools.replace }}{{ end }}"
    "{{ range $pool := $pools }}{{ if and $pool.strategy %s }} + (true"
    "{{ range $key, $value := $pool.selector }} && "
    f"{_PINNED}{{{{ end }}}}"
    " ? ['{{ default \"nvidia.com/gpu\" $pool.resource }}'] : []){{ end }}{{ end }}"
)
"""Names that pods pin to pools of the chart's policy, with a condition on the pool's strategy."""


def backstop_variables() -> Iterator[tuple[str, str]]:
    """Yield the variables that the validations use, and their CEL.

    `containers` are all of a pod that is created, and of one that exists those that an update adds,
    which are ephemeral. Only those can come, and no other can change in what is looked at. While
    a pod is gated its placement can still be narrowed, so `entered` says whether an update moves it
    into the pool of another tenant; then the requests of all containers count.
    """
    added = f"!(has({_OLD}) && {_OLD}.exists(d, d.name == c.name))"
    ephemeral = f"o.spec.{LISTS[-1]}"
    new = over_pod(f"(has({ephemeral}) ? {ephemeral} : []).filter(c, {added})")
    all_of_them = over_pod(CONTAINERS)
    yield "containers", f"request.operation == 'UPDATE' ? {new} : {all_of_them}"
    yield "configured", f"variables.containers.filter(c, {HAS_VARIABLES})"
    isolated = " ".join(f'"{each}"' for each in ISOLATED)
    yield "declared", over_pod(_DECLARED % "true")
    yield "declaredIsolated", over_pod(_DECLARED % f"(has $pool.strategy (list {isolated}))")
    limits = "has(c.resources) && has(c.resources.limits) ? c.resources.limits : {}"
    yield "pool", over_pod(requires_label(names.TENANT))
    yield "ownPool", over_pod(leaves(_POOL, _OWN_POOL))
    before = over_pod(requires_label(names.TENANT), "oldObject")
    entered = f"variables.pool && !variables.ownPool && !({before})"
    yield "entered", f"request.operation == 'UPDATE' && {entered}"
    counted = f"(variables.entered ? {all_of_them} : variables.containers)"
    yield "requested", f"{counted}.map(c, {limits})"
    yield "mps", over_pod(REQUESTS_MPS)
    for kind, name in _WHOLE.items():
        yield name, over_pod(_shown(FORMS[kind]))
        yield f"{name}Isolated", over_pod(_shown(_isolated(kind)))
    yield "offPools", over_pod(requires(NodeRequirement(names.TENANT, "DoesNotExist")))
    for check in CHECKS:
        for name, expression in (check.backstop.variables if check.backstop else {}).items():
            yield name, over_pod(expression)


def request_validations() -> Iterator[tuple[Reason, str, str]]:
    """Yield the reason, the message and the CEL of each validation."""
    unknown = " || ".join(f"({_IS[kind]} && !{_any(kind)})" for kind in ResourceKind)
    shared = " || ".join(
        f"({_IS[kind]} && {_any(kind)} && !{_isolating(kind)})" for kind in ResourceKind
    )
    for reason, rule in (
        (denials.NOT_REWRITTEN, f"{_UNLESS_AVAILABLE}{_no_request(unknown)}"),
        (
            denials.TENANT_NEEDS_ISOLATION,
            f"(!variables.pool || variables.ownPool || {_no_request(_ANY_GPU)})"
            f" && ({_MAY_SHARE} || {_no_request(shared)})",
        ),
    ):
        yield reason, BACKSTOP[reason], rule


def settled() -> str:
    """Return CEL for a name `k` of a device that is a pod's own wherever it can land."""
    own = (f"({_IS[kind]} && {_shown(_isolated(kind))})" for kind in FORMS if _isolated(kind))
    return f"({' || '.join(own)}) && !{requires_label(names.TENANT)}"


def _no_request(condition: str) -> str:
    """Return CEL for a pod without a request whose name `k` meets a condition."""
    request = f"m.exists(k, k.startsWith('{names.NVIDIA}') && {NOT_ZERO} && ({condition}))"
    return f"!variables.requested.exists(m, {request})"


def _any(kind: ResourceKind) -> str:
    """Return CEL for a pod whose placement says what a name `k` of a kind amounts to."""
    if len({form.strategy for form in FORMS[kind]}) == 1:
        return "true"
    shown = f"variables.{_WHOLE[kind]}" if kind in _WHOLE else over_pod(_shown(FORMS[kind]))
    return f"({shown} || k in variables.declared)"


def _isolating(kind: ResourceKind) -> str:
    whole = kind in _WHOLE
    shown = f"variables.{_WHOLE[kind]}Isolated" if whole else over_pod(_shown(_isolated(kind)))
    return f"({shown} || k in variables.declaredIsolated)"


def _isolated(kind: ResourceKind) -> tuple[Form, ...]:
    return tuple(form for form in FORMS[kind] if form.strategy.traits.isolated)


def _shown(forms: Iterable[Form]) -> str:
    """Return CEL for a pod that leaves only nodes that show one of some forms."""
    return f"({' || '.join(map(_all_of, forms)) or 'false'})"


def _all_of(form: Form) -> str:
    parts = [requires(each, _key(each)) for each in form.requirements]
    if form.product_pattern:
        parts.append(leaves(f"'{form.labels.product}'", f"v.{matches(form.product_pattern)}"))
    return f"({' && '.join(parts)})"


def _key(requirement: NodeRequirement) -> str:
    """Return CEL for the key of a label, which may name the profile that `k` names."""
    before, found, after = requirement.key.partition("{slice}")
    return f"'{before}' + k.replace('{names.SHARED}', '') + '{after}'" if found else ""
