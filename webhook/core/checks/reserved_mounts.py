"""The check of mounts where GPUs are named, and where MPS keeps its files."""

import posixpath
import re
from collections.abc import Iterator
from typing import Final

from webhook.core.api import paths
from webhook.core.api.containers import ContainerRef
from webhook.core.api.pod import Container
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.cel import ON_MPS, REQUESTS_MPS, matches, some
from webhook.core.checks.check import REFUSED, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject, quote

_NAMED_GPUS: Final = ("/run/nvidia-container-devices",)
_OF_MPS: Final = ("/mps", paths.SHARED_MEMORY)
_STEPS: Final = tuple(posixpath.basename(each) for each in (*_NAMED_GPUS, *_OF_MPS))
_INSIDE_NAMED: Final = paths.inside(*_NAMED_GPUS)
_INSIDE_MPS: Final = paths.inside(*_OF_MPS)


def reserved_mounts(seen: Subject, place: ContainerRef, container: Container) -> Iterator[Finding]:
    """Yield each mount on the toolkit's list of GPUs or on files of MPS.

    Fields: volumeMounts[*].mountPath and terminationMessagePath (where the kubelet mounts a file)
    of every container, in their normal form.
    Source: nvidia-container-toolkit (device list as volume mounts); k8s-device-plugin
    internal/plugin/mps.go; kubelet kuberuntime_container.go, makeMounts.

    | path | pod without MPS | pod with MPS |
    |---|---|---|
    | below /var/run/nvidia-container-devices | found | found |
    | below /mps, or /dev/shm | allowed | found |
    | any other | allowed | allowed |
    """
    mps = any(s and s.traits.mounts_shared_memory for s in seen.strategies.values())
    for written in _mounted(container):
        if not any(step in written for step in _STEPS):  # which is found out sooner
            continue
        path = paths.normal(written)
        if re.search(_INSIDE_NAMED, path):
            text = f"mount {quote(written)} names GPUs that were not given; remove it"
        elif mps and re.search(_INSIDE_MPS, path):
            text = f"mount {quote(written)} covers what MPS mounts there; remove it"
        else:
            continue
        where = f"volumeMounts[{path}]"
        yield Finding(Violation(CHECK.reason, place.name, text, where))


def _mounted(container: Container) -> Iterator[str]:
    yield from (mount.mount_path for mount in container.volume_mounts or ())
    if container.termination_message_path:
        yield container.termination_message_path


def _goes_back(seen: Subject) -> bool:
    """Return whether a mount has `..` and a step that ends one of the folders."""
    mps = any(s and s.traits.mounts_shared_memory for s in seen.strategies.values())
    steps = paths.last_step(*_NAMED_GPUS, *(_OF_MPS if mps else ()))
    return any(
        paths.goes_back(path) and re.search(steps, path)
        for container in seen.containers.values()
        for path in _mounted(container)
    )


def _mounts(condition: str) -> str:
    """Return CEL for a container of which some path `p` meets a condition."""
    ended, mounted = (
        re.sub(r"\bp\.", f"{path}.", condition)
        for path in ("c.terminationMessagePath", "m.mountPath")
    )
    return f"(has(c.terminationMessagePath) && ({ended})) || {some('c.volumeMounts', 'm', mounted)}"


def _covers(folders: tuple[str, ...]) -> str:
    patterns = (paths.inside(*folders), paths.BACK, paths.last_step(*folders))
    inside, back, last = (f"p.{matches(each)}" for each in patterns)
    return f"{inside} || ({back} && {last})"


def _has_step(folders: tuple[str, ...]) -> str:
    """Return CEL for a path that has the last step of some folder."""
    steps = (f"p.contains('{posixpath.basename(each)}')" for each in folders)
    return f"({' || '.join(steps)})"


_NAMED: Final = _has_step(_NAMED_GPUS)


def _found(on_mps: str) -> str:
    named = f"{_NAMED} && ({_covers(_NAMED_GPUS)})"
    return _mounts(f"({named}) || ({_has_step(_OF_MPS)} && {on_mps} && ({_covers(_OF_MPS)}))")


CHECK: Final = Check(
    rank=13,
    reason=Reason(
        "reserved_mounts",
        Group.WAY_AROUND,
        "A container mounts where GPUs are named, or where MPS has its own.",
        example="an emptyDir on `/dev/shm` in a pod that gets an MPS share.",
        to_do="mount it elsewhere.",
        detail=(
            "A path below `/var/run/nvidia-container-devices` names a GPU; under MPS `/mps` "
            "and `/dev/shm` are MPS's."
        ),
    ),
    treatments=REFUSED,
    texts=Texts(
        looks_at=(
            "mounts, of `terminationMessagePath` too, on /var/run/nvidia-container-devices; on "
            "/mps and /dev/shm under MPS"
        ),
        on_the_node="[2]",
    ),
    webhook=PodCondition(container=_mounts(_NAMED)),  # and asked about pods with GPU requests
    backstop=Backstop(
        "a mount stands where the NVIDIA runtime looks for devices, or on what MPS mounts; "
        "mount it elsewhere",
        PodCondition(container=_found(ON_MPS)),
        asked=PodCondition(container=_found(REQUESTS_MPS)),
        taken=_goes_back,
    ),
    container_rule=reserved_mounts,
)
