"""CEL that counts the parts of a pod, as `core.api.limits` does, by sizes alone."""

from typing import Final

from webhook.core.api.limits import (
    AMOUNT,
    ANNOTATION,
    CONTAINER,
    MOST_PARTS,
    NAME,
    PATH,
    REQUIREMENT,
    TEXT,
    VOLUME,
)
from webhook.core.checks.cel import LISTS, any_container, some

_NODE = "o.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
_TERMS = f"{_NODE}.nodeSelectorTerms"
_NOTES = "o.metadata.annotations"
_SIZED = ("env", "envFrom", "volumeMounts")
_AMOUNTS = ("limits", "requests", "claims")
FEW: Final = {
    "o.spec.containers": 6,
    "o.spec.initContainers": 3,
    "o.spec.ephemeralContainers": 0,
    "o.spec.tolerations": 20,
    "o.spec.resourceClaims": 0,
    "o.spec.nodeSelector": 20,
    "o.spec.volumes": 20,
    "o.metadata.labels": 40,
    _NOTES: 16,
    _TERMS: 2,
    "c.env": 60,
    "c.envFrom": 8,
    "c.volumeMounts": 16,
    "c.resources.limits": 6,
    "c.resources.requests": 6,
    "c.resources.claims": 0,
    "c.securityContext.capabilities.add": 0,
    "t.matchExpressions": 4,
    "t.matchFields": 0,
    "e.values": 5,
}
"""A pod in which nothing is longer, and no annotation, has at most MOST_PARTS parts."""
FEW_CHARACTERS: Final = 1536
"""The same of an annotation, whose key has at most 317."""


_SEEN: Final = ("o.spec.resourceClaims", "c.resources.claims", "c.resources.limits")
"""Claims are looked at in any case, and the API server's defaults put limits among requests."""


def longer() -> str:
    """Return CEL for a pod `o` in which something is longer than FEW says.

    Most pods are seen to be small so, which costs a third of counting their parts. Paths of the
    node, which can be long, are looked at in any case.
    """
    expression = f"({_longer('t')}) || {some('t.matchExpressions', 'e', _longer('e'))}"
    return " || ".join(
        (
            _longer("o"),
            any_container(_longer("c")),
            some(_NOTES, "k", f"size({_NOTES}[k]) > {FEW_CHARACTERS}"),
            f"({_has(_TERMS)} && {_TERMS}.exists(t, {expression}))",
        )
    )


def _longer(each: str) -> str:
    """Return CEL for the lists of a pod, container, term or expression of which one is longer."""
    lists = [path for path in FEW if path.startswith(f"{each}.") and path not in _SEEN]
    return " || ".join(f"({_has(path)} && size({path}) > {FEW[path]})" for path in lists)


def too_large() -> str:
    """Return CEL for a pod `o` of more than MOST_PARTS parts."""
    lists = ("o.spec.tolerations", "o.spec.resourceClaims", "o.spec.nodeSelector")
    path = f"{VOLUME} + (has(v.hostPath) ? size(v.hostPath.path) / {PATH} : 0)"
    note = f"{ANNOTATION} + size(k) / {TEXT} + size({_NOTES}[k]) / {TEXT}"
    parts = (
        *(_sum(f"o.spec.{each}", "c", _container()) for each in LISTS),
        *map(_size, (*lists, "o.metadata.labels")),
        _sum("o.spec.volumes", "v", path),
        _sum(_NOTES, "k", note),
        _sum(_TERMS, "t", _term()),
    )
    return f"{' + '.join(parts)} > {MOST_PARTS}"


def _container() -> str:
    added = _sum("c.securityContext.capabilities.add", "a", f"1 + size(a) / {NAME}")
    amounts = " + ".join(
        f"(has(c.resources.{each}) ? size(c.resources.{each}) : 0)" for each in _AMOUNTS
    )
    resources = f"(has(c.resources) ? {AMOUNT} * ({amounts}) : 0)"
    sizes = (*(_size(f"c.{each}") for each in _SIZED), resources)
    return " + ".join((str(CONTAINER), *sizes, added))


def _term() -> str:
    values = f"{REQUIREMENT} + {_size('e.values')}"
    kinds = ("t.matchExpressions", "t.matchFields")
    return " + ".join((str(REQUIREMENT), *(_sum(each, "e", values) for each in kinds)))


def _size(path: str) -> str:
    return f"({_has(path)} ? size({path}) : 0)"


def _sum(path: str, each: str, part: str) -> str:
    """Return CEL for the sum over a list or map, which is walked only if it is not too long."""
    walked = f"size({path}) > {MOST_PARTS} ? {MOST_PARTS + 1} : {path}.map({each}, {part}).sum()"
    return f"({_has(path)} ? ({walked}) : 0)"


def _has(path: str) -> str:
    """Return CEL that tells whether a path is there. Metadata and spec of a pod always are."""
    root, *steps = path.split(".")
    least = 2 if root == "o" else 1
    found = (".".join((root, *steps[:end])) for end in range(least, len(steps) + 1))
    return " && ".join(f"has({each})" for each in found)
