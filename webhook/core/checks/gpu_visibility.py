"""The check of variables that make GPUs visible to a container."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api import names
from webhook.core.api.containers import ContainerRef
from webhook.core.api.pod import Container, EnvVar
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.cel import REQUESTS_GPU, listed
from webhook.core.checks.check import REFUSED, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject

_HIDDEN: Final = ("void", "none", "")
_DEVICES: Final = (
    names.VISIBLE_DEVICES,
    "NVIDIA_MIG_CONFIG_DEVICES",
    "NVIDIA_MIG_MONITOR_DEVICES",
    "NVIDIA_IMEX_CHANNELS",
)
_GATES: Final = ("NVIDIA_GDS", "NVIDIA_NVSWITCH")
_ENABLES: Final = ("enabled", "$(")
_CUDA_VERSION: Final = "CUDA_VERSION"


def gpu_visibility(seen: Subject, place: ContainerRef, _: Container) -> Iterator[Finding]:
    """Yield each variable that names GPUs, or other devices of NVIDIA's driver.

    The kubelet lets the pod's own variable win over the device plugin's (kubelet_pods.go), so
    any value that names devices reaches what was not given. Names are compared exactly, as
    the toolkit does. Fields: env of every container.

    | variable | allowed |
    |---|---|
    | NVIDIA_VISIBLE_DEVICES, NVIDIA_IMEX_CHANNELS, NVIDIA_MIG_*_DEVICES | `void`, `none`, empty |
    | NVIDIA_GDS, NVIDIA_NVSWITCH | a value but `enabled` |
    | CUDA_VERSION: `all`, while NVIDIA_VISIBLE_DEVICES is unset | beside that, or a request |
    | any other | anything |

    Source: nvidia-container-toolkit internal/config/image/cuda_image.go (`IsLegacy`),
    internal/modifier/gated.go.
    """
    variables = seen.variables[place]
    alone = place in seen.idle and all(each.name != names.VISIBLE_DEVICES for each in variables)
    for variable in variables:
        if variable.name in _DEVICES and not _hides(variable):
            text = f"env {variable.name} reaches GPUs that were not given to it; remove it"
        elif variable.name in _GATES and enables(variable):
            text = f"env {variable.name} reaches devices that were not given to it; remove it"
        elif alone and variable.name == _CUDA_VERSION and _is_set(variable):
            text = f"env {_CUDA_VERSION} alone means every GPU; set {names.VISIBLE_DEVICES}=void"
        else:
            continue
        yield Finding(Violation(CHECK.reason, place.name, text, f"env.{variable.name}"))


def _hides(variable: EnvVar) -> bool:
    return variable.value_from is None and (variable.value or "") in _HIDDEN


def enables(variable: EnvVar) -> bool:
    """Return whether a variable of the toolkit adds the devices that it is for."""
    value = (variable.value or "").lower()
    return variable.value_from is not None or any(each in value for each in _ENABLES)


def _is_set(variable: EnvVar) -> bool:
    return variable.value_from is not None or bool(variable.value)


_VALUE: Final = "(has(e.value) ? e.value : '')"
_ENABLING: Final = " || ".join(f"{_VALUE}.lowerAscii().contains('{each}')" for each in _ENABLES)
ENABLED: Final = f"(has(e.valueFrom) || {_ENABLING})"
"""CEL of `enables` for a variable `e`."""
_CEL: Final = (
    f"c.env.exists(e, (e.name in {listed(_DEVICES)}"
    f" && (has(e.valueFrom) || !({_VALUE} in {listed(_HIDDEN)})))"
    f" || (e.name in {listed(_GATES)} && {ENABLED}))"
    f" || (c.env.exists(e, e.name == '{_CUDA_VERSION}' && (has(e.valueFrom) || {_VALUE} != ''))"
    f" && !c.env.exists(e, e.name == '{names.VISIBLE_DEVICES}') && !({REQUESTS_GPU}))"
)

CHECK: Final = Check(
    rank=1,
    reason=Reason(
        "gpu_visibility",
        Group.WAY_AROUND,
        "A container names GPUs that the device plugin did not give it.",
        example=(
            "`NVIDIA_VISIBLE_DEVICES=all` in a sidecar; `NVIDIA_GDS=enabled`; `CUDA_VERSION` "
            "alone, which means `all`."
        ),
        to_do="remove the variable; request a GPU if the container needs one.",
        detail="It does so by a variable; other devices of the driver can be named like that too.",
    ),
    treatments=REFUSED,
    texts=Texts(
        looks_at=(
            f"{', '.join(f'`{each}`' for each in _DEVICES)}; "
            f"{', '.join(f'`{each}`' for each in _GATES)} = enabled; `{_CUDA_VERSION}` alone; "
            "by value or `valueFrom`"
        ),
        comment="NVIDIA_VISIBLE_DEVICES and its kin",
        on_the_node="[1]",
    ),
    webhook=PodCondition(environment=_CEL),
    backstop=Backstop(
        "a variable names GPUs that the device plugin did not give; remove it, or beside "
        f"{_CUDA_VERSION} set {names.VISIBLE_DEVICES}=void"
    ),
    container_rule=gpu_visibility,
)
