"""What exists in a cluster that makes pods, each root with its live pods."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Final

from webhook.cli.cluster.client import Object, metadata
from webhook.cli.cluster.types import ENDED
from webhook.core.integrations import kubernetes, registry
from webhook.core.integrations.field_path import FieldPath

_HASH: Final = "pod-template-hash"
_ENDED: Final = frozenset({"Complete", "Failed"})


@dataclass(frozen=True, slots=True)
class PodGroup:
    """Pods, and what a person applied to get them.

    `read` tells whether `root` is the object itself; else it is what its pods say of it: kind,
    namespace and name.
    """

    root: Object
    pods: tuple[Object, ...]
    read: bool = True


def live(pod: Object) -> bool:
    """Whether a pod still holds, or waits for, what it asks for."""
    return (pod.get("status") or {}).get("phase") not in ENDED


def group(objects: Iterable[Object], pods: Iterable[Object]) -> tuple[PodGroup, ...]:
    """Put every object and live pod under the topmost owner that was read.

    A ReplicaSet is not read: its name is its Deployment's and the pod template's hash
    (kubernetes pkg/controller/deployment/sync.go).
    """
    known = list(objects)
    by_uid = {metadata(each).get("uid"): each for each in known}
    by_name = {_key(each): each for each in known}
    found: dict[tuple[str, ...], tuple[Object, bool, list[Object]]] = {}
    for each in (*known, *filter(live, pods)):
        root, was_read = _root(each, by_uid, by_name)
        entry = found.setdefault(_key(root), (root, was_read, []))
        if each["kind"] == "Pod":
            entry[2].append(each)
    return tuple(PodGroup(root, tuple(members), read) for root, read, members in found.values())


def _key(subject: Object) -> tuple[str, ...]:
    data = metadata(subject)
    group = str(subject.get("apiVersion", "")).rpartition("/")[0]
    return group, subject["kind"], data.get("namespace", ""), data.get("name", "")


def _root(
    subject: Object, by_uid: Mapping[Any, Object], by_name: Mapping[tuple[str, ...], Object]
) -> tuple[Object, bool]:
    """Climb by owners that were read. Seen ones end a circle, which no cluster should have."""
    here, seen = subject, set()
    while (owner := _owner(here)) and owner["uid"] not in seen:
        seen.add(owner["uid"])
        above = by_uid.get(owner["uid"]) or by_name.get(_key(owner))
        if above is None:
            return (owner, False) if here is subject and here["kind"] == "Pod" else (here, True)
        here = above
    return here, True


def _owner(subject: Object) -> Object | None:
    """The controller as a reference. Of a ReplicaSet the Deployment that it belongs to."""
    data = metadata(subject)
    for each in data.get("ownerReferences") or ():
        if each.get("controller"):
            kind, name = each.get("kind", ""), each.get("name", "")
            suffix = "-" + str((data.get("labels") or {}).get(_HASH, ""))
            if kind == "ReplicaSet" and len(suffix) > 1 and name.endswith(suffix):
                kind, name = "Deployment", name.removesuffix(suffix)
            where = {"namespace": data.get("namespace", ""), "name": name}
            version = each.get("apiVersion", "")
            return {
                "apiVersion": version,
                "kind": kind,
                "metadata": where,
                "uid": each.get("uid", ""),
            }
    return None


def wanted(root: Object, place: FieldPath) -> int:
    """Return how many pods the template at a place is to have now.

    | kind | number |
    |---|---|
    | Pod | 1 |
    | Job that ended, or is suspended | 0 |
    | CronJob | 0: its live pods count |
    | DaemonSet | status.desiredNumberScheduled |
    | any other | every `replicas` and `parallelism` on the way to the template, multiplied |

    On the way to a worker template the group's size counts too, without the leader.
    """
    spec = root.get("spec") or {}
    status = root.get("status") or {}
    ended = any(
        each.get("type") in _ENDED and each.get("status") == "True"
        for each in status.get("conditions") or ()
    )
    resource = registry.resource_of(root)
    done = resource is kubernetes.JOB and (ended or spec.get("suspend"))
    if resource is kubernetes.CRON_JOB or done:
        return 0
    if resource is kubernetes.DAEMON_SET:
        return _number(status.get("desiredNumberScheduled"), 0)
    return prod(_factors(root, place, resource.group_sizes if resource else {}))


def _factors(root: Object, place: FieldPath, group_sizes: Mapping[str, str]) -> Iterator[int]:
    here: Any = root
    for step in place:
        if isinstance(here, Mapping):
            yield _number(here.get("replicas"), 1)
            yield _number(here.get("parallelism"), 1)
            if step in group_sizes:
                yield max(_number(here.get(group_sizes[str(step)]), 2) - 1, 0)
        here = _at(here, step)


def _at(here: Any, step: str | int) -> Any:
    if isinstance(here, Mapping):
        return here.get(step)
    return here[step] if isinstance(here, list) and isinstance(step, int) else None


def _number(value: Any, default: int) -> int:
    return value if isinstance(value, int) and value >= 0 else default
