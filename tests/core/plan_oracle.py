"""The best plan of a small stock by trying everything: the rules of the file, written again.

It shares nothing with the planner but the package's tables of products.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "webhook/data"
PRODUCTS = json.loads((DATA / "mig-profiles.json").read_text(encoding="utf-8"))["products"]
COVERED = ("Tesla-T4", "NVIDIA-L4", "NVIDIA-A30", "NVIDIA-A100-SXM4-80GB", "NVIDIA-H100-80GB-HBM3",
           "NVIDIA-H200")  # fmt: skip
"""The products whose names stand in the table of memory, each of one kind."""
Counts = tuple[int, ...]
"""How many pods of each workload are served."""
Cost = tuple[float, ...]
"""USD an hour, then GPUs in use of each product, the dearest first."""


def best_plan(plan: Mapping[str, Any]) -> tuple[float, ...]:
    """Return pods left and the cost of the best plan. Every product has its price."""
    jobs, prices = plan["workloads"], plan["prices"]
    wanted = tuple(each["replicas"] for each in jobs)
    names = sorted(prices, key=lambda each: (-prices[each], -memory_of(each)))
    reached: dict[Counts, Cost] = {(0,) * len(jobs): (0.0,) * (1 + len(names))}
    for product, size in _nodes(plan["stock"]):
        costs = {
            counts: (round(used * prices[product], 6), *(used * (n == product) for n in names))
            for counts, used in _node(plan, product, size).items()
        }
        reached = _together(reached, costs, wanted)
    return min((sum(wanted) - sum(counts), *cost) for counts, cost in reached.items())


def _nodes(stock: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, int]]:
    for line in stock:
        for first in range(0, line["gpus"], line["gpusPerNode"]):
            yield line["product"], min(line["gpusPerNode"], line["gpus"] - first)


def _together(
    some: Mapping[Counts, Cost], more: Mapping[Counts, Cost], wanted: Counts
) -> dict[Counts, Cost]:
    found: dict[Counts, Cost] = {}
    for a, first in some.items():
        for b, second in more.items():
            counts = tuple(x + y for x, y in zip(a, b, strict=True))
            if all(x <= y for x, y in zip(counts, wanted, strict=True)):
                cost = tuple(round(x + y, 6) for x, y in zip(first, second, strict=True))
                found[counts] = min(cost, found.get(counts, cost))
    return found


def _node(plan: Mapping[str, Any], product: str, size: int) -> dict[Counts, int]:
    """Return the GPUs that each possible service of a node keeps busy: cut and whole, or shared."""
    jobs = plan["workloads"]
    wanted = tuple(each["replicas"] for each in jobs)
    several = [
        (i, each["gpus"])
        for i, each in enumerate(jobs)
        if each.get("gpus", 1) > 1 and _may_be_whole(each, product)
    ]
    best: dict[Counts, int] = {}
    for single, groups in (
        (_cut_or_whole(jobs, product), several),
        (_shared(jobs, product, "mps", plan.get("mpsReplicas", 10)), []),
        (_shared(jobs, product, "time-slicing", plan.get("timeSlicingReplicas", 4)), []),
    ):
        zero: dict[Counts, Cost] = {(0,) * len(jobs): (0,)}
        one = zero | dict.fromkeys(single, (1,))
        filled = [zero]
        for gpus in range(1, size + 1):
            filled.append(_together(filled[-1], one, wanted))
            for index, count in groups:
                if count <= gpus:
                    pod = {_plus((0,) * len(jobs), index): (count,)}
                    filled[-1] |= _together(filled[gpus - count], pod, wanted)
        for counts, (used,) in filled[-1].items():
            best[counts] = min(int(used), best.get(counts, size))
    return best


def _plus(counts: Counts, index: int) -> Counts:
    return tuple(each + (i == index) for i, each in enumerate(counts))


def _cut_or_whole(jobs: list[Mapping[str, Any]], product: str) -> set[Counts]:
    zero = (0,) * len(jobs)
    found = {
        _plus(zero, i)
        for i, each in enumerate(jobs)
        if each.get("gpus", 1) == 1 and _may_be_whole(each, product)
    }
    for devices in _layouts(product):
        served = {zero}
        for memory in devices:
            served |= {
                _plus(counts, i)
                for counts in served
                for i, each in enumerate(jobs)
                if "mig" in _ways(each, product) and _need(each) <= memory
            }
        found |= served
    return found - {zero}


def _shared(
    jobs: list[Mapping[str, Any]], product: str, strategy: str, replicas: int
) -> set[Counts]:
    """MPS gives each an equal part of the memory; under time-slicing the needs fit together."""
    zero = (0,) * len(jobs)
    served, edge = {zero}, {zero}
    for _ in range(replicas):
        edge = {
            counts
            for before in edge
            for i, each in enumerate(jobs)
            if strategy in _ways(each, product)
            if _fits_shared(jobs, counts := _plus(before, i), product, strategy, replicas)
        } - served
        served |= edge
    return served - {zero}


def _fits_shared(
    jobs: list[Mapping[str, Any]], counts: Counts, product: str, strategy: str, replicas: int
) -> bool:
    needs = [_need(job) for job, n in zip(jobs, counts, strict=True) for _ in range(n)]
    if any(n > job["replicas"] for job, n in zip(jobs, counts, strict=True)):
        return False
    if strategy == "mps":
        return max(needs) <= memory_of(product) // replicas
    return sum(needs) <= memory_of(product)


def _ways(job: Mapping[str, Any], product: str) -> tuple[str, ...]:
    """Return what the matrix of decisions.md lets a workload use on a product."""
    workload, gpus = job["workload"], job.get("gpus", 1)
    if workload == "training":
        return ("exclusive",)
    if workload == "tenant" or job.get("tenant"):
        return ("mig",) if gpus == 1 else ()
    if workload == "dev":
        return ("time-slicing", "mps", "exclusive") if gpus == 1 else ()
    if gpus > 1:
        return ("exclusive",)
    return ("mig" if _profiles(product) else "mps", "exclusive")


def _may_be_whole(job: Mapping[str, Any], product: str) -> bool:
    return "exclusive" in _ways(job, product) and _need(job) <= memory_of(product)


def _need(job: Mapping[str, Any]) -> int:
    text = job.get("memory", "0Mi")
    return int(text[:-2]) * {"Mi": 1, "Gi": 1024}[text[-2:]]


@cache
def memory_of(product: str) -> int:
    """Return the MiB of a whole GPU."""
    return int(next(r["memory_mib"] for r in _rows("gpu-memory.tsv") if r["product"] == product))


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((DATA / name).read_text("utf-8").splitlines(), delimiter="\t"))


@cache
def _profiles(product: str) -> list[dict[str, Any]]:
    found = (e for e in PRODUCTS if product.removeprefix("NVIDIA-") in _plain(e))
    entry = next(found, {"profiles": []})
    return [each for each in entry["profiles"] if not each["attributes"]]


def _plain(entry: Mapping[str, Any]) -> set[str]:
    return {p.removeprefix("(NVIDIA-)?").removeprefix("NVIDIA-") for p in entry["product_patterns"]}


@cache
def _layouts(product: str) -> set[tuple[int, ...]]:
    """Return the memory of the devices of each layout, by placement."""
    measured = [r for r in _rows("mig-memory.tsv") if r["product"] == product]
    shapes = []
    for each in _profiles(product):
        known = [int(r["memory_mib"]) for r in measured if r["profile"] == each["name"]]
        memory = min(known, default=each["memory_gb"] * 1024 * 85 // 100)
        shapes.append((memory, each["placements"]["starts"], each["placements"]["size"]))
    return {tuple(sorted(found)) for found in _placed(shapes, 0)}


def _placed(shapes: list[tuple[int, list[int], int]], slot: int) -> Iterator[tuple[int, ...]]:
    yield ()
    for memory, starts, size in shapes:
        for start in starts:
            if start >= slot:
                yield from ((memory, *rest) for rest in _placed(shapes, start + size))
