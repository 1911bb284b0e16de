"""An assessment as tools get it, and as `pools plan` reads it. The keys are an interface."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from webhook.cli.measure.assess import Assessment, Sized, owner_path, owner_record
from webhook.cli.measure.shared import SharedDevice
from webhook.cli.pool_data import load_catalog
from webhook.cli.prices import usd_a_month
from webhook.core.api.node import Node
from webhook.core.api.workload import Workload
from webhook.core.pools.hardware import physical_gpus
from webhook.core.rightsizing.recommendation import RecommendedAction
from webhook.core.rightsizing.values import Device, TemplateRequest
from webhook.core.rightsizing.waste import Waste


def assessment_record(found: Assessment) -> dict[str, Any]:
    """Return the whole assessment."""
    return {
        "prometheus": found.url,
        "window": found.window,
        "devices": found.devices,
        "workloads": [_sized(each) for each in found.workloads],
        "sharedDevices": [_shared(each) for each in found.shared],
        "waste": [_waste(each, found) for each in found.waste.values()],
        "oversizedGpus": round(found.oversized(), 2),
        "prices": list(found.prices.values()),
        "notes": list(found.notes),
    }


def _sized(each: Sized) -> dict[str, Any]:
    request, need, advice = each.request, each.need, each.advice
    usd = each.usd_a_month
    return {
        **owner_record(request),
        "workload": request.workload.value,
        "tenant": request.tenant,
        "pods": request.pods,
        "product": need.product or None,
        "now": {
            "strategy": request.strategy and request.strategy.value,
            "gpus": round(request.held, 3),
        },
        "measured": {
            "hours": round(need.hours, 1),
            "points": need.points,
            "activeP95": need.p95,
            "memoryPeakMiB": need.peak,
            "reservedBy": need.reservation.server.value if need.reservation else None,
        },
        "recommend": {
            "action": advice.action.value,
            "strategy": advice.strategy and advice.strategy.value,
            "profile": advice.profile and advice.profile.name,
            "memoryMiB": advice.memory,
            "gpusPerPod": None if advice.gpus is None else round(advice.gpus, 3),
            "confidence": advice.confidence.value,
            "reason": advice.reason,
        },
        "saved": {
            "gpus": round(each.saved, 3),
            "usdPerMonth": None if usd is None else round(usd, 2),
        },
        "onDevices": [_device(each) for each in each.on],
    }


def _device(each: Device) -> dict[str, Any]:
    return {"node": each.key.node, "uuid": each.key.uuid, "instance": each.key.instance or None}


def _shared(each: SharedDevice) -> dict[str, Any]:
    use = each.device.use
    return {
        **_device(each.device),
        "product": each.device.product,
        "activeP95": use.active_p95,
        "memoryPeakMiB": use.memory_max,
        "memoryMiB": each.device.memory,
        "pods": [f"{pod.namespace}/{pod.name}" for pod in each.pods],
        "podsAreOf": "this device" if each.named else f"one of {each.gpus} devices of the node",
        "recommend": each.text,
    }


def _waste(each: Waste, found: Assessment) -> dict[str, Any]:
    parts = {
        "gpus": each.all,
        "used": each.used,
        "heldIdle": each.idle,
        "free": each.free,
        "lostInLayout": each.lost,
        "holderUnknown": each.unknown,
    }
    usd = usd_a_month(found.prices, each.product, each.wasted)
    return {
        "product": each.product,
        **{key: round(value, 2) for key, value in parts.items()},
        "wastedUsdPerMonth": None if usd is None else round(usd, 2),
    }


def plan_record(found: Assessment, cluster: Iterable[Node]) -> dict[str, Any]:
    """Return the stock, the workloads with what they need, and prices, for `pools plan -f`."""
    templates = Counter(owner_path(each.request) for each in found.workloads)
    return {
        "stock": _stock(cluster),
        "workloads": [
            _planned(each, several=templates[owner_path(each.request)] > 1)
            for each in found.workloads
            if each.request.pods
        ],
        "prices": {p.product: p.usd_per_hour for p in found.prices.values()},
    }


def _planned(each: Sized, *, several: bool) -> dict[str, Any]:
    """What a workload needs, also one that is to be released."""
    request, memory = each.request, each.advice.memory or each.request.written_memory
    made: dict[str, Any] = {
        "name": owner_path(request) + (f"/{request.template}" if several else ""),
        "workload": _planned_workload(request),
        "replicas": request.pods,
        "gpus": max(request.gpus, 1),
    }
    if memory:
        made["memory"] = f"{memory}Mi"
    elif (
        each.advice.action
        in (RecommendedAction.SIZE, RecommendedAction.WAIT, RecommendedAction.LABEL)
        and each.need.peak
    ):
        made["memory"] = f"{int(each.need.peak)}Mi"
    if request.tenant:
        made["tenant"] = request.tenant
    return made


def _planned_workload(request: TemplateRequest) -> str:
    """What nothing classifies keeps whole GPUs, as training does."""
    if request.workload is not Workload.UNCLASSIFIED:
        return request.workload.value
    return Workload.TENANT if request.tenant else Workload.TRAINING


def _stock(cluster: Iterable[Node]) -> list[dict[str, Any]]:
    found = (physical_gpus(each, load_catalog()) for each in cluster)
    kinds = Counter((each.product, each.count) for each in found if each)
    return [
        {"product": product, "gpus": size * number, "gpusPerNode": size}
        for (product, size), number in sorted(kinds.items())
    ]
