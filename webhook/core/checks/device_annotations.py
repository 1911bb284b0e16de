"""The check of annotations by which the container runtime injects devices."""

import re
from collections.abc import Iterator
from typing import Final

from webhook.core.api import paths
from webhook.core.api import pod as pods
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.cel import matches
from webhook.core.checks.check import REFUSED, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject, quote

# containerd/nri plugins/device-injector, old and new names
_INJECTORS: Final = r"(cdi-)?(devices|mounts)\.(noderesource\.dev|nri\.io)"
_CRI_O: Final = r"io\.kubernetes\.cri-o\.devices|devices\.crio\.io"
_INJECTING_KEY: Final = rf"^(([^/]*\.)?cdi\.k8s\.io|{_INJECTORS})(/|\Z)"
_LISTING_KEY: Final = rf"^({_CRI_O})(/|\Z)"


def device_annotations(seen: Subject) -> Iterator[Finding]:
    """Yields each annotation by which the container runtime injects devices.

    Fields: metadata.annotations, which can change at any time, so the value is evidence too;
    keys in any case, as the API server takes them.
    Source: CDI specification; nvidia-container-toolkit nri/plugin.go; CRI-O annotations v1, v2.

    | key | found |
    |---|---|
    | `cdi.k8s.io`, `nvidia.cdi.k8s.io` or another under it, alone or before a slash | yes |
    | those of NRI's device injector, alone or before a slash | yes |
    | CRI-O's list of devices | if a device on it leads to GPUs |
    | any other | no |
    """
    for key, value in pods.annotations(seen.pod).items():
        small = key.lower()
        injects = re.search(_INJECTING_KEY, small)
        if injects or (re.search(_LISTING_KEY, small) and _lists_gpus(value)):
            text = f"annotation {quote(key)} has devices injected; remove it"
            where = f"metadata.annotations[{key}]"
            yield Finding(Violation(CHECK.reason, "", text, where), value)


def _lists_gpus(devices: str) -> bool:
    """`/dev/fuse:/dev/fuse:rwm,/dev/net/tun`: device, where, permissions."""
    return any(paths.reaches_gpus(each.partition(":")[0]) for each in _listed(devices))


def _listed(devices: str) -> list[str]:
    return devices.replace(" ", "").split(",")


def _lists_back(seen: Subject) -> bool:
    """Returns whether a device on CRI-O's list goes back by `..`."""
    return any(
        re.search(_LISTING_KEY, key.lower())
        and any(paths.goes_back(each.partition(":")[0]) for each in _listed(value))
        for key, value in pods.annotations(seen.pod).items()
    )


_MAP: Final = "o.metadata.annotations"
_DEVICE: Final = "d.split(':')[0]"
_REACHES: Final = (
    f"{_DEVICE}.{matches(f'{paths.BACK}|{paths.REACHING}')} && !{_DEVICE}.{matches(paths.HARMLESS)}"
)
_SMALL: Final = "k.lowerAscii().replace('\\u212a', 'k')"  # Python's lower() knows the Kelvin sign

_INJECTS: Final = (
    f"{_SMALL}.{matches(_INJECTING_KEY)} || ({_SMALL}.{matches(_LISTING_KEY)}"
    f" && {_MAP}[k].replace(' ', '').split(',').exists(d, {_REACHES}))"
)
_PRESENT: Final = f"has({_MAP}) && {_MAP}.exists(k, "
_BEFORE: Final = "oldObject.metadata.annotations"
_SAME: Final = f"has({_BEFORE}) && k in {_BEFORE} && {_BEFORE}[k] == {_MAP}[k]"

CHECK: Final = Check(
    rank=10,
    reason=Reason(
        "device_annotations",
        Group.WAY_AROUND,
        "An annotation of the pod has devices injected by the runtime.",
        example="`nvidia.cdi.k8s.io/pod: nvidia.com/gpu=all`.",
        to_do="remove it; ask for `nvidia.com/gpu`.",
    ),
    treatments=REFUSED,
    texts=Texts(
        looks_at="annotations of CDI, of NRI's device injector, CRI-O's list with a GPU on it",
        comment="CDI and NRI",
        on_the_node="NRI plugin off",
    ),
    webhook=PodCondition(
        pod=f"{_PRESENT}{_INJECTS})",
    ),
    backstop=Backstop(
        "an annotation injects devices; remove it",
        changed=f"{_PRESENT}({_INJECTS}) && !({_SAME}))",
        taken=_lists_back,
    ),
    pod_rule=device_annotations,
)
