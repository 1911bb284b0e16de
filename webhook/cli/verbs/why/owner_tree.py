"""A workload with everything that it owns and that makes pods, and those pods."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from webhook.cli.cluster import types
from webhook.cli.cluster.client import ClusterClient, Forbidden, NotFound, Object, Permission
from webhook.cli.cluster.targets import Target
from webhook.cli.cluster.types import LivePod, Maker, Meta
from webhook.core.api.resource import ApiResource
from webhook.core.integrations import kubernetes, registry

_POD_MAKERS: Final = (
    kubernetes.DEPLOYMENT,
    kubernetes.REPLICA_SET,
    kubernetes.STATEFUL_SET,
    kubernetes.JOB,
)
"""The resources by which controllers of other projects make pods."""

REVISION: Final = "deployment.kubernetes.io/revision"


@dataclass(frozen=True, slots=True)
class OwnerTree:
    """`makers` begins with the workload itself, of which only kind and name may be known.

    `subject` is the object as it was read; None where there is none any more (`absent`), where
    the caller may not read it, or where its kind is unknown here.
    """

    namespace: str
    subject: Object | None
    makers: tuple[Maker, ...]
    pods: tuple[LivePod, ...]
    absent: bool = False
    missing: tuple[Permission, ...] = ()

    @property
    def root(self) -> Maker:
        """The workload itself."""
        return self.makers[0]

    @property
    def current(self) -> Maker:
        """What makes pods now: the newest of a Deployment's or CronJob's, else the workload."""
        below = [each for each in self.makers[1:] if each.kind in ("ReplicaSet", "Job")]
        return max(below, key=_age, default=self.root)


def _age(maker: Maker) -> tuple[int, float]:
    revision = (maker.metadata.annotations or {}).get(REVISION, "")
    created = maker.metadata.creation_timestamp
    return int(revision) if revision.isdecimal() else 0, created.timestamp() if created else 0.0


def read_owner_tree(client: ClusterClient, target: Target, namespace: str) -> OwnerTree:
    """Read a workload and what it owns, as far as the caller may. Raises Unavailable."""
    missing: list[Permission] = []
    subject, absent = None, False
    if target.resource is not None:
        try:
            subject = client.get(target.resource, target.name, namespace)
        except NotFound:
            absent = True
        except Forbidden as forbidden:
            missing.append(forbidden.permission)
    kind = target.resource.kind if target.resource else target.word
    named = Maker(kind=kind, metadata=Meta(name=target.name, namespace=namespace))
    root = types.convert({**subject, "kind": kind}, Maker) if subject else named
    others = [
        types.convert(each, Maker)
        for below in _below(target)
        for each in _allowed(client, below, namespace, missing)
    ]
    makers = _owned(root, others)
    found = [types.live_pod(each) for each in _allowed(client, kubernetes.POD, namespace, missing)]
    pods = tuple(pod for pod in found if _made_by(pod, makers))
    return OwnerTree(namespace, subject, makers, pods, absent, tuple(missing))


def _below(target: Target) -> Iterator[ApiResource]:
    if target.resource not in registry.BUILT_IN:
        yield from _POD_MAKERS
    yield from target.resource.owns if target.resource else ()


def _allowed(
    client: ClusterClient, resource: ApiResource, namespace: str, missing: list[Permission]
) -> Iterator[Object]:
    try:
        yield from client.each(resource, namespace)
    except Forbidden as forbidden:
        missing.append(forbidden.permission)
    except NotFound:
        return


def _owned(root: Maker, others: list[Maker]) -> tuple[Maker, ...]:
    """The root and what it owns, directly or not."""
    found, left = [root], others
    for parent in found:
        owned = [each for each in left if _is_controlled(each.metadata, parent)]
        found += owned
        left = [each for each in left if each not in owned]
    return tuple(found)


def _made_by(pod: LivePod, makers: tuple[Maker, ...]) -> bool:
    root = makers[0]
    if root.kind.lower() == "pod":
        return pod.meta.name == root.metadata.name
    return any(_is_controlled(pod.meta, each) for each in makers)


def _is_controlled(meta: Meta, maker: Maker) -> bool:
    """By uid. Where only the name is known, by that and the kind, in any case."""
    owner = meta.controller
    if owner is None:
        return False
    if maker.metadata.uid:
        return owner.uid == maker.metadata.uid
    return (owner.kind.lower(), owner.name) == (maker.kind.lower(), maker.metadata.name)


def concerns(family: OwnerTree) -> Callable[[str, str, str], bool]:
    """Return whether an event on (kind, name, uid) is about the family.

    The webhook names a pod of a refused `generateName` by that, without its dash.
    """
    known = {(m.kind.lower(), m.metadata.name): m.metadata.uid for m in family.makers}
    known |= {("pod", pod.meta.name): pod.meta.uid for pod in family.pods}

    def about(kind: str, name: str, uid: str) -> bool:
        own = known.get((kind.lower(), name))
        return own is not None and (not uid or not own or uid == own)

    return about
