"""A plan: what every GPU of a stock becomes, and which workloads it serves."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from webhook.core.gpu.strategies import Strategy
from webhook.core.pools.demand import Demand, Fit
from webhook.core.pools.layouts import Layout
from webhook.core.pools.model import Column, DemandGroup, Stock, Use

FREE = "free"
Chosen = Sequence[tuple[Column, int]]
"""The columns of a program with how much of each is chosen."""


@dataclass(slots=True)
class PlannedGpu:
    """One GPU of the stock: its strategy or `free`, MIG layout, and pods."""

    node: str
    index: int
    product: str
    price: float
    strategy: str = FREE
    layout: Layout = field(default_factory=dict)
    serves: dict[str, int] = field(default_factory=dict)

    def serve(self, name: str) -> None:
        """Count one more pod of a workload."""
        self.serves[name] = self.serves.get(name, 0) + 1


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Pods of a workload that nothing in the stock serves, and why."""

    name: str
    replicas: int
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be made of a stock. `how` says how good it is known to be."""

    gpus: tuple[PlannedGpu, ...]
    unplaced: tuple[Unplaced, ...]
    how: str

    @property
    def used(self) -> tuple[PlannedGpu, ...]:
        """The GPUs that serve something."""
        return tuple(each for each in self.gpus if each.strategy != FREE)

    @property
    def price(self) -> float:
        """USD an hour of the GPUs in use."""
        return sum(each.price for each in self.used)


def free_gpus(stock: Stock) -> Mapping[str, list[PlannedGpu]]:
    """Return every GPU of the stock by node, none of them planned yet."""
    return {
        name: [
            PlannedGpu(name, index, host.model.product, host.price or 0)
            for index in range(host.size)
        ]
        for host in stock.hosts
        for name in host.nodes
    }


def assign(stock: Stock, groups: Sequence[DemandGroup], chosen: Chosen) -> Plan:
    """Return the plan of what is chosen: each GPU with its pods."""
    nodes = free_gpus(stock)
    pods = _deal(groups, chosen)
    for index, host in enumerate(stock.hosts):
        mine = [(column, count) for column, count in chosen if column.host == index]
        _fill_host(deque(nodes[name] for name in host.nodes), mine, pods)
    left = [name for names in pods.values() for name in names]
    reason = "what the stock has of its kind is taken by others"
    unplaced = tuple(Unplaced(name, n, reason) for name, n in Counter(left).items())
    return Plan(tuple(gpu for each in nodes.values() for gpu in each), unplaced, "")


Pods = dict["tuple[int, int, Strategy, str | int] | None", deque[str]]
"""Workloads by what serves them: host, GPUs, strategy, profile or memory. None: nothing."""


def _deal(groups: Sequence[DemandGroup], chosen: Chosen) -> Pods:
    pods: Pods = defaultdict(deque)
    rest = [deque(each.names) for each in groups]
    for column, count in chosen:
        if column.use in (Use.GIVEN, Use.LEFT):
            key = _key(column.fit, groups[column.group].gpus) if column.fit else None
            pods[key] += [rest[column.group].popleft() for _ in range(count)]
    return pods


def _key(fit: Fit, gpus: int) -> tuple[int, int, Strategy, str | int]:
    return fit.host, gpus, fit.strategy, fit.profile or fit.memory


def _fill_host(nodes: deque[list[PlannedGpu]], chosen: Chosen, pods: Pods) -> None:
    """Fill shared nodes, nodes with pods of several GPUs, then single GPUs."""
    for column, count in chosen:
        if column.use is Use.SHARED_NODES:
            shared = [gpu for _ in range(count) for gpu in nodes.popleft()]
            _fill_shared(shared, column, chosen, pods)
    rest: list[PlannedGpu] = []
    packed = [(c, n) for c, n in chosen if c.use is Use.NODES and c.sizes]
    for column, count in sorted(packed, key=lambda each: -sum(each[0].sizes)):
        for _ in range(count):
            gpus = deque(nodes.popleft())
            for size in column.sizes:
                _fill_several([gpus.popleft() for _ in range(size)], column.host, pods)
            rest += gpus
    rest += [gpu for node in nodes for gpu in node]
    _fill_single(deque(rest), chosen, pods)


def _fill_several(gpus: list[PlannedGpu], host: int, pods: Pods) -> None:
    waiting = pods.get((host, len(gpus), Strategy.EXCLUSIVE, 0))
    if waiting:
        name = waiting.popleft()
        for gpu in gpus:
            gpu.strategy = Strategy.EXCLUSIVE.value
            gpu.serve(name)


def _fill_shared(gpus: Iterable[PlannedGpu], nodes: Column, chosen: Chosen, pods: Pods) -> None:
    """Give the largest place to the pod that needs most of it, then the next."""
    spaces = (
        column.sizes
        for column, count in chosen
        if column.use is Use.SHARED and column.strategy is nodes.strategy
        for _ in range(count)
    )
    mine = [key for key in pods if key and key[::2] == (nodes.host, nodes.strategy)]
    places = [(n, gpu) for gpu, sizes in zip(gpus, spaces, strict=False) for n in sizes]
    largest = sorted(mine, key=lambda key: -int(key[3]))
    for size, gpu in sorted(places, key=lambda each: -each[0]):
        waiting = next((pods[key] for key in largest if pods[key] and int(key[3]) <= size), None)
        if waiting:
            gpu.strategy = nodes.strategy.value
            gpu.serve(waiting.popleft())


def _fill_single(gpus: deque[PlannedGpu], chosen: Chosen, pods: Pods) -> None:
    for column, count in chosen:
        if column.use is Use.CUT:
            for _ in range(count):
                _cut(gpus.popleft(), column.layout, column.host, pods)
        elif column.use is Use.GIVEN and column.fit and column.gpus == 1:
            waiting = pods[_key(column.fit, 1)]
            for _ in range(count):
                gpu = gpus.popleft()
                gpu.strategy = Strategy.EXCLUSIVE.value
                gpu.serve(waiting.popleft())


def _cut(gpu: PlannedGpu, layout: Layout, host: int, pods: Pods) -> None:
    gpu.strategy, gpu.layout = Strategy.MIG.value, dict(layout)
    for profile, count in layout.items():
        waiting = pods.get((host, 1, Strategy.MIG, profile), deque())
        for _ in range(min(count, len(waiting))):
            gpu.serve(waiting.popleft())


def with_reasons(plan: Plan, demands: Iterable[Demand], how: str) -> Plan:
    """Return the plan with the workloads that nothing could ever serve."""
    never = (Unplaced(each.name, each.replicas, each.reason) for each in demands if not each.fits)
    return Plan(plan.gpus, (*plan.unplaced, *never), how)
