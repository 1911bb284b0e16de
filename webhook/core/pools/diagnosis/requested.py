"""What somebody requested of a node by a label, and is not there."""

import re
from collections.abc import Iterator
from typing import Final

from webhook.core.gpu.dialects.gfd.labels import MIG_CAPABLE, MIG_STATE, PRODUCT, REPLICAS, SHARING
from webhook.core.pools.diagnosis.problem import NodeProblem, NodeView, error
from webhook.core.pools.moving import MIG_CONFIG, PLUGIN_CONFIG, layout_of, read_mark


def _mig_state(seen: NodeView) -> Iterator[NodeProblem]:
    """What mig-manager says of the last change (mig-parted reconfigure-mig.sh)."""
    state, wanted = seen.labels.get(MIG_STATE), seen.labels.get(MIG_CONFIG)
    name = seen.subject.metadata.name
    detail = f"{MIG_CONFIG}={wanted}, {MIG_STATE}={state}"
    if state == "failed":
        yield error(
            "mig_failed", f"mig-manager could not apply the MIG layout ({detail})",
            f"see its log (kubectl -n gpu-operator logs -l app=nvidia-mig-manager); it never tries "
            f"again by itself: gpu-sharing pools move {name} --to mig --mig-config {wanted} --yes",
        )  # fmt: skip
    elif state == "rebooting":
        yield error(
            "mig_rebooting", f"the node reboots into the MIG layout ({detail})",
            "wait; a second rebooting in a row becomes failed",
        )  # fmt: skip
    elif state == "pending":
        yield error(
            "mig_pending", f"the MIG layout is being changed, plugin and GFD are down ({detail})",
            "wait until the state is success; if it stays, see which pod holds a GPU there",
        )  # fmt: skip
    elif state not in (None, "success"):
        yield error("mig_state", f"an unknown state ({detail})", "see mig-manager's log")


def _mig_config(seen: NodeView) -> Iterator[NodeProblem]:
    """A MIG layout that was requested and is not there."""
    wanted, state = seen.labels.get(MIG_CONFIG), seen.labels.get(MIG_STATE)
    invalid = "-MIG-INVALID" in seen.labels.get(PRODUCT, "")
    if wanted is None or invalid or state in ("pending", "rebooting", "failed"):
        return
    name = seen.subject.metadata.name
    if wanted != "all-disabled" and seen.labels.get(MIG_CAPABLE) == "false":
        mend = f"kubectl label node {name} {MIG_CONFIG}-"
        yield error("mig_not_applied", f"{MIG_CONFIG}={wanted} on GPUs without MIG", mend)
        return
    have, asked = seen.devices(), layout_of(seen.subject, wanted, seen.catalog)
    devices = ", ".join(f"{count} x {profile}" for profile, count in have.items()) or "none"
    cut = wanted not in ("all-disabled", "all-enabled")
    wrong = have != dict(asked) if asked is not None else bool(have) is not cut
    if wrong and wanted != "all-enabled":
        mend = (
            "see that mig-manager runs there (nvidia.com/gpu.deploy.mig-manager=true) and its log; "
            f"it reacts to a change of {MIG_CONFIG} alone"
        )
        what = f"{MIG_CONFIG}={wanted} (state {state}), and the MIG devices are: {devices}"
        yield error("mig_not_applied", what, mend)


def _move(seen: NodeView) -> Iterator[NodeProblem]:
    """A move that was begun and not ended."""
    mark, name = read_mark(seen.subject), seen.subject.metadata.name
    if mark is not None:
        on = f"gpu-sharing pools move {name}"
        mend = f"go on: {on} {mark.to or '--to POOL, as before,'} --yes; back: {on} --undo --yes"
        yield error("moving", "its move to another pool has not ended: no new pods come", mend)


def _plugin_config(seen: NodeView) -> Iterator[NodeProblem]:
    """A plugin configuration that was requested and is not in force, by its name."""
    wanted = seen.labels.get(PLUGIN_CONFIG, "")
    asked, given = _kinds(wanted), _given(seen)
    if not asked or not given or set(asked) & set(given):
        return
    kinds = " or ".join(asked)
    what = f"{PLUGIN_CONFIG}={wanted} requests {kinds}, and the node gives {', '.join(given)}"
    if asked == ("mig",):
        yield error("config_not_applied", what, f"choose a layout: {MIG_CONFIG}=all-balanced")
        return
    mend = (
        f"see that the plugin's ConfigMap has a key {wanted!r} (an unknown one changes nothing); "
        "after an edit of the ConfigMap restart plugin and GFD: kubectl -n gpu-operator rollout "
        "restart ds/nvidia-device-plugin-daemonset ds/gpu-feature-discovery"
    )
    yield error("config_not_applied", what, mend)


def _kinds(config: str) -> tuple[str, ...]:
    """What a configuration can be for, by its name, since people name them for that."""
    text = config.lower()
    for pattern, kinds in (
        (r"mps", ("mps",)),
        (r"time|(^|[-_.])ts([-_.]|$)", ("time-slicing",)),
        (r"mig", ("mig",)),
        (r"slic|shar|oversub", ("time-slicing", "mps")),
        (r"whole|exclusive|none|dedicated", ("exclusive",)),
    ):
        if re.search(pattern, text):
            return kinds
    return ()


def _given(seen: NodeView) -> tuple[str, ...]:
    """What the node gives by its labels, offered or not."""
    found = ["mig"] if seen.devices() else []
    sharing = seen.labels.get(SHARING)
    cut = "-MIG-" in seen.labels.get(PRODUCT, "") or seen.labels.get(REPLICAS) == "0"
    if sharing and not (found and cut):
        found.append("exclusive" if sharing == "none" else sharing)
    return tuple(found)


CHECKS: Final = (_move, _mig_state, _mig_config, _plugin_config)
