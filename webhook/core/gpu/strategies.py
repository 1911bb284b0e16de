"""The table of strategies: a row for each way to give a GPU.

A row is all that is said of a strategy but for the nodes that give it: those are the forms of
each dialect (`dialects/`), whose `forms` is total over the strategies. A new strategy is one row;
the type checker then names the `forms` of every dialect, and tests the rest
(`docs/contributing.md`).
"""

from enum import StrEnum
from typing import Final, Self

from msgspec import Struct

from webhook.core.api import names, reasons
from webhook.core.api.pod import EnvVar
from webhook.core.api.reason import Reason


class StrategyTraits(Struct, frozen=True):
    """What is true of every device that a strategy gives.

    `meaning` says it to people in a line. `warning` is told with the device: `{size}` is its
    memory, `{profile}` its MIG profile and `{more}` how to request more. `memory_limit` is the
    variable by which a client lowers its memory, with `{}` for the MiB.
    """

    reason: Reason
    meaning: str
    colour: str
    isolated: bool
    """No other pod uses the device (NVIDIA MIG User Guide; device plugin README)."""
    whole: bool
    """The device is a whole GPU."""
    takes_profile: bool
    """The device can be a MIG device, so a pod may ask for its profile."""
    one_per_process: bool
    """CUDA uses one such device in a process (NVIDIA MIG User Guide)."""
    divides_memory: bool
    """The memory is the GPU's by its replicas (k8s-device-plugin cmd/mps-control-daemon)."""
    mounts_shared_memory: bool
    """The device plugin mounts its own /dev/shm (k8s-device-plugin internal/plugin/mps.go)."""
    memory_limit: EnvVar | None
    warning: str
    warns_always: bool = False
    """The warning is given also where the pod says which memory or profile it needs."""


class Strategy(StrEnum):
    """How a GPU is given. MIG counts here although NVIDIA does not call it sharing.

    The order is that in which nodes and pods are read: the first form that fits is meant.
    """

    _value_: str
    traits: StrategyTraits

    def __new__(cls, value: str, traits: StrategyTraits) -> Self:
        """Make a member that is its value, with its row."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.traits = traits
        return member

    EXCLUSIVE = (
        "exclusive",
        StrategyTraits(
            reason=reasons.WHOLE_GPU,
            meaning="a whole GPU for one container; isolated",
            colour="cyan",
            isolated=True,
            whole=True,
            takes_profile=False,
            one_per_process=False,
            divides_memory=False,
            mounts_shared_memory=False,
            memory_limit=None,
            warning="",
        ),
    )
    MIG = (
        "mig",
        StrategyTraits(
            reason=reasons.MIG_SLICE,
            meaning="a hardware slice of a GPU, with memory of its own; isolated",
            colour="green",
            isolated=True,
            whole=False,
            takes_profile=True,
            one_per_process=True,
            divides_memory=False,
            mounts_shared_memory=False,
            memory_limit=None,
            warning="MIG slice {profile} with {size}{more}",
        ),
    )
    MPS = (
        "mps",
        StrategyTraits(
            reason=reasons.MPS_SHARE,
            meaning="a share of a GPU under NVIDIA MPS; memory is limited, not isolated",
            colour="yellow",
            isolated=False,
            whole=False,
            takes_profile=False,
            one_per_process=False,
            divides_memory=True,
            mounts_shared_memory=True,
            # The daemon's own limit is the share; a client can only lower it (NVIDIA MPS docs).
            memory_limit=EnvVar(names.MPS_MEMORY_LIMIT, "0={}M"),
            warning="MPS share of a GPU with {size}{more}",
        ),
    )
    TIME_SLICING = (
        "time-slicing",
        StrategyTraits(
            reason=reasons.TIME_SLICED_SHARE,
            meaning="turns on a GPU with other pods; nothing is limited or isolated",
            colour="magenta",
            isolated=False,
            whole=False,
            takes_profile=True,
            one_per_process=False,
            divides_memory=False,
            mounts_shared_memory=False,
            memory_limit=None,
            warning="time-slicing: {size} shared with other pods, neither limited nor protected",
            warns_always=True,
        ),
    )


FALLBACK: Final = Strategy.EXCLUSIVE
"""What a policy gives where nothing else is offered, and to containers with several GPUs."""
