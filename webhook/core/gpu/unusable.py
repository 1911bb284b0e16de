"""The reasons why a node's GPUs are not offered, each with what mends it."""

from enum import StrEnum
from typing import Final, Self

from msgspec import Struct

_GFD: Final = "give gpu-feature-discovery the device plugin's configuration and restart both"


class UnusableReason(StrEnum):
    """Why GPUs of a node are not offered.

    `sentence` says what is so, `mend` what an administrator does. `silent` reasons say that the
    node does not tell how it gives its GPUs, so that a declared pool may.
    """

    _value_: str
    sentence: str
    mend: str
    silent: bool

    def __new__(cls, code: str, sentence: str, mend: str, silent: bool = False) -> Self:  # noqa: FBT001, FBT002 - a row
        """Make a member that is its code, with its row."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.sentence, member.mend, member.silent = sentence, mend, silent
        return member

    LABELS_MISSING = (
        "labels_missing",
        "no label says how the GPUs are given",
        "enable GPU Feature Discovery (gfd.enabled), or declare the pool in the policy (pools)",
        True,
    )
    STRATEGY_LABEL_MISSING = (
        "strategy_label_missing",
        "GPU Feature Discovery wrote no sharing-strategy label, as before version 0.15",
        "upgrade it (k8s-device-plugin 0.15 or newer), or declare the pool in the policy (pools)",
        True,
    )
    NOTHING_ADVERTISED = (
        "nothing_advertised",
        "the node has GPUs and advertises none",
        "see that the device plugin runs there; GPUs of a DRA driver are asked for by claims",
    )
    FOR_VIRTUAL_MACHINES = (
        "for_virtual_machines",
        "the node gives its GPUs to virtual machines",
        "for pods, label it nvidia.com/gpu.workload.config=container",
    )
    UNHEALTHY = (
        "unhealthy",
        "the node says that its GPUs, or what serves them, are not healthy",
        "see the condition's message (kubectl describe node), and repair or replace the node",
    )
    MALFORMED_QUANTITY = (
        "malformed_quantity",
        "the advertised amount is no whole number",
        "restart the device plugin",
    )
    UNKNOWN_STRATEGY = ("unknown_strategy", "the labels mean no way to give this resource", _GFD)
    TOO_MANY = (
        "too_many",
        "more is advertised than the labels have",
        f"{_GFD}; models of GPUs mixed in one node look so too",
    )
    NOT_A_MULTIPLE = (
        "not_a_multiple",
        "the shares that are advertised are no multiple of the replicas",
        _GFD,
    )
    REPLICAS_DIFFER = ("replicas_differ", "replicas and sharing strategy disagree", _GFD)
    PRODUCT_DIFFERS = ("product_differs", "product and sharing strategy disagree", _GFD)
    DEVICES_GONE = (
        "devices_gone",
        "the labels have no such device, the kubelet still remembers some",
        "restart the kubelet",
    )
    WHOLE_BESIDE_SHARES = (
        "whole_beside_shares",
        "whole GPUs and renamed shares of them are advertised at once",
        "restart the kubelet, and give gpu-feature-discovery the device plugin's configuration",
    )
    INVALID_MIG = (
        "invalid_mig",
        "mig.strategy=single with MIG devices that are not all alike",
        "set mig.strategy=mixed, or cut every GPU alike (nvidia.com/mig.config=all-1g.10gb)",
    )
    MIG_EMPTY = (
        "mig_empty",
        "the GPUs are in MIG mode and nothing is cut",
        "cut them (nvidia.com/mig.config=all-1g.10gb), or leave MIG mode (all-disabled)",
    )
    MIG_CHANGING = (
        "mig_changing",
        "the MIG layout is being changed",
        "wait until nvidia.com/mig.config.state is success",
    )
    MIG_FAILED = (
        "mig_failed",
        "the last change of the MIG layout failed",
        "set nvidia.com/mig.config to another value and back, with no pod on the GPUs",
    )
    MPS_ON_SLICES = (
        "mps_on_slices",
        "MPS does not work on MIG devices",
        "leave MIG mode (nvidia.com/mig.config=all-disabled), or end MPS",
    )
    MPS_WITHOUT_DAEMON = (
        "mps_without_daemon",
        "no MPS control daemon runs there, so shares have no limit",
        "start it (it needs nvidia.com/mps.capable=true)",
    )
    OTHER_SHARING = (
        "other_sharing",
        "another plugin shares the GPUs",
        "use that plugin's own resources there, or switch its sharing off",
    )
    SYSTEMS_DISAGREE = (
        "systems_disagree",
        "two systems label the node and say different things",
        "let only one device plugin serve the node, and remove the labels of the other",
    )
    DECLARED_OTHERWISE = (
        "declared_otherwise",
        "the policy's pool says otherwise than the node",
        "correct the pool, or remove it where labels tell",
    )
    DECLARED_TWICE = (
        "declared_twice",
        "two pools of the policy say different things of the node",
        "narrow their selectors",
    )


class Unusable(Struct, frozen=True):
    """A resource that a node has and that is not offered.

    `resource` is empty where the whole node is meant. `detail` names labels, amounts and values.
    `mend` is the reason's, unless the platform has its own.
    """

    reason: UnusableReason
    resource: str
    detail: str
    mend: str

    @property
    def text(self) -> str:
        """What is so, where and what mends it."""
        where = f"{self.resource}: " if self.resource else ""
        return f"{where}{self.reason.sentence} ({self.detail}); {self.mend}"


def unusable(reason: UnusableReason, detail: str, resource: str = "", mend: str = "") -> Unusable:
    """Return a finding with the reason's mend, or the platform's."""
    return Unusable(reason, resource, detail, mend or reason.mend)
