"""The stock and the workloads of `pools plan`, of a file or the cluster."""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from webhook.cli import loaders
from webhook.cli.cluster import flags
from webhook.cli.cluster import loaders as sources
from webhook.cli.cluster.client import ClusterClient
from webhook.cli.inspect import reconstruct
from webhook.cli.manifests import InputError
from webhook.cli.pool_data import load_catalog
from webhook.cli.verbs.pools.holders import live_pods, used_by_node
from webhook.cli.verbs.pools.plan_assumptions import UNKNOWN_PRICE, assumptions
from webhook.cli.verbs.pools.plan_file import (
    PlanFile,
    StockLine,
    WorkloadLine,
    namespace_of,
    pod_of,
    read_plan_file,
)
from webhook.core.api import names, quantity
from webhook.core.api.node import Node
from webhook.core.api.pod import Pod
from webhook.core.decision.classify import classify
from webhook.core.policy.values import Policy
from webhook.core.pools.catalog import Catalog, find_model, price_of
from webhook.core.pools.changes import NodeChange, busy_gpus, changes
from webhook.core.pools.demand import (
    Demand,
    EqualPods,
    Host,
    Offers,
    Replicas,
    possible_offers,
    read_demand,
)
from webhook.core.pools.hardware import physical_gpus
from webhook.core.pools.model import Stock
from webhook.core.pools.plan import Plan, PlannedGpu
from webhook.core.pools.planner import make_plan
from webhook.core.pools.settings import NodeSetting, node_setting


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with what it was made of. `changes` are the moves of nodes that exist.

    `busy` are the GPUs by node that pods keep busy today, None where that is not known.
    """

    plan: Plan
    stock: Stock
    assumptions: tuple[str, ...]
    settings: tuple[NodeSetting, ...]
    changes: tuple[NodeChange, ...] = ()
    busy: Mapping[str, int] | None = None


def collect_plan(args: argparse.Namespace) -> Planned:
    """Read, and plan.

    Raises:
        InputError: the file cannot be read or is wrong.
        Unavailable: the cluster cannot be read.
    """
    asked = read_plan_file(args.filename) if args.filename else PlanFile()
    if asked.workloads is not None and (asked.stock is not None or args.inventory):
        policy = loaders.load_policy(args.policy)
        nodes = () if asked.stock is not None else loaders.load_cluster(args.inventory).nodes
        return _plan(_Inputs(asked, nodes, policy), greedy=args.greedy)
    with flags.open_cluster(args, "; or name the workloads in -f FILE") as client:
        policy = sources.policy(client, args.install, args.policy).policy
        nodes = () if asked.stock is not None else _nodes(client, args.inventory)
        pods = () if asked.workloads is not None else tuple(live_pods(client))
        namespaces = dict(sources.namespaces(client, None)) if pods else {}
    live = tuple((each, namespaces.get(each["metadata"].get("namespace", ""), {})) for each in pods)
    return _plan(_Inputs(asked, nodes, policy, live), greedy=args.greedy)


def _nodes(client: ClusterClient, inventory: str | None) -> tuple[Node, ...]:
    return loaders.load_cluster(inventory).nodes if inventory else sources.nodes(client)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """A file, and of a cluster what it leaves out. Pods are with their namespaces' labels."""

    asked: PlanFile
    nodes: tuple[Node, ...]
    policy: Policy
    pods: tuple[tuple[dict[str, Any], Mapping[str, str]], ...] = ()


def _plan(inputs: _Inputs, *, greedy: bool) -> Planned:
    asked, nodes, policy = inputs.asked, inputs.nodes, inputs.policy
    catalog = load_catalog()
    prices = {**catalog.prices, **asked.prices}
    catalog = Catalog(catalog.products, catalog.gpu_memory, catalog.mig_memory, prices)
    hosts = _hosts_of_nodes(nodes, catalog) if asked.stock is None else _hosts(asked, catalog)
    stock = Stock(tuple(hosts), Replicas(asked.mps_replicas, asked.time_slicing_replicas))
    offers = possible_offers(stock.hosts, stock.replicas)
    demands = [*_demands(asked, policy, offers), *_of_pods(inputs, offers)]
    plan = make_plan(stock, demands, exact=not greedy)
    settings = tuple(_settings(plan, stock))
    used = used_by_node(raw for raw, _ in inputs.pods)
    sizes = {name: host.size for host in stock.hosts for name in host.nodes}
    busy = {
        name: busy_gpus(each, sizes[name], used.get(name, {}))
        for each in nodes
        if (name := each.metadata.name) in sizes
    }
    return Planned(
        plan, stock, tuple(assumptions(stock, asked)), settings,
        tuple(changes(settings, nodes)) if nodes else (), busy if inputs.pods else None,
    )  # fmt: skip


def _settings(plan: Plan, stock: Stock) -> Iterator[NodeSetting]:
    models = {name: host.model for host in stock.hosts for name in host.nodes}
    by_node: dict[str, list[PlannedGpu]] = defaultdict(list)
    for gpu in plan.gpus:
        by_node[gpu.node].append(gpu)
    return (node_setting(gpus, models[name]) for name, gpus in by_node.items())


def _hosts(asked: PlanFile, catalog: Catalog) -> Iterator[Host]:
    made: Counter[str] = Counter()
    for line in asked.stock or ():
        full, rest = divmod(line.gpus, line.gpus_per_node)
        for size, count in ((line.gpus_per_node, full), (rest, 1)):
            if size and count:
                first = made[line.product]
                made[line.product] += count
                nodes = tuple(f"{line.product}-{first + i}" for i in range(count))
                yield _host(line, size, nodes, catalog)


def _host(line: StockLine, size: int, nodes: tuple[str, ...], catalog: Catalog) -> Host:
    memory = None if line.memory is None else quantity.mebibytes(line.memory)
    model = find_model(catalog, line.product, memory)
    return Host(model, size, nodes, _price(catalog, line.product))


def _price(catalog: Catalog, product: str) -> float:
    found = price_of(catalog, product)
    return UNKNOWN_PRICE if found is None else found


def _hosts_of_nodes(nodes: Iterable[Node], catalog: Catalog) -> Iterator[Host]:
    """Equal nodes are one host: of one product, memory, number of GPUs and tenant."""
    found: dict[tuple[str, int | None, int, str | None], list[str]] = defaultdict(list)
    for each in nodes:
        gpus = physical_gpus(each, catalog)
        if gpus is not None:
            tenant = (each.metadata.labels or {}).get(names.TENANT)
            key = gpus.product, gpus.memory, gpus.count, tenant
            found[key].append(each.metadata.name)
    for (product, memory, count, tenant), many in sorted(found.items(), key=str):
        model, price = find_model(catalog, product, memory), _price(catalog, product)
        yield Host(model, count, tuple(sorted(many)), price, tenant)


def _demands(asked: PlanFile, policy: Policy, offers: Offers) -> Iterator[Demand]:
    """Lines that differ in name and replicas only are judged once."""
    judged: dict[WorkloadLine, tuple[Demand, ...]] = {}
    for line in asked.workloads or ():
        kind = msgspec.structs.replace(line, name="", replicas=0)
        if kind not in judged:
            question = classify(pod_of(line), namespace_of(line), policy)
            if question.violations:
                raise InputError(f"workload {line.name}: {question.violations[0].message}")
            judged[kind] = tuple(read_demand(EqualPods("", 0, question), policy, offers))
        for each in judged[kind]:
            yield replace(each, name=line.name, replicas=line.replicas)


def _of_pods(inputs: _Inputs, offers: Offers) -> Iterator[Demand]:
    """Pods as their authors wrote them. Those of one template are judged once."""
    judged: dict[tuple[str, ...], tuple[Demand, ...]] = {}
    for raw, namespace in inputs.pods:
        template = _template(raw)
        if template not in judged:
            pod = msgspec.convert(reconstruct.from_live_pod(raw), Pod)
            question = classify(pod, namespace, inputs.policy)
            pods = EqualPods(_owner(raw), 1, question)
            judged[template] = tuple(read_demand(pods, inputs.policy, offers))
        yield from judged[template]


def _template(pod: dict[str, Any]) -> tuple[str, ...]:
    """What pods of one template have in common, else what a pod has alone."""
    meta = pod["metadata"]
    owner: dict[str, str] = next(iter(meta.get("ownerReferences") or ()), {})
    revision = (meta.get("labels") or {}).get("controller-revision-hash", "")
    one = owner.get("apiVersion") in ("apps/v1", "batch/v1")  # those have one template each
    own = () if one and owner.get("uid") else (meta["name"],)
    return (meta.get("namespace", ""), _owner(pod), owner.get("uid", ""), revision, *own)


def _owner(pod: dict[str, Any]) -> str:
    meta = pod["metadata"]
    owners = meta.get("ownerReferences") or [{"name": meta["name"]}]
    return f"{meta.get('namespace', 'default')}/{owners[0]['name']}"
