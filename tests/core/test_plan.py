"""The plan of pools: layouts by placement, the exact optimum beside brute force, greedy's bound."""

import argparse
import json
import tempfile
from collections import Counter
from dataclasses import replace

import msgspec
import plan_oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhook.cli.loaders import load_policy
from webhook.cli.pool_data import load_catalog
from webhook.cli.verbs.pools.plan_collect import collect_plan
from webhook.core.api.pod import Pod
from webhook.core.decision.classify import classify
from webhook.core.pools.catalog import find_model, model_of
from webhook.core.pools.demand import (
    Demand,
    EqualPods,
    Host,
    Replicas,
    possible_offers,
    read_demand,
)
from webhook.core.pools.layouts import all_layouts, maximal_layouts
from webhook.core.pools.model import Stock
from webhook.core.pools.plan import FREE, Plan
from webhook.core.pools.planner import OPTIMAL, make_plan

pytest.importorskip("highspy", reason="the extra `plan` is not installed")

CATALOG, POLICY = load_catalog(), load_policy(None)
A100, H100, A30, T4 = (
    "NVIDIA-A100-SXM4-80GB", "NVIDIA-H100-80GB-HBM3", "NVIDIA-A30", "Tesla-T4",
)  # fmt: skip
PRICES = {A100: 3.5, H100: 7.0, A30: 1.0, T4: 0.5}


def hosts(*lines: tuple[str, int, int]) -> Stock:
    """A stock of (product, nodes, GPUs a node)."""
    made = (
        Host(
            find_model(CATALOG, name),
            size,
            tuple(f"{name}-{i}" for i in range(nodes)),
            PRICES[name],
        )
        for name, nodes, size in lines
    )
    return Stock(tuple(made), Replicas(mps=3, time_slicing=2))


def demands(stock: Stock, *lines: dict[str, object]) -> list[Demand]:
    offers = possible_offers(stock.hosts, stock.replicas)
    found: list[Demand] = []
    for index, line in enumerate(lines):
        labels = {"gpu-sharing.io/workload": line["workload"]}
        tenant = line.get("tenant")
        namespace = {"gpu-sharing.io/tenant": str(tenant)} if tenant else {}
        memory = {"gpu-sharing.io/gpu-memory": line["memory"]} if line.get("memory") else {}
        limits = {line.get("resource", "nvidia.com/gpu"): line.get("gpus", 1)}
        pod = {
            "metadata": {"labels": labels, "annotations": memory},
            "spec": {"containers": [{"name": "main", "resources": {"limits": limits}}]},
        }
        question = classify(msgspec.convert(pod, Pod), namespace, POLICY)
        count = int(str(line.get("replicas", 1)))
        found += read_demand(EqualPods(f"w{index}", count, question), POLICY, offers)
    return found


@pytest.mark.parametrize(
    ("name", "every", "maximal"), [(A100, 77, 28), (H100, 77, 28), (A30, 9, 4), (T4, 0, 0)]
)
def test_layouts_follow_from_placements(name: str, every: int, maximal: int) -> None:
    """78 and 10 with the empty one, as counted from mig-profiles.json by others."""
    model = find_model(CATALOG, name)
    assert len(all_layouts(model)) == every
    assert len(maximal_layouts(model)) == maximal


def test_two_3g_leave_no_slot_for_1g() -> None:
    layouts = all_layouts(find_model(CATALOG, H100))
    assert {"3g.40gb": 2} in layouts
    assert {"1g.10gb": 1, "3g.40gb": 2} not in layouts
    assert {"1g.10gb": 4, "3g.40gb": 1} in layouts


def left(plan: Plan) -> int:
    return sum(each.replicas for each in plan.unplaced)


LINE = st.fixed_dictionaries({
    "workload": st.sampled_from(["training", "inference", "dev", "tenant"]),
    "memory": st.sampled_from([None, "1Gi", "4Gi", "9Gi", "13Gi", "20Gi"]),
    "gpus": st.sampled_from([1, 1, 1, 2]),
    "tenant": st.sampled_from([None, None, "blue"]),
    "replicas": st.sampled_from([1, 1, 2, 5]),
})  # fmt: skip
STOCKS = (((A30, 2, 1),), ((A30, 1, 2),), ((T4, 1, 2), (A30, 1, 1)), ((T4, 2, 2),))


JOB = st.fixed_dictionaries(
    {
        "workload": st.sampled_from(["training", "inference", "dev", "tenant"]),
        "replicas": st.integers(0, 5),
    },
    optional={
        "memory": st.sampled_from(["1Gi", "1536Mi", "6Gi", "9984Mi", "9985Mi", "38000Mi", "79Gi"]),
        "gpus": st.sampled_from([1, 2, 3]),
        "tenant": st.just("blue"),
    },
)
LINES = st.fixed_dictionaries({
    "product": st.sampled_from(plan_oracle.COVERED),
    "gpus": st.integers(1, 2),
    "gpusPerNode": st.integers(1, 2),
})  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    stock=st.lists(LINES, min_size=1, max_size=2),
    jobs=st.lists(JOB, min_size=1, max_size=3),
    price=st.sampled_from([0.5, 1.0, 3.5]),
    replicas=st.sampled_from([2, 4]),
)
def test_the_plan_is_what_trying_everything_finds(
    stock: list[dict], jobs: list[dict], price: float, replicas: int
) -> None:
    """Pods left, money, and GPUs in use of each product from the dearest on."""
    prices = {line["product"]: price + i for i, line in enumerate(stock)}
    workloads = [{**job, "name": f"w{i}"} for i, job in enumerate(jobs)]
    plan = {"stock": stock, "workloads": workloads, "prices": prices, "mpsReplicas": replicas}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(json.dumps(plan))
        file.flush()
        found = collect_plan(
            argparse.Namespace(filename=file.name, policy=None, inventory=None, greedy=False)
        ).plan
    used = Counter(each.product for each in found.used)
    names = sorted(prices, key=lambda each: (-prices[each], -plan_oracle.memory_of(each)))
    reached = (left(found), found.price, *(used[name] for name in names))
    assert found.how == OPTIMAL
    assert reached == pytest.approx(plan_oracle.best_plan(plan))


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(LINE, min_size=1, max_size=4), shape=st.sampled_from(STOCKS))
def test_without_a_solver_the_plan_is_sound_and_says_its_distance(
    lines: list[dict[str, object]], shape: tuple
) -> None:
    stock = hosts(*shape)
    asked = demands(stock, *lines)
    plan = make_plan(stock, asked, exact=False)
    check(plan, stock, asked)
    assert plan.how.startswith("not proved (--greedy was given): ")
    exact = make_plan(stock, asked)
    assert (left(exact), exact.price) <= (left(plan), plan.price + 1e-9)


def check(plan: Plan, stock: Stock, asked: list[Demand], time_slicing: int = 2) -> None:
    """Every pod is served once or left; every GPU and node is one thing, and not overfull."""
    placed = sum((Counter(gpu.serves) for gpu in plan.gpus), Counter())
    for each in plan.unplaced:
        gpus = next(d.gpus for d in asked if d.name == each.name)
        placed[each.name] += each.replicas * (
            gpus if any(d.fits for d in asked if d.name == each.name) else 1
        )
    wanted = Counter()
    for each in asked:
        wanted[each.name] += each.replicas * (each.gpus if each.fits else 1)
    assert placed == wanted
    for host in stock.hosts:
        for name in host.nodes:
            kinds = {gpu.strategy for gpu in plan.gpus if gpu.node == name} - {FREE}
            assert kinds <= {"exclusive", "mig"} or len(kinds) == 1
    most = {"exclusive": 1, "mps": 3, "time-slicing": time_slicing}
    for gpu in plan.used:
        pods = sum(gpu.serves.values())
        assert 0 < pods <= most.get(gpu.strategy, sum(gpu.layout.values()))


def test_ties_keep_the_dearest_product_free() -> None:
    """One A30 costs what two T4 do: the two T4 go."""
    stock = hosts((A30, 1, 1), (T4, 2, 1))
    plan = make_plan(stock, demands(stock, {"workload": "training", "replicas": 2}))
    assert [each.product for each in plan.used] == [T4, T4]
    shared = hosts((A30, 1, 1), (T4, 1, 2))
    plan = make_plan(shared, demands(shared, {"workload": "training", "gpus": 2}))
    assert [each.product for each in plan.used] == [T4, T4]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            {"workload": "training", "gpus": 3},
            "on one node requested, no node has more than 2",
        ),
        ({"workload": "tenant", "memory": "20Gi"}, "nothing in the stock can be given as mig"),
        ({"workload": "inference", "memory": "15361Mi"}, "the most that mig, mps, exclusive gives"),
        ({"workload": "dev", "gpus": 2}, "the policy gives workload dev 1 in a container"),
        (
            {"workload": "training", "resource": "nvidia.com/gpu.shared"},
            "nvidia.com/gpu.shared: the policy never gives this workload that",
        ),
    ],
)
def test_what_never_fits_says_why(line: dict[str, object], reason: str) -> None:
    stock = hosts((T4, 1, 2))
    plan = make_plan(stock, demands(stock, line))
    assert reason in plan.unplaced[0].reason


def test_memory_is_what_a_device_has_not_its_name() -> None:
    """A 3g.40gb of an H100 has 40320 MiB, one of an A100 counts as 40 GiB less 15 %."""
    for memory, name, profile in (("40320Mi", H100, "3g.40gb"), ("34816Mi", A100, "3g.40gb")):
        stock = hosts((name, 1, 1))
        asked = demands(stock, {"workload": "tenant", "memory": memory, "replicas": 2})
        assert dict(make_plan(stock, asked).gpus[0].layout) == {profile: 2}
        over = demands(stock, {"workload": "tenant", "memory": f"{int(memory[:-2]) + 1}Mi"})
        assert dict(make_plan(stock, over).gpus[0].layout) == {"7g.80gb": 1}


def test_what_time_sliced_pods_state_fits_together() -> None:
    stock = hosts((T4, 1, 2))
    asked = demands(stock, {"workload": "dev", "memory": "8Gi", "replicas": 2})
    assert [gpu.serves for gpu in make_plan(stock, asked).gpus] == [{"w0": 1}, {"w0": 1}]
    asked = demands(stock, {"workload": "dev", "memory": "7Gi", "replicas": 2})
    assert [gpu.serves for gpu in make_plan(stock, asked).gpus] == [{"w0": 2}, {}]


def test_a_gpu_before_turing_has_16_mps_clients_at_most() -> None:
    """The daemon of a V100 rejects more (k8s-device-plugin cmd/mps-control-daemon)."""
    v100 = Host(find_model(CATALOG, "Tesla-V100-SXM2-16GB"), 1, ("v",), 3.0)
    for replicas, strategy in ((16, "mps"), (17, "exclusive")):
        stock = Stock((v100,), Replicas(replicas, 4))
        plan = make_plan(stock, demands(stock, {"workload": "inference"}))
        assert plan.gpus[0].strategy == strategy


def test_a_tenants_node_is_for_its_tenant_alone() -> None:
    stock = hosts((A30, 1, 1))
    own = Stock((replace(stock.hosts[0], tenant="blue"),), stock.replicas)
    for tenant, count in (("blue", 0), ("red", 1)):
        plan = make_plan(own, demands(own, {"workload": "inference", "tenant": tenant}))
        assert left(plan) == count


def test_memory_needs_that_are_too_many_are_rounded_and_the_plan_says_so() -> None:
    stock = hosts((T4, 5, 4))
    stock = Stock(stock.hosts, Replicas(time_slicing=4))
    lines = [{"workload": "dev", "memory": f"{2000 + 53 * i}Mi"} for i in range(60)]
    asked = demands(stock, *lines, {"workload": "training", "gpus": 4})
    plan = make_plan(stock, asked)
    assert plan.how.startswith(OPTIMAL)
    assert "they were rounded up" in plan.how
    assert left(plan) == 0
    check(plan, stock, asked, time_slicing=4)


def test_each_profile_alone_fills_a_gpu_at_its_starts() -> None:
    """By that count mig-manager's all-<profile> is told from a layout of our own."""
    for entry in CATALOG.products:
        model = model_of(CATALOG, entry, entry.id, None)
        for device in model.devices:
            most = max(each.get(device.profile.name, 0) for each in all_layouts(model))
            assert len(device.starts) == most
