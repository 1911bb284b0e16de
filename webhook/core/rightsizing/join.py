"""Which workload a measured pod belongs to, and what its pods used together."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from webhook.core.rightsizing.values import Device, DeviceUse, PodName, SharedKinds

# Names of pods: kubernetes apimachinery pkg/util/rand (27 characters), apps/v1 StatefulSet
# ordinals, batch/v1 indexed Jobs, and CronJobs' minutes since 1970.
_RANDOM: Final = "[bcdfghjklmnpqrstvwxz2456789]"
_SUFFIXES: Final[Mapping[str, str]] = {
    "Deployment": rf"-{_RANDOM}{{1,10}}-{_RANDOM}{{5}}",
    "ReplicaSet": rf"-{_RANDOM}{{5}}",
    "DaemonSet": rf"-{_RANDOM}{{5}}",
    "StatefulSet": r"-\d+",
    "Job": rf"(-\d+)?-{_RANDOM}{{5}}",
    "CronJob": rf"-\d{{8,10}}(-\d+)?-{_RANDOM}{{5}}",
    "Pod": "",
}
_ANY: Final = r"(-[a-z0-9]+)+"
"""Of other kinds, such as training jobs: `NAME-worker-0`."""


@dataclass(frozen=True, slots=True, order=True)
class Owner:
    """What a person applied: its kind, namespace and name."""

    namespace: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured of one workload.

    `own` are devices that one pod at a time had to itself, each with what those pods did on it.
    `shared` are devices that several pods had at once: there the use of the device is known and
    that of a pod is not.
    """

    own: tuple[tuple[Device, DeviceUse], ...] = ()
    shared: tuple[Device, ...] = ()


def match_owners(
    pods: Iterable[PodName], live: Mapping[PodName, Owner], owners: Iterable[Owner]
) -> Mapping[PodName, Owner]:
    """Return the owner of each pod, as the cluster says or else by its name.

    Pods of a Deployment or CronJob come and go under new names. Of several owners whose names
    fit, the longest name counts: `web-api-0` is StatefulSet web-api's, not Deployment web's.
    """
    by_namespace: dict[str, list[Owner]] = defaultdict(list)
    for each in sorted(owners, key=lambda owner: -len(owner.name)):
        by_namespace[each.namespace].append(each)
    found: dict[PodName, Owner] = {}
    for pod in pods:
        owner = live.get(pod) or _by_name(pod, by_namespace[pod.namespace])
        if owner is not None:
            found[pod] = owner
    return found


def _by_name(pod: PodName, owners: Iterable[Owner]) -> Owner | None:
    for each in owners:
        rest = pod.name.removeprefix(each.name)
        exact = rest != pod.name or not each.name
        if exact and re.fullmatch(_SUFFIXES.get(each.kind, _ANY), rest):
            return each
    return None


def collect_evidence(
    devices: Iterable[Device], owners: Mapping[PodName, Owner], shared: SharedKinds
) -> Mapping[Owner, Evidence]:
    """Return what was measured of each owner.

    | device | its pods | is |
    |---|---|---|
    | of a kind that is shared | any | shared: the exporter may name only one of them |
    | of another | at most as many points as the device has | each pod's own, one after another |
    | of another | more: several at once | shared |
    """
    own: dict[Owner, list[tuple[Device, DeviceUse]]] = defaultdict(list)
    together: dict[Owner, list[Device]] = defaultdict(list)
    for device in devices:
        several = device.kind in shared or _overlap(device)
        for pod, use in device.pods.items():
            owner = owners.get(pod)
            if owner is None:
                continue
            if not several:
                own[owner].append((device, use))
            elif device not in together[owner]:
                together[owner].append(device)
    return {
        owner: Evidence(tuple(own[owner]), tuple(together[owner]))
        for owner in sorted({*own, *together})
    }


def _overlap(device: Device) -> bool:
    """Whether its pods were there at the same time.

    Two points may be of a hand-over.
    """
    changes = 2 * max(len(device.pods) - 1, 0)
    return sum(each.points for each in device.pods.values()) > device.use.points + changes
