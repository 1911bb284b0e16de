"""Every GPU product, by its label `nvidia.com/gpu.product`, against the matrix of the policy."""

import fnmatch
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import casefiles
import msgspec
import pytest

from webhook.core.admit import admit
from webhook.core.api import mig
from webhook.core.api.node import Node
from webhook.core.gpu import inventory
from webhook.core.verdict import Verdict

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "mig-profiles.json"
POLICY = casefiles.rules({})
Short = dict[str, Any]


class Product(NamedTuple):
    """A GPU as its node's labels tell: product, memory in MiB, MIG profiles as in resources."""

    label: str
    memory: int
    profiles: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Two products may carry one label; their memory tells them apart."""
        return f"{self.label}-{self.memory}MiB"


TABLE = (Path(__file__).parent / "products.tsv").read_text(encoding="utf-8").splitlines()[1:]
PRODUCTS = tuple(
    Product(label, int(memory), tuple(profiles))
    for label, memory, *profiles in (line.split() for line in TABLE)
)
CAPABLE = tuple(each for each in PRODUCTS if each.profiles)
NOT_CAPABLE = tuple(each for each in PRODUCTS if not each.profiles)
every_product = pytest.mark.parametrize("product", PRODUCTS, ids=lambda p: p.id)
every_capable = pytest.mark.parametrize("product", CAPABLE, ids=lambda p: p.id)
every_other = pytest.mark.parametrize("product", NOT_CAPABLE, ids=lambda p: p.id)


def whole(product: Product) -> Short:
    """A node that gives whole GPUs."""
    return {**_plain(product), "sharing": "none", "allocatable": {"nvidia.com/gpu": 8}}


def shared(product: Product, strategy: str) -> Short:
    """A node whose GPUs are shared by four."""
    amount = {"nvidia.com/gpu": 32}
    suffixed = {**_plain(product), "product": f"{product.label}-SHARED"}
    return {**suffixed, "sharing": strategy, "replicas": 4, "allocatable": amount}


def mixed(product: Product, profile: str) -> Short:
    """A node with slices of one profile, under mig.strategy=mixed."""
    slices = {profile: {"count": 8, "memory": slice_memory(profile)}}
    return {**_plain(product), "sharing": "none", "replicas": 0, "mig": slices}


def single(product: Product, profile: str) -> Short:
    """A node with slices of one profile, under mig.strategy=single."""
    sliced = {"product": f"{product.label}-MIG-{profile}", "memory": slice_memory(profile)}
    return {**whole(product), **sliced, "slices": mig.parse_profile(profile).slices}


def without_label(short: Short) -> Short:
    """The same node without the label nvidia.com/mig.capable."""
    return {key: value for key, value in short.items() if key != "capable"}


def slice_memory(profile: str) -> int:
    """About what a slice has: less than its name says."""
    return mig.parse_profile(profile).gb * 1000


def _plain(product: Product) -> Short:
    capable = bool(product.profiles)
    return {"product": product.label, "memory": product.memory, "capable": capable}


def ask(workload: str, *nodes: Short, policy: Short | None = None) -> Verdict:
    """What becomes of a pod of this workload that requests one GPU, on these nodes."""
    metadata = {"labels": {"gpu-sharing.io/workload": workload}}
    main = {"name": "main", "resources": {"limits": {"nvidia.com/gpu": 1}}}
    pod = {"metadata": metadata, "spec": {"containers": [main]}}
    made = [casefiles.expand(f"node-{n}", short) for n, short in enumerate(nodes)]
    cluster = inventory.build_inventory(msgspec.convert(each, Node) for each in made)
    rules = casefiles.rules({"policy": policy}) if policy else POLICY
    return admit(casefiles.request({}, pod), rules, cluster)


def given(verdict: Verdict) -> tuple[str | None, str]:
    """The pod's strategy and the resource that its one container got."""
    assert verdict.allowed, verdict.message
    return verdict.strategy, verdict.allocations[0].offer.resource


def refused(verdict: Verdict) -> str:
    """Why the pod was refused."""
    assert not verdict.allowed, verdict
    return verdict.reason.code


@every_product
def test_training_gets_a_whole_gpu(product: Product) -> None:
    assert given(ask("training", whole(product))) == ("exclusive", "nvidia.com/gpu")


@every_product
def test_training_never_gets_a_share(product: Product) -> None:
    nodes = shared(product, "mps"), shared(product, "time-slicing")
    assert refused(ask("training", *nodes)) == "training_never_shares"


@every_capable
def test_training_never_gets_a_slice(product: Product) -> None:
    for profile in product.profiles:
        nodes = mixed(product, profile), single(product, profile)
        assert refused(ask("training", *nodes)) == "training_never_shares", profile


@pytest.mark.parametrize("workload", ["inference", "tenant"])
@every_capable
def test_a_slice_of_a_mixed_node(product: Product, workload: str) -> None:
    for profile in product.profiles:
        verdict = ask(workload, whole(product), mixed(product, profile))

        assert given(verdict) == ("mig", f"nvidia.com/mig-{profile}")
        assert verdict.allocations[0].offer.memory == slice_memory(profile)


@pytest.mark.parametrize("workload", ["inference", "tenant"])
@every_capable
def test_a_slice_of_a_single_node(product: Product, workload: str) -> None:
    for profile in product.profiles:
        verdict = ask(workload, whole(product), single(product, profile))

        assert given(verdict) == ("mig", "nvidia.com/gpu"), profile
        pins = {pin.key: pin.values for pin in verdict.allocations[0].requirements}
        assert pins["nvidia.com/gpu.product"] == (f"{product.label}-MIG-{profile}",)


@every_capable
def test_the_resource_names_the_profile(product: Product) -> None:
    for profile in product.profiles:
        parsed = mig.parse_profile(profile)

        assert mig.of_resource(f"nvidia.com/mig-{profile}") == (parsed, False)
        assert mig.of_resource(f"nvidia.com/mig-{profile}.shared") == (parsed, True)
        assert mig.of_product(f"{product.label}-MIG-{profile}") == parsed
        assert mig.of_product(f"{product.label}-MIG-{profile}-SHARED") == parsed
        assert parsed.name == profile


@every_other
def test_inference_gets_mps_where_mig_is_impossible(product: Product) -> None:
    node = shared(product, "mps")
    for each in (node, without_label(node)):
        verdict = ask("inference", whole(product), each)

        assert given(verdict) == ("mps", "nvidia.com/gpu"), each
        assert verdict.allocations[0].offer.memory == product.memory // 4


@every_capable
def test_inference_gets_no_mps_where_mig_is_possible(product: Product) -> None:
    node = shared(product, "mps")
    for each in (node, without_label(node)):
        assert refused(ask("inference", each)) == "no_offer", each


@every_capable
def test_inference_prefers_a_whole_gpu_to_mps(product: Product) -> None:
    nodes = whole(product), shared(product, "mps")
    for each in (nodes, map(without_label, nodes)):
        verdict = ask("inference", *each)

        assert given(verdict) == ("exclusive", "nvidia.com/gpu")
        assert verdict.reason.code == "fallback_whole_gpu"


@every_product
def test_dev_takes_turns(product: Product) -> None:
    nodes = whole(product), shared(product, "time-slicing")
    assert given(ask("dev", *nodes)) == ("time-slicing", "nvidia.com/gpu")


@every_product
def test_a_tenant_gets_nothing_but_slices(product: Product) -> None:
    nodes = whole(product), shared(product, "mps"), shared(product, "time-slicing")
    assert refused(ask("tenant", *nodes)) == "tenant_needs_isolation"


TOKENS = {
    "A100": {
        *("NVIDIA-A100-SXM4-40GB", "A100-SXM4-40GB", "NVIDIA-A100-PCIE-40GB"),
        *("NVIDIA-A100-SXM-64GB", "NVIDIA-A100-SXM4-80GB", "NVIDIA-A100-80GB-PCIe"),
    },
    "A10": {"NVIDIA-A10"},
    "A2": {"NVIDIA-A2"},
    "A30": {"NVIDIA-A30"},
    "T4": {"Tesla-T4"},
    "L4": {"NVIDIA-L4"},
    "L40": {"NVIDIA-L40"},
    "H20": {"NVIDIA-H20", "NVIDIA-H20-3e"},
    "H200": {"NVIDIA-H200", "NVIDIA-H200-NVL"},
    "B200": {"NVIDIA-B200"},
    "RTX-PRO-6000": {p.label for p in CAPABLE if p.label.startswith("NVIDIA-RTX-PRO-6000-")},
}


@pytest.mark.parametrize("token", TOKENS)
def test_a_token_names_its_products_and_no_other(token: str) -> None:
    only = {"matrix": {"dev": {"strategies": [{"strategy": "time-slicing", "on": [token]}]}}}
    nodes = {p.label: shared(p, "time-slicing") for p in PRODUCTS}

    found = {label for label, node in nodes.items() if ask("dev", node, policy=only).allowed}

    assert found == TOKENS[token]


def reference() -> Short:
    """NVIDIA's products as researched, beside the repository; not part of it."""
    if not REFERENCE.exists():
        pytest.skip(f"{REFERENCE} is missing: the table above is compared with it where it exists")
    read: Short = json.loads(REFERENCE.read_text(encoding="utf-8"))
    return read


def covering(entry: Short, products: Iterable[Product]) -> list[Product]:
    """The products of the table that a product of the reference means: by label and memory."""
    memory = entry["gpu_memory_label_mib"]
    patterns = [re.compile(pattern) for pattern in entry["product_patterns"]]
    return [
        product
        for product in products
        if any(pattern.fullmatch(product.label) for pattern in patterns)
        and memory["exclusive_min"] < product.memory <= memory["inclusive_max"]
    ]


def test_the_table_covers_every_mig_product_of_the_reference() -> None:
    entries = reference()["products"]
    covered: set[Product] = set()

    for entry in entries:
        found = covering(entry, CAPABLE)
        assert found, f"no product of the table is {entry['id']}"
        profiles = {each["resource"].removeprefix("nvidia.com/mig-") for each in entry["profiles"]}
        assert {p.id: set(p.profiles) for p in found} == {p.id: profiles for p in found}
        covered.update(found)

    assert covered == set(CAPABLE), "the table has a product that the reference does not know"


def test_the_table_covers_every_other_product_of_the_reference() -> None:
    for pattern in reference()["not_mig_capable"]["examples"]:
        assert any(fnmatch.fnmatchcase(p.label, pattern) for p in NOT_CAPABLE), pattern
