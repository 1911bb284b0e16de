"""A live pod as its author wrote it, for trying out and never for applying.

What cannot be undone exactly, and why that is no harm:

- a toleration of GPU nodes that the webhook added stays: every decision assumes it anyway;
- `NVIDIA_VISIBLE_DEVICES=void` goes where no GPU is asked, also where the author wrote it;
- what pods of versions before this one do not say was added to their node affinity stays;
- asks come back only if the annotation agrees with the pod: anybody may have written it;
- `nodeName` goes, also where not the scheduler but the author set it;
- what other webhooks and admission plugins added stays: they are asked again and find it done.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from webhook.cli.inspect import decision_annotation
from webhook.core.api import names
from webhook.core.api.pod import Pod
from webhook.core.decision import classify
from webhook.core.record_values import ContainerChange, DecisionRecord

Object = dict[str, Any]

_LISTS: Final = ("initContainers", "containers")
_TOKEN: Final = "kube-api-access-"  # noqa: S105 - a volume's name, and no secret
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_SERVERS: Final = ("nodeName", "priority", "preemptionPolicy", "ephemeralContainers")
"""Parts of a spec that the server fills in, or takes at CREATE from nobody."""

_LONGEST: Final = 50  # characters of a generateName that leave space for what is appended


def from_live_pod(pod: Mapping[str, Any]) -> Object:
    """Return the pod as it was before the webhook and the scheduler, without a name."""
    recorded, asking = _told(pod)
    spec = {k: copy.deepcopy(v) for k, v in pod["spec"].items() if k not in _SERVERS}
    for each in _containers(spec):
        _forget_token(each)
        if each["name"] not in asking:
            _forget(each, names.VISIBLE_DEVICES, names.NO_DEVICES)
    for change in recorded.containers if recorded else ():
        for each in _containers(spec):
            if each["name"] == change.name:
                _restore(each, change)
    _unpin(spec, decision_annotation.affinity_of(msgspec.convert(pod, Pod)))
    spec["volumes"] = [v for v in spec.get("volumes") or () if not v["name"].startswith(_TOKEN)]
    return _pod(pod, pod.get("metadata") or {}, spec)


def from_template(template: Mapping[str, Any], pod: Mapping[str, Any] | None = None) -> Object:
    """Return the pod that a controller would make of its template. `pod` is one that it made.

    From that come the labels that a controller adds, the volumes of a StatefulSet's claims and
    the node of a DaemonSet. Ours are taken from the template only: it is what will be read.
    """
    spec = copy.deepcopy(dict(template.get("spec") or {}))
    metadata = template.get("metadata") or {}
    if pod is None:
        return _pod({}, metadata, spec)
    added = (pod.get("metadata") or {}).get("labels") or {}
    kept = {key: value for key, value in added.items() if not key.startswith(names.PREFIX)}
    labels = {**kept, **(metadata.get("labels") or {})}
    _add_claims(spec, pod["spec"])
    _add_node(spec, pod["spec"])
    return _pod(pod, {**metadata, "labels": labels}, spec)


def _told(pod: Mapping[str, Any]) -> tuple[DecisionRecord | None, frozenset[str]]:
    """The decision of its annotation if it holds, and the containers that request a GPU."""
    read = msgspec.convert(pod, Pod)
    asking = frozenset(ask.container.name for ask in classify.requests_of(read))
    return decision_annotation.decision_of(read), asking


def _pod(named: Mapping[str, Any], metadata: Mapping[str, Any], spec: Object) -> Object:
    own = named.get("metadata") or {}
    name = own.get("generateName") or f"{own.get('name', 'pod')}-"
    kept: Object = {"generateName": f"{name[:_LONGEST].rstrip('-.')}-"}
    for key, ours in (("labels", {names.STRATEGY}), ("annotations", {names.DECISION})):
        values = metadata.get(key) or {}
        left = {k: v for k, v in values.items() if k not in ours | {_LAST_APPLIED}}
        if left:
            kept[key] = left
    filled = {key: value for key, value in spec.items() if value not in (None, [], {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": kept, "spec": filled}


def _containers(spec: Object) -> Iterator[Object]:
    for key in _LISTS:
        yield from spec.get(key) or ()


def _forget_token(container: Object) -> None:
    """The service account's token is mounted anew, under another name."""
    mounts = container.get("volumeMounts") or ()
    _put(container, "volumeMounts", [m for m in mounts if not m["name"].startswith(_TOKEN)])


def _forget(container: Object, name: str, value: str) -> None:
    env = container.get("env") or ()
    left = [each for each in env if (each.get("name"), each.get("value")) != (name, value)]
    _put(container, "env", left)


def _put(container: Object, key: str, values: list[Any]) -> None:
    if values:
        container[key] = values
    else:
        container.pop(key, None)


def _restore(container: Object, change: ContainerChange) -> None:
    """Restore the requested resource, and remove the limit of an MPS share."""
    [(before, _)], [(after, _)] = change.requested.items(), change.given.items()
    for key in ("limits", "requests"):
        values = (container.get("resources") or {}).get(key) or {}
        if after in values and after != before:
            values[before] = values.pop(after)
    env = container.get("env") or ()
    _put(container, "env", [e for e in env if e.get("name") != names.MPS_MEMORY_LIMIT])


def _unpin(spec: Object, added: Sequence[tuple[str, str]]) -> None:
    """Take what the webhook added out of every term. A term that it made goes with it."""
    node = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (node.get(names.REQUIRED) or {}).get("nodeSelectorTerms") or ()
    left = [left for term in terms if (left := _unpinned(term, added)) is not None]
    if left:
        node[names.REQUIRED]["nodeSelectorTerms"] = left
    else:
        node.pop(names.REQUIRED, None)
    if "affinity" in spec and not node:
        spec["affinity"].pop("nodeAffinity", None)


def _unpinned(term: Object, added: Sequence[tuple[str, str]]) -> Object | None:
    expressions = term.get("matchExpressions") or ()
    own, ours = decision_annotation.split_affinity(expressions, added)
    if not ours:
        return term
    rest = {key: value for key, value in term.items() if key != "matchExpressions"}
    return {"matchExpressions": own, **rest} if own else rest or None


def _add_claims(spec: Object, live: Mapping[str, Any]) -> None:
    present = {volume["name"] for volume in spec.get("volumes") or ()}
    added = [
        copy.deepcopy(volume)
        for volume in live.get("volumes") or ()
        if volume["name"] not in present and not volume["name"].startswith(_TOKEN)
    ]
    if added:
        spec["volumes"] = [*(spec.get("volumes") or ()), *added]


def _add_node(spec: Object, live: Mapping[str, Any]) -> None:
    """A DaemonSet's controller names the node of each pod instead of its template's terms."""
    node = (live.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (node.get(names.REQUIRED) or {}).get("nodeSelectorTerms") or ()
    named = [{"matchFields": t["matchFields"]} for t in terms if t.get("matchFields")]
    if named:
        affinity = spec.setdefault("affinity", {})
        affinity.setdefault("nodeAffinity", {})[names.REQUIRED] = {"nodeSelectorTerms": named}
