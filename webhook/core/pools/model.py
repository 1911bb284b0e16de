"""The plan as an integer program: columns, what they take, what is minimised."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from webhook.core.gpu.strategies import Strategy
from webhook.core.pools.demand import Fit, Host, Replicas
from webhook.core.pools.layouts import Layout, maximal_layouts
from webhook.core.pools.packing import memory_packings, whole_gpu_packings

SHARING: Final = (Strategy.TIME_SLICING, Strategy.MPS)
"""The strategies that are a setting of the whole node (device plugin README)."""


class Use(Enum):
    """What a column counts."""

    LEFT = "pods of a group that nothing serves"
    GIVEN = "pods of a group that one fit serves"
    NODES = "nodes with these pods of several GPUs, whose other GPUs are cut or given singly"
    SHARED_NODES = "nodes whose GPUs are shared"
    CUT = "GPUs of a layout"
    SHARED = "shared GPUs with space for pods of these memory needs"


@dataclass(frozen=True, slots=True)
class Supply:
    """Something that some columns give and others take, on one host or of one group."""

    kind: str
    owner: int
    detail: str | int = ""


@dataclass(frozen=True, slots=True)
class Column:
    """An integer of the program, from 0 to `most`.

    `takes` is below zero for what it gives. `gpus` are those that one unit keeps busy.
    """

    use: Use
    most: int
    takes: Mapping[Supply, int]
    host: int = -1
    group: int = -1
    gpus: int = 0
    fit: Fit | None = None
    layout: Layout = field(default_factory=dict)
    strategy: Strategy = Strategy.EXCLUSIVE
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DemandGroup:
    """Pods that the same can serve. `names` are their workloads, one for each pod."""

    gpus: int
    fits: tuple[Fit, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stock:
    """The hosts that are planned, and how many pods share a GPU."""

    hosts: tuple[Host, ...]
    replicas: Replicas


@dataclass(frozen=True, slots=True)
class Objective:
    """A weighted sum of columns to minimise. `proved`: a plan is judged by it."""

    weights: Mapping[int, float]
    proved: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """What is taken of a supply is at most what is given and `capacity`.

    Of the supplies in `exact` just as much is taken. An objective breaks the ties of those before.
    """

    columns: tuple[Column, ...]
    capacity: Mapping[Supply, int]
    exact: frozenset[Supply]
    objectives: tuple[Objective, ...]


def build_program(stock: Stock, groups: Sequence[DemandGroup]) -> Program:
    """Return the program of a stock and what is asked of it."""
    kinds: Kinds = defaultdict(set)
    for fit in (fit for each in groups for fit in each.fits if fit.strategy in SHARING):
        kinds[fit.host, fit.strategy].add(fit.memory)
    hosts = (_host_columns(stock, index, groups, kinds) for index in range(len(stock.hosts)))
    columns = (*_group_columns(groups, kinds), *(column for each in hosts for column in each))
    wanted = {Supply("pods", index): len(each.names) for index, each in enumerate(groups)}
    nodes = {Supply("nodes", index): len(each.nodes) for index, each in enumerate(stock.hosts)}
    objectives = tuple(_objectives(columns, stock.hosts))
    return Program(columns, wanted | nodes, frozenset(wanted), objectives)


Kinds = dict[tuple[int, Strategy], set[int]]
"""The memory needs of pods that share the GPUs of a host in one way."""


def _group_columns(groups: Sequence[DemandGroup], kinds: Kinds) -> Iterator[Column]:
    for index, group in enumerate(groups):
        most, pods = len(group.names), Supply("pods", index)
        yield Column(Use.LEFT, most, {pods: 1}, group=index)
        for fit in group.fits:
            takes = dict.fromkeys((pods, *_taken_by(fit, group.gpus, kinds)), 1)
            gpus = group.gpus if fit.strategy.traits.whole else 0
            yield Column(Use.GIVEN, most, takes, fit.host, index, gpus, fit)


def _taken_by(fit: Fit, gpus: int, kinds: Kinds) -> tuple[Supply, ...]:
    """What a pod takes. Of shared memory: a place of each size up to its own.

    Pods have places just where, of each size, there are as many places as pods that need it.
    """
    if fit.strategy in SHARING:
        needs = kinds[fit.host, fit.strategy]
        return tuple(Supply(fit.strategy, fit.host, n) for n in needs if n <= fit.memory)
    if fit.profile:
        return (Supply("device", fit.host, fit.profile),)
    return (Supply("GPU", fit.host) if gpus == 1 else Supply("GPUs together", fit.host, gpus),)


def _host_columns(
    stock: Stock, index: int, groups: Sequence[DemandGroup], kinds: Kinds
) -> Iterator[Column]:
    host, gpus = stock.hosts[index], Supply("GPU", index)
    asked = [(group, fit) for group in groups for fit in group.fits if fit.host == index]
    nodes, most = len(host.nodes), len(host.nodes) * host.size
    for sizes in whole_gpu_packings({g.gpus for g, _ in asked if g.gpus > 1}, host.size):
        gives = {Supply("GPUs together", index, size): -n for size, n in Counter(sizes).items()}
        takes = {Supply("nodes", index): 1, gpus: sum(sizes) - host.size, **gives}
        yield Column(Use.NODES, nodes, takes, index, sizes=sizes)
    if any(fit.strategy is Strategy.MIG for _, fit in asked):
        for layout in maximal_layouts(host.model):
            gives = {Supply("device", index, name): -n for name, n in layout.items()}
            yield Column(Use.CUT, most, {gpus: 1, **gives}, index, gpus=1, layout=layout)
    for strategy in (each for each in SHARING if kinds[index, each]):
        shared, needs = Supply("shared GPU", index, strategy), kinds[index, strategy]
        takes = {Supply("nodes", index): 1, shared: -host.size}
        yield Column(Use.SHARED_NODES, nodes, takes, index, strategy=strategy)
        for sizes in _shared_places(strategy, needs, host, stock.replicas):
            gives = {Supply(strategy, index, n): -sum(s >= n for s in sizes) for n in needs}
            takes = {shared: 1, **gives}
            yield Column(Use.SHARED, most, takes, index, gpus=1, strategy=strategy, sizes=sizes)


def _shared_places(
    strategy: Strategy, needs: set[int], host: Host, replicas: Replicas
) -> Iterable[tuple[int, ...]]:
    """MPS divides the memory itself, so that its pods take nothing of it here."""
    if strategy.traits.divides_memory:
        return ((0,) * replicas.mps,)
    return memory_packings(needs, replicas.time_slicing, host.model.memory or 0)


def _objectives(columns: Sequence[Column], hosts: Sequence[Host]) -> Iterator[Objective]:
    """Pods left, money, GPUs of each product from the dearest on, strategies, waste.

    A strategy counts by its place in the workload's row, waste by the slots of the devices given
    and by the kinds of devices on a GPU.
    """
    left = {i: 1.0 for i, each in enumerate(columns) if each.use is Use.LEFT}
    yield Objective(left, proved=True)
    busy = {i: each for i, each in enumerate(columns) if each.gpus}
    money = {i: each.gpus * (hosts[each.host].price or 0) for i, each in busy.items()}
    yield Objective(money, proved=True)
    dearest = sorted(hosts, key=lambda h: (-(h.price or 0), -(h.model.memory or 0)))
    products = list(dict.fromkeys(each.model.product for each in dearest))
    if dearest and dearest[-1].price:  # then money tells the last from the others
        products.pop()
    for product in products:
        mine = {i: c for i, c in busy.items() if hosts[c.host].model.product == product}
        yield Objective({i: each.gpus for i, each in mine.items()})
    yield Objective({i: each.fit.preference for i, each in enumerate(columns) if each.fit})
    wasted = {i: _waste(each, hosts) for i, each in enumerate(columns)}
    yield Objective({i: waste for i, waste in wasted.items() if waste})


def _waste(column: Column, hosts: Sequence[Host]) -> int:
    if column.use is Use.CUT:
        return len(column.layout)
    if column.fit is None or not column.fit.profile:
        return 0
    return 100 * hosts[column.host].model.device(column.fit.profile).size
