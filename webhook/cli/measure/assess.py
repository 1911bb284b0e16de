"""What pods asked for joined with what was measured: sizes, shared devices and waste."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from webhook.cli.forecast.collect import Audit
from webhook.cli.forecast.evaluate import AuditRow
from webhook.cli.measure.devices import nodes_with_unnamed, place_devices, shared_kinds
from webhook.cli.measure.measure import Measured
from webhook.cli.measure.requests import owner_of, pod_name, read_template_request
from webhook.cli.measure.shared import SharedDevice, read_shared
from webhook.cli.pool_data import load_catalog
from webhook.cli.prices import Price, usd_a_month
from webhook.core.api.node import Node
from webhook.core.gpu.reading import read_node
from webhook.core.pools.catalog import GpuModel, find_model
from webhook.core.pools.demand import Replicas
from webhook.core.rightsizing.join import Evidence, collect_evidence, match_owners
from webhook.core.rightsizing.need import Need, measure_need
from webhook.core.rightsizing.recommend import recommend
from webhook.core.rightsizing.recommendation import (
    Case,
    Confidence,
    Recommendation,
    RecommendedAction,
)
from webhook.core.rightsizing.values import Device, TemplateRequest
from webhook.core.rightsizing.waste import Waste, add_waste

NO_NAMES: Final = (
    "dcgm-exporter named none of its pods on a device (docs/monitoring.md, Settings of "
    "dcgm-exporter)"
)


@dataclass(frozen=True, slots=True)
class Sized:
    """One workload with what is recommended. `saved` is in physical GPUs, of all its pods.

    `usd_a_month` is what they cost by the price list, None where the product has no price. `row`
    is where the template stands.
    """

    row: AuditRow
    request: TemplateRequest
    need: Need
    advice: Recommendation
    saved: float
    usd_a_month: float | None
    on: tuple[Device, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """All of it, and the prices that it is in."""

    url: str
    window: str
    workloads: tuple[Sized, ...]
    shared: tuple[SharedDevice, ...]
    waste: Mapping[str, Waste]
    prices: Mapping[str, Price]
    devices: int
    notes: tuple[str, ...]

    @property
    def saved(self) -> float:
        """The GPUs that all recommendations would free."""
        return sum(each.saved for each in self.workloads if each.saved > 0)

    @property
    def saved_usd(self) -> float:
        """What those cost a month, as far as prices are known."""
        return sum(each.usd_a_month or 0 for each in self.workloads if each.saved > 0)

    def oversized(self, product: str = "") -> float:
        """Return the GPUs that changes of size would free, of one product or of all."""
        return sum(
            each.saved
            for each in self.workloads
            if each.advice.action is RecommendedAction.CHANGE
            and each.saved > 0
            and product in ("", each.need.product)
        )


def owner_path(request: TemplateRequest) -> str:
    """Return namespace, kind and name of a workload, as people read them."""
    return f"{request.namespace}/{request.kind}/{request.name}"


def owner_record(request: TemplateRequest) -> dict[str, str]:
    """Return where a workload's template stands, for tools."""
    keys = ("namespace", "kind", "name", "template")
    return {key: getattr(request, key) for key in keys}


def assess(found: Audit, measured: Measured, prices: Mapping[str, Price], url: str) -> Assessment:
    """Join an audit with what was measured."""
    nodes = {each.metadata.name: each for each in found.context.cluster.nodes}
    models = _models(nodes.values())
    live = {pod_name(p): p for row in found.rows for p in row.group.pods}
    devices = place_devices(measured.devices, live, nodes)
    owners = match_owners(
        {pod for device in devices for pod in device.pods},
        {pod_name(p): owner_of(row) for row in found.rows for p in row.group.pods},
        {owner_of(row) for row in found.rows},
    )
    evidence = collect_evidence(devices, owners, shared_kinds(nodes.values()))
    replicas = _replicas(nodes.values())
    workloads = []
    for row in found.rows:
        request = read_template_request(row, nodes, measured.kv_cache, found.context.policy)
        known = evidence.get(owner_of(row), Evidence())
        product = _product(known)
        case = Case(
            request, measure_need(request, known, models(product)), models(product), replicas
        )
        workloads.append(_sized(row, case, known, prices))
    together = {d.key: d for each in evidence.values() for d in each.shared}
    return Assessment(
        url=url,
        window=measured.window,
        workloads=tuple(workloads),
        shared=tuple(read_shared(d, devices, nodes, live) for _, d in sorted(together.items())),
        waste=add_waste(devices, models, nodes_with_unnamed(devices, live, nodes)),
        prices={p.product: p for p in prices.values() if p.product in _products(devices)},
        devices=len(devices),
        notes=tuple(_notes(devices, prices)),
    )


def _models(nodes: Iterable[Node]) -> Callable[[str], GpuModel]:
    """Models by product, with the memory that the cluster's own nodes say."""
    memory = {
        offer.product: offer.gpu_memory
        for node in nodes
        for offer in read_node(node).offers
        if offer.gpu_memory
    }
    known: dict[str, GpuModel] = {}

    def model_of(product: str) -> GpuModel:
        if product not in known:
            known[product] = find_model(load_catalog(), product, memory.get(product))
        return known[product]

    return model_of


def _replicas(nodes: Iterable[Node]) -> Replicas:
    """How many pods share a GPU here, else the usual numbers."""
    seen = {o.strategy: o.replicas for n in nodes for o in read_node(n).offers if o.replicas > 1}
    usual = Replicas()
    by_name = {strategy.value: n for strategy, n in seen.items()}
    return Replicas(
        mps=by_name.get("mps", usual.mps),
        time_slicing=by_name.get("time-slicing", usual.time_slicing),
    )


def _product(known: Evidence) -> str:
    own = (device.product for device, _ in known.own)
    shared = (device.product for device in known.shared)
    return next(own, None) or next(shared, None) or ""


def _sized(row: AuditRow, case: Case, known: Evidence, prices: Mapping[str, Price]) -> Sized:
    request = case.request
    advice = _by_device(known) if known.shared and not known.own else recommend(case)
    if advice.action is RecommendedAction.WAIT and not known.own:
        advice = replace(advice, reason=f"{advice.reason}; {NO_NAMES}")
    saves = (
        advice.action in (RecommendedAction.CHANGE, RecommendedAction.RELEASE)
        and advice.gpus is not None
    )
    saved = request.held - (advice.gpus or 0.0) * request.pods if saves else 0.0
    usd = usd_a_month(prices, case.model.product, saved)
    return Sized(row, request, case.need, advice, saved, usd, known.shared)


def _by_device(known: Evidence) -> Recommendation:
    where = ", ".join(sorted({f"{d.key.uuid} on {d.key.node}" for d in known.shared}))
    text = f"it shares {where}: that device's use is known, its own is not"
    return Recommendation(RecommendedAction.DEVICE, text, Confidence.MEDIUM)


def _products(devices: Iterable[Device]) -> frozenset[str]:
    return frozenset(each.product for each in devices)


def _notes(devices: Iterable[Device], prices: Mapping[str, Price]) -> Iterator[str]:
    unpriced = sorted(_products(devices) - prices.keys())
    if unpriced:
        yield f"no price is known for {', '.join(unpriced)}: --prices FILE"
