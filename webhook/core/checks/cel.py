"""CEL that several checks and the chart are made of, over a pod `o` and its container `c`."""

import re
from collections.abc import Iterable
from typing import Final

from webhook.core.api import mig, names
from webhook.core.checks.check import Condition

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
    """Return CEL that holds for a pod of which some container meets a condition on `c`."""
    each = (f"(has(o.spec.{name}) && o.spec.{name}.exists(c, {condition}))" for name in LISTS)
    return f"({' || '.join(each)})"


def pod_condition(condition: Condition, pod: str = "object") -> str:
    """Return CEL for a condition over the pod that an expression gives; empty for never."""
    parts = [f"({condition.pod})"] if condition.pod else []
    if condition.container:
        parts.append(any_container(condition.container))
    return _POD.sub(pod, " || ".join(parts))


def resource_names(condition: str) -> str:
    """Return CEL for a container with a name `k` in the map `m` of its limits or requests."""
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
_ON_MPS: Final = (
    f"(has(o.spec.nodeSelector) && '{names.GPU_SHARING}' in o.spec.nodeSelector"
    f" ? o.spec.nodeSelector['{names.GPU_SHARING}'] == 'mps'"
    " : (has(o.spec.affinity) && has(o.spec.affinity.nodeAffinity)"
    f" && has(o.spec.affinity.nodeAffinity.{_AFFINITY})"
    f" && {_TERMS}.exists(t, {_LIVE})"
    f" && {_TERMS}.all(t, !{_LIVE} || (has(t.matchExpressions) && t.matchExpressions.exists(e,"
    f" e.key == '{names.GPU_SHARING}' && e.operator == 'In' && has(e.values)"
    " && e.values == ['mps'])))))"
)
REQUESTS_MPS: Final = f"{_ON_MPS} && {any_container(_SHARED_BY_MPS)}"
"""A pod requests a GPU under MPS."""
