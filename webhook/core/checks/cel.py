"""CEL that several checks share, over a pod `o` and its container `c`."""

from collections.abc import Iterable
from typing import Final

from webhook.core.api import mig, names
from webhook.core.gpu.meaning import FORMS
from webhook.core.gpu.resources import NETWORK, ResourceKind
from webhook.core.gpu.values import NodeRequirement

VARIABLES: Final = ("NVIDIA_", "CUDA_")
"""How every variable begins that checks look at."""
COMMON: Final = ("cpu", "memory", "ephemeral-storage")
"""Most names of resources: nothing else is tried on them."""
MAPS: Final = ("c.resources.limits", "c.resources.requests")
"""Of a pod the last has all names: `SetDefaults_Pod` adds what stands in limits alone."""
LISTS: Final = ("containers", "initContainers", "ephemeralContainers")
_ONLY: Final = f"o.spec.{LISTS[0]}"
CONTAINERS: Final = (
    f"({' || '.join(f'has(o.spec.{each})' for each in LISTS[1:])} || !has({_ONLY}) ? "
    f"{' + '.join(f'(has(o.spec.{each}) ? o.spec.{each} : [])' for each in LISTS)} : {_ONLY})"
)
"""All containers of a pod, which mostly are one list."""


def listed(texts: Iterable[str]) -> str:
    """Return a CEL list of texts."""
    return "[" + ", ".join(f"'{each}'" for each in texts) + "]"


def matches(pattern: str) -> str:
    """Return the call of `matches` with a pattern of Python's, which spells the end otherwise."""
    end = pattern.replace(r"\Z", "$")
    return f"matches(r'{end}')"


def any_container(condition: str, most: int = 0) -> str:
    """Return CEL for containers of which one meets a condition on `c`, or over `most`."""
    found = f"{CONTAINERS}.exists(c, {condition})"
    return f"(size({CONTAINERS}) > {most} || {found})" if most else found


def some(path: str, each: str, condition: str, most: int = 0) -> str:
    """Return CEL for entries of which one meets a condition, or more than `most`.

    A turn of `filter` that finds nothing costs the API server half of one of `exists`.
    """
    found = f"size({path}.filter({each}, {condition})) > 0"
    return f"(has({path}) && {f'(size({path}) > {most} || {found})' if most else found})"


def resource_names(condition: str, most: int = 0, maps: Iterable[str] = MAPS) -> str:
    """Return CEL for a container that requests a matching name `k`, none of COMMON."""
    uncommon = f"!(k in {listed(COMMON)}) && ({condition})"
    each = (some(m, "k", uncommon.replace("m[", f"{m}["), most) for m in maps)
    return f"has(c.resources) && ({' || '.join(each)})"


def names_gpu(key: str) -> str:
    """Return CEL for a resource name that the NVIDIA device plugin can serve."""
    whole = listed((names.GPU, names.SHARED_GPU))
    return f"({key} in {whole} || {key}.{matches(mig.RESOURCE_PATTERN)})"


NOT_ZERO: Final = "string(m[k]) != '0'"
REQUESTS_GPU: Final = resource_names(f"{names_gpu('k')} && {NOT_ZERO}")
"""A container requests a GPU; a quantity of zero is no request."""

NAMES_DEVICE: Final = f"(k.startsWith('{names.NVIDIA}') || k.startsWith('{names.DEVICE_CLASS}'))"
"""A resource is one of NVIDIA's or of a device class."""
REQUESTS_DEVICE: Final = (
    "has(c.resources) && has(c.resources.claims) && size(c.resources.claims) > 0 || "
    + resource_names(f"{NAMES_DEVICE} && !k.{matches(NETWORK)} && {NOT_ZERO}")
)
"""A container requests a device of NVIDIA's, or claims one (`requests_device`)."""

_SHARED_BY_MPS: Final = resource_names(
    f"k in {listed((names.GPU, names.SHARED_GPU))} && {NOT_ZERO}"
)
_NODE: Final = f"o.spec.affinity.nodeAffinity.{names.REQUIRED}"
_TERMS: Final = f"{_NODE}.nodeSelectorTerms"
_LIVE: Final = "(has(t.matchExpressions) || has(t.matchFields))"


def every_term(condition: str) -> str:
    """Return CEL for a pod of which every live term `t` meets a condition."""
    return (
        f"has(o.spec.affinity) && has(o.spec.affinity.nodeAffinity) && has({_NODE})"
        f" && {_TERMS}.exists(t, {_LIVE}) && {_TERMS}.all(t, !{_LIVE} || "
        f"{some('t.matchExpressions', 'e', condition)})"
    )


def leaves(key: str, test: str) -> str:
    """Return CEL for a pod that leaves only nodes whose label passes a test.

    `key` is CEL itself, the test is one of the value `v`. Of a term with several lists of values,
    those in all of them are left.
    """
    others = f"t.matchExpressions.exists(f, f.key == {key} && f.operator == 'In' && "
    terms = every_term(
        f"e.key == {key} && e.operator == 'In' && has(e.values) && size(e.values) > 0"
        f" && e.values.all(v, {test} || {others}!(has(f.values) && v in f.values)))"
    )
    selector = "o.spec.nodeSelector"
    return (
        f"(has({selector}) && {key} in {selector} ? [{selector}[{key}]].all(v, {test}) : ({terms}))"
    )


def requires(requirement: NodeRequirement, key: str = "") -> str:
    """Return CEL for a pod that leaves only nodes for which a requirement holds."""
    key = key or f"'{requirement.key}'"
    if requirement.operator == "DoesNotExist":
        return f"({every_term(f'e.key == {key} && e.operator == {requirement.operator!r}')})"
    if requirement.operator == "Exists":
        return leaves(key, "true")
    return leaves(key, f"v in {listed(requirement.values)}")


_ON_MPS: Final = " || ".join(
    " && ".join(map(requires, form.requirements))
    for form in FORMS[ResourceKind.GPU]
    if form.strategy.traits.mounts_shared_memory
)
REQUESTS_MPS: Final = f"({_ON_MPS}) && {any_container(_SHARED_BY_MPS)}"
"""A pod requests a GPU under MPS."""
ON_MPS: Final = "variables.mps"
"""The same in the backstop, which looks once for all checks."""
