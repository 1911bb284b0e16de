"""A workload with everything that it owns and that makes pods, and those pods; judges nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from webhook.cli.cluster import kinds, types
from webhook.cli.cluster.client import Absent, Access, Lacking, Object, Right
from webhook.cli.cluster.kinds import Kind
from webhook.cli.cluster.targets import Target
from webhook.cli.cluster.types import LivePod, Maker, Meta

_BETWEEN: Final[Mapping[str, tuple[str, ...]]] = {
    "TrainJob": ("JobSet",),
    "RayJob": ("RayCluster",),
    "RayService": ("RayCluster",),
    "LLMInferenceService": ("LeaderWorkerSet",),
}
"""Custom kinds that stand between others and what makes their pods."""

_BELOW: Final[Mapping[Kind, tuple[Kind, ...]]] = {
    kinds.POD: (),
    kinds.REPLICA_SET: (),
    kinds.STATEFUL_SET: (),
    kinds.DAEMON_SET: (),
    kinds.JOB: (),
    kinds.DEPLOYMENT: (kinds.REPLICA_SET,),
    kinds.CRON_JOB: (kinds.JOB,),
}
_ANY: Final = (kinds.DEPLOYMENT, kinds.REPLICA_SET, kinds.STATEFUL_SET, kinds.JOB)
"""What other kinds make their pods by."""

REVISION: Final = "deployment.kubernetes.io/revision"


@dataclass(frozen=True, slots=True)
class Family:
    """`makers` begins with the workload itself, of which only kind and name may be known.

    `subject` is the object as it was read; None where there is none any more (`absent`), where
    the caller may not read it, or where its kind is unknown here.
    """

    namespace: str
    subject: Object | None
    makers: tuple[Maker, ...]
    pods: tuple[LivePod, ...]
    absent: bool = False
    missing: tuple[Right, ...] = ()

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


def of(access: Access, target: Target, namespace: str) -> Family:
    """Read a family, as far as the caller may; raise Unavailable if the cluster does not answer."""
    missing: list[Right] = []
    subject, absent = None, False
    if target.kind is not None:
        try:
            subject = access.get(target.kind, target.name, namespace)
        except Absent:
            absent = True
        except Lacking as lacking:
            missing.append(lacking.right)
    kind = target.kind.name if target.kind else target.word
    named = Maker(kind=kind, metadata=Meta(name=target.name, namespace=namespace))
    root = types.read({**subject, "kind": kind}, Maker) if subject else named
    others = [
        types.read(each, Maker)
        for below in _below(target)
        for each in _allowed(access, below, namespace, missing)
    ]
    makers = _owned(root, others)
    found = [types.live(each) for each in _allowed(access, kinds.POD, namespace, missing)]
    pods = tuple(pod for pod in found if _made_by(pod, makers))
    return Family(namespace, subject, makers, pods, absent, tuple(missing))


def _below(target: Target) -> Iterator[Kind]:
    if target.kind is not None and target.kind in _BELOW:
        yield from _BELOW[target.kind]
        return
    yield from _ANY
    for name in _BETWEEN.get(target.kind.name if target.kind else "", ()):
        yield from (each for each in kinds.CUSTOM if each.name == name)


def _allowed(access: Access, kind: Kind, namespace: str, missing: list[Right]) -> Iterator[Object]:
    try:
        yield from access.each(kind, namespace)
    except Lacking as lacking:
        missing.append(lacking.right)
    except Absent:
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
    """By uid; where only the name is known, by that and the kind, in any case."""
    owner = meta.controller
    if owner is None:
        return False
    if maker.metadata.uid:
        return owner.uid == maker.metadata.uid
    return (owner.kind.lower(), owner.name) == (maker.kind.lower(), maker.metadata.name)


def concerns(family: Family) -> Callable[[str, str, str], bool]:
    """Return whether an event on (kind, name, uid) is about the family.

    The webhook names a pod of a refused `generateName` by that, without its dash.
    """
    known = {(m.kind.lower(), m.metadata.name): m.metadata.uid for m in family.makers}
    known |= {("pod", pod.meta.name): pod.meta.uid for pod in family.pods}

    def about(kind: str, name: str, uid: str) -> bool:
        own = known.get((kind.lower(), name))
        return own is not None and (not uid or not own or uid == own)

    return about
