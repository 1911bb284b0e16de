"""An assessment as a person reads it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from webhook.cli import output
from webhook.cli.measure.assess import Assessment, Sized, owner_path
from webhook.cli.measure.shared import SharedDevice
from webhook.cli.prices import usd_a_month
from webhook.cli.table import SHORT_KINDS
from webhook.cli.text import Paragraph, Text
from webhook.core.rightsizing.recommendation import RecommendedAction
from webhook.core.rightsizing.waste import Waste

_WORKLOADS: Final = (
    ("WORKLOAD", "who"), ("IS FOR", "for"), ("PODS", "pods"), ("HOLDS", "holds"),
    ("ACTIVE p95", "active"), ("MEMORY MiB", "memory"), ("RECOMMENDED", "todo"),
    ("GPUS SAVED", "saved"), ("USD A MONTH", "usd"), ("SURE", "sure"),
)  # fmt: skip
_SHARED: Final = (
    ("SHARED DEVICE", "device"), ("ACTIVE p95", "active"), ("MEMORY", "memory"),
    ("PODS", "pods"),
)  # fmt: skip
_WASTE: Final = (
    ("PRODUCT", "product"), ("GPUS", "all"), ("USED", "used"), ("HELD IDLE", "idle"),
    ("FREE", "free"), ("LOST IN LAYOUT", "lost"), ("HOLDER UNKNOWN", "unknown"),
    ("WASTED USD A MONTH", "usd"),
)  # fmt: skip
_LEAST: Final = ("pods", "for", "memory", "active", "unknown", "lost", "sure", "holds")
"""Columns that a narrow screen leaves out, in this order."""
_COLOURS: Final = {
    RecommendedAction.CHANGE: "green",
    RecommendedAction.RELEASE: "bold red",
    RecommendedAction.LABEL: "yellow",
}


def assessment_screen(found: Assessment) -> Iterator[Paragraph]:
    """Yield what was used, what to do, and where the rest goes."""
    yield Text((f"\nUse in the last {found.window}, of {found.devices} devices:", "bold"))
    yield output.table(_WASTE, (_waste(each, found) for each in found.waste.values()), _LEAST)
    yield Text()
    ordered = sorted(found.workloads, key=lambda each: -each.saved)
    yield output.table(_WORKLOADS, map(_workload, ordered), _LEAST)
    yield Text()
    for each in ordered:
        yield output.item(f"{owner_path(each.request)}: {each.advice.reason}")
    if found.shared:
        yield Text()
        yield output.table(_SHARED, map(_device, found.shared))
        for device in found.shared:
            yield output.item(f"{_place(device)}: {device.text}")
        yield output.note(
            "what single pods use of a shared device cannot be measured; nothing is split"
        )
    yield Text()
    yield from _prices(found)
    yield from map(output.note, found.notes)


def recommended(each: Sized) -> str:
    """Return what to do in a few words, such as `mig 1g.10gb`."""
    advice = each.advice
    if advice.action is not RecommendedAction.CHANGE:
        return advice.action.value
    words = (advice.strategy, advice.profile.name if advice.profile else None)
    return " ".join(word for word in words if word)


def _workload(each: Sized) -> Mapping[str, Any]:
    need, usd, kind = each.need, each.usd_a_month, f"{each.request.kind}/"
    return {
        "who": f"{each.request.namespace}/{SHORT_KINDS.get(kind, kind)}{each.request.name}",
        "for": each.request.workload.value,
        "pods": each.request.pods,
        "holds": f"{each.request.held:.2f} {each.request.strategy or ''}".strip(),
        "active": None if need.p95 is None else f"{need.p95:.0%}",
        "memory": None if need.peak is None else f"{need.peak:.0f}",
        "todo": Text((recommended(each), _COLOURS.get(each.advice.action, ""))),
        "saved": f"{each.saved:.2f}" if each.saved else None,
        "usd": f"{usd:,.0f}" if usd else None,
        "sure": each.advice.confidence.value,
    }


def _device(each: SharedDevice) -> Mapping[str, Any]:
    device, use = each.device, each.device.use
    total = f" of {device.memory:.0f}" if device.memory else ""
    where = "" if each.named else f" (of {each.gpus} devices of the node)"
    return {
        "device": _place(each),
        "active": None if use.active_p95 is None else f"{use.active_p95:.0%}",
        "memory": None if use.memory_max is None else f"{use.memory_max:.0f}{total} MiB",
        "pods": ", ".join(f"{p.namespace}/{p.name}" for p in each.pods) + where,
    }


def _place(each: SharedDevice) -> str:
    key = each.device.key
    return f"{key.uuid}{f' {key.instance}' if key.instance else ''} on {key.node}"


def _waste(each: Waste, found: Assessment) -> Mapping[str, Any]:
    usd = usd_a_month(found.prices, each.product, each.wasted)
    amounts = ("all", "used", "idle", "free", "lost", "unknown")
    return {
        "product": each.product,
        **{key: f"{getattr(each, key):.2f}" for key in amounts},
        "usd": None if usd is None else f"{usd:,.0f}",
    }


def _prices(found: Assessment) -> Iterator[Paragraph]:
    yield Text(
        ("Together: ", "bold"),
        f"about {found.saved:.1f} GPUs and {found.saved_usd:,.0f} USD a month could be saved.",
    )
    for p in found.prices.values():
        dated = f", {p.as_of}" if p.as_of else ""
        yield output.note(f"{p.product}: {p.usd_per_hour} USD a GPU and hour ({p.source}{dated})")
