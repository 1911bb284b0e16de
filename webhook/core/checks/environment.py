"""Rules on a container's variables: what makes GPUs visible, and what leaves MPS."""

import re
from collections.abc import Iterator
from typing import Final

from webhook.core.api import names, reasons
from webhook.core.api.model import ContainerRef, Violation
from webhook.core.api.pod import Container, EnvVar
from webhook.core.api.reason import Reason
from webhook.core.checks.finding import Finding, Subject

_HIDDEN: Final = frozenset({"void", "none", ""})
_DEVICES: Final = frozenset(
    {
        names.VISIBLE_DEVICES,
        "NVIDIA_MIG_CONFIG_DEVICES",
        "NVIDIA_MIG_MONITOR_DEVICES",
        "NVIDIA_IMEX_CHANNELS",
    }
)
_GATES: Final = frozenset({"NVIDIA_GDS", "NVIDIA_MOFED", "NVIDIA_GDRCOPY", "NVIDIA_NVSWITCH"})
_CUDA_VERSION: Final = "CUDA_VERSION"
_CUDA_VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
_MPS: Final = "CUDA_MPS_"
_LOWERS: Final = {
    names.MPS_MEMORY_LIMIT: re.compile(r"\d+=\d+[MG](,\d+=\d+[MG])*", re.ASCII),
    "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE": re.compile(r"\d{1,3}(\.\d+)?", re.ASCII),
}
_OURS: Final = ("NVIDIA_", "CUDA_")  # how every variable begins that these rules look at


def gpu_visibility(seen: Subject, place: ContainerRef, container: Container) -> Iterator[Finding]:
    """No container names GPUs, or other devices of NVIDIA's driver, by a variable.

    The kubelet lets the pod's own variable win over the device plugin's (kubelet_pods.go), so
    any value that names devices reaches what was not given. Names are compared exactly, as
    the toolkit does. Fields: env of every container.

    | variable | allowed |
    |---|---|
    | NVIDIA_VISIBLE_DEVICES, NVIDIA_IMEX_CHANNELS, NVIDIA_MIG_*_DEVICES | `void`, `none`, empty |
    | NVIDIA_GDS, NVIDIA_MOFED, NVIDIA_GDRCOPY, NVIDIA_NVSWITCH | a value but `enabled` |
    | CUDA_VERSION: `all`, while NVIDIA_VISIBLE_DEVICES is unset | beside that, or an ask |
    | any other | anything |

    Source: nvidia-container-toolkit internal/config/image/cuda_image.go (`IsLegacy`),
    internal/modifier/gated.go.
    """
    variables = container.env or ()
    alone = place in seen.idle and all(each.name != names.VISIBLE_DEVICES for each in variables)
    for variable in variables:
        if variable.name in _DEVICES and not _hides(variable):
            text = f"env {variable.name} reaches GPUs that were not given to it; remove it"
        elif variable.name in _GATES and _enables(variable):
            text = f"env {variable.name} reaches devices that were not given to it; remove it"
        elif alone and variable.name == _CUDA_VERSION and _is_set(variable):
            text = f"env {_CUDA_VERSION} alone means every GPU; set {names.VISIBLE_DEVICES}=void"
        else:
            continue
        yield _found(reasons.GPU_VISIBILITY, place, text, variable)


def _hides(variable: EnvVar) -> bool:
    return variable.value_from is None and (variable.value or "") in _HIDDEN


def _enables(variable: EnvVar) -> bool:
    value = (variable.value or "").lower()
    return variable.value_from is not None or "enabled" in value or "$(" in value


def _is_set(variable: EnvVar) -> bool:
    return variable.value_from is not None or bool(variable.value)


def cuda_visibility(_: Subject, place: ContainerRef, container: Container) -> Iterator[Finding]:
    """No container numbers its GPUs by CUDA_VISIBLE_DEVICES.

    It hides GPUs from CUDA and never adds one, so it is harmless to others; but written for a
    whole GPU it finds none in a slice. Fields: env of every container. Allowed: without it.
    Source: CUDA C++ Programming Guide, "CUDA Environment Variables".
    """
    for variable in container.env or ():
        if variable.name == _CUDA_VISIBLE:
            text = f"env {_CUDA_VISIBLE} can only hide the GPU that is given; remove it"
            yield _found(reasons.CUDA_VISIBILITY, place, text, variable)


def env_from(seen: Subject, place: ContainerRef, container: Container) -> Iterator[Finding]:
    """A container with a GPU takes no variables from where their names cannot be seen.

    Fields: envFrom of containers that ask for a GPU; from all others the mutating side hides
    GPUs by `env`, which wins over envFrom. Allowed: a prefix that none of the variables of
    these rules begins with. Source: Kubernetes API reference, Container v1 core, `envFrom`.
    """
    if place in seen.idle:
        return
    for index, each in enumerate(container.env_from or ()):
        prefix = each.prefix or ""
        if any(ours.startswith(prefix) or prefix.startswith(ours) for ours in _OURS):
            text = f"envFrom[{index}] may bring NVIDIA_ or CUDA_ variables; use env or a prefix"
            where = f"envFrom[{index}]"
            yield Finding(Violation(reasons.ENV_FROM, place.name, text, where))


def mps_environment(_: Subject, place: ContainerRef, container: Container) -> Iterator[Finding]:
    """No container leaves its share of a GPU by a variable of MPS.

    Another pipe directory leaves MPS, and takes the GPU from everyone on it. Fields: env of
    every container. Source: NVIDIA MPS documentation, "Environment Variables".

    | variable | allowed |
    |---|---|
    | CUDA_MPS_PINNED_DEVICE_MEM_LIMIT | `0=1024M`: it can only lower the limit |
    | CUDA_MPS_ACTIVE_THREAD_PERCENTAGE | a number: it can only lower the share |
    | any other CUDA_MPS_* | nothing |
    """
    for variable in container.env or ():
        if not variable.name.startswith(_MPS):
            continue
        lowers = _LOWERS.get(variable.name)
        literal = (variable.value or "") if variable.value_from is None else ""
        if lowers is None or not lowers.fullmatch(literal):
            text = f"env {variable.name[:50]} can leave the share of a GPU; remove it"
            yield _found(reasons.MPS_ENVIRONMENT, place, text, variable)


def _found(reason: Reason, place: ContainerRef, text: str, variable: EnvVar) -> Finding:
    return Finding(Violation(reason, place.name, text, f"env.{variable.name}"))
