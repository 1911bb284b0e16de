"""CEL that several checks share, over a pod `o` and its container `c`."""

import re
from collections.abc import Iterable
from typing import Final

from webhook.core.api import mig, names
from webhook.core.checks.check import PodCondition
from webhook.core.gpu.meaning import FORMS
from webhook.core.gpu.resources import ResourceKind
from webhook.core.gpu.values import NodeRequirement

LISTS: Final = ("containers", "initContainers", "ephemeralContainers")
_AFFINITY: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_POD: Final = re.compile(r"(?<![\w.'])o(?=\.)")


def listed(texts: Iterable[str]) -> str:
    """Return a CEL list of texts."""
    return "[" + ", ".join(f"'{each}'" for each in texts) + "]"


def matches(pattern: str) -> str:
    """Returns the call of `matches` with a pattern of Python's, which spells the end otherwise."""
    end = pattern.replace(r"\Z", "$")
    return f"matches(r'{end}')"


def any_container(condition: str) -> str:
    """Return CEL that holds where some container meets a condition on `c`."""
    each = (f"(has(o.spec.{name}) && o.spec.{name}.exists(c, {condition}))" for name in LISTS)
    return f"({' || '.join(each)})"


def pod_condition(condition: PodCondition, pod: str = "object") -> str:
    """Return CEL for a condition over the pod that an expression gives.

    Empty for never.
    """
    parts = [f"({condition.pod})"] if condition.pod else []
    if condition.container:
        parts.append(any_container(condition.container))
    return _POD.sub(pod, " || ".join(parts))


def resource_names(condition: str) -> str:
    """Return CEL for a container with a matching name `k` in limits or requests."""
    maps = ("limits", "requests")
    each = (
        f"(has(c.resources.{m}) && c.resources.{m}.exists(k, "
        f"{condition.replace('m[', f'c.resources.{m}[')}))"
        for m in maps
    )
    return f"has(c.resources) && ({' || '.join(each)})"


_GPUS: Final = (
    f"(k in {listed((names.GPU, names.SHARED_GPU))} || k.{matches(mig.RESOURCE_PATTERN)})"
)
_NOT_ZERO: Final = "string(m[k]) != '0'"
REQUESTS_GPU: Final = resource_names(f"{_GPUS} && {_NOT_ZERO}")
"""A container requests a GPU; a quantity of zero is no request."""

_SHARED_BY_MPS: Final = resource_names(
    f"k in {listed((names.GPU, names.SHARED_GPU))} && {_NOT_ZERO}"
)
_TERMS: Final = f"o.spec.affinity.nodeAffinity.{_AFFINITY}.nodeSelectorTerms"
_LIVE: Final = "(has(t.matchExpressions) || has(t.matchFields))"


def _requires(requirement: NodeRequirement) -> str:
    """Returns CEL for a pod that lands only on nodes with these label values."""
    key, values = requirement.key, listed(requirement.values)
    return (
        f"(has(o.spec.nodeSelector) && '{key}' in o.spec.nodeSelector"
        f" ? o.spec.nodeSelector['{key}'] in {values}"
        " : (has(o.spec.affinity) && has(o.spec.affinity.nodeAffinity)"
        f" && has(o.spec.affinity.nodeAffinity.{_AFFINITY}) && {_TERMS}.exists(t, {_LIVE})"
        f" && {_TERMS}.all(t, !{_LIVE} || (has(t.matchExpressions)"
        f" && t.matchExpressions.exists(e, e.key == '{key}' && e.operator == 'In'"
        f" && has(e.values) && size(e.values) > 0 && e.values.all(v, v in {values}))))))"
    )


_ON_MPS: Final = " || ".join(
    " && ".join(map(_requires, form.requirements))
    for form in FORMS[ResourceKind.GPU]
    if form.strategy.traits.mounts_shared_memory
)
REQUESTS_MPS: Final = f"({_ON_MPS}) && {any_container(_SHARED_BY_MPS)}"
"""A pod requests a GPU under MPS."""
