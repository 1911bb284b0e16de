"""CEL that counts the parts of a pod, as `core.api.limits` does, by sizes alone."""

from webhook.core.api.limits import AMOUNT, CONTAINER, MOST_PARTS, NAME, PATH, REQUIREMENT, TEXT
from webhook.core.checks.cel import LISTS

_NODE = "o.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
_NOTES = "o.metadata.annotations"
_SIZED = ("env", "envFrom", "volumeMounts")
_AMOUNTS = ("limits", "requests", "claims")


def large() -> str:
    """Returns CEL for a pod `o` of more than MOST_PARTS parts."""
    lists = ("o.spec.tolerations", "o.spec.resourceClaims", "o.spec.nodeSelector")
    path = f"1 + (has(v.hostPath) ? size(v.hostPath.path) / {PATH} : 0)"
    note = f"1 + size(k) / {TEXT} + size({_NOTES}[k]) / {TEXT}"
    parts = (
        *(_sum(f"o.spec.{each}", "c", _container()) for each in LISTS),
        *map(_size, (*lists, "o.metadata.labels")),
        _sum("o.spec.volumes", "v", path),
        _sum(_NOTES, "k", note),
        _sum(f"{_NODE}.nodeSelectorTerms", "t", _term()),
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
    """Returns CEL for the sum over a list or map, which is walked only if it is not too long."""
    walked = f"size({path}) > {MOST_PARTS} ? {MOST_PARTS + 1} : {path}.map({each}, {part}).sum()"
    return f"({_has(path)} ? ({walked}) : 0)"


def _has(path: str) -> str:
    """Returns CEL that tells whether a path is there. Metadata and spec of a pod always are."""
    root, *steps = path.split(".")
    least = 2 if root == "o" else 1
    found = (".".join((root, *steps[:end])) for end in range(least, len(steps) + 1))
    return " && ".join(f"has({each})" for each in found)
