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


A100_40 = ("1g.5gb", "1g.5gb.me", "1g.10gb", "2g.10gb", "3g.20gb", "4g.20gb", "7g.40gb")
SXM_64 = ("1g.8gb", "1g.8gb.me", "1g.16gb", "2g.16gb", "3g.32gb", "4g.32gb", "7g.64gb")
GB_80 = ("1g.10gb", "1g.10gb.me", "1g.20gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb")
A30 = ("1g.6gb", "1g.6gb.me", "2g.12gb", "2g.12gb.me", "4g.24gb")
GB_94 = ("1g.12gb", "1g.12gb.me", "1g.24gb", "2g.24gb", "3g.47gb", "4g.47gb", "7g.94gb")
GB_96 = ("1g.12gb", "1g.12gb.me", "1g.24gb", "2g.24gb", "3g.48gb", "4g.48gb", "7g.96gb")
GB_141 = ("1g.18gb", "1g.18gb.me", "1g.35gb", "2g.35gb", "3g.71gb", "4g.71gb", "7g.141gb")
GB_144 = ("1g.18gb", "1g.18gb.me", "1g.36gb", "2g.36gb", "3g.72gb", "4g.72gb", "7g.144gb")
B200 = ("1g.23gb", "1g.23gb.me", "1g.45gb", "2g.45gb", "3g.90gb", "4g.90gb", "7g.180gb")
GB200 = ("1g.23gb", "1g.23gb.me", "1g.47gb", "2g.47gb", "3g.93gb", "4g.93gb", "7g.186gb")
GB200_EARLY = ("1g.24gb", "1g.24gb.me", "1g.47gb", "2g.47gb", "3g.95gb", "4g.95gb", "7g.189gb")
B300 = ("1g.34gb", "1g.34gb.me", "1g.67gb", "2g.67gb", "3g.135gb", "4g.135gb", "7g.269gb")
GB300 = ("1g.35gb", "1g.35gb.me", "1g.70gb", "2g.70gb", "3g.139gb", "4g.139gb", "7g.278gb")
QUARTER = ("1g.24gb", "1g.24gb.me", "1g.24gb.gfx", "1g.24gb.me.all", "1g.24gb-me")
HALF = ("2g.48gb", "2g.48gb.gfx")
RTX_PRO_6000 = (*QUARTER, *HALF, "2g.48gb.me.all", "2g.48gb-me", "4g.96gb", "4g.96gb.gfx")
RTX_PRO_4500 = (
    *("1g.16gb", "1g.16gb.gfx", "1g.16gb.me.all", "1g.16gb-me"),
    *("2g.32gb", "2g.32gb.gfx"),
)

CAPABLE = (
    Product("NVIDIA-A100-SXM4-40GB", 40960, A100_40),
    Product("A100-SXM4-40GB", 40536, A100_40),
    Product("NVIDIA-A100-PCIE-40GB", 40960, A100_40),
    Product("NVIDIA-A800-40GB-Active", 40960, A100_40),
    Product("NVIDIA-A100-SXM-64GB", 65536, SXM_64),
    Product("NVIDIA-A100-SXM4-80GB", 81920, GB_80),
    Product("NVIDIA-A100-80GB-PCIe", 81920, GB_80),
    Product("NVIDIA-A100X", 81920, GB_80),
    Product("NVIDIA-A800-SXM4-80GB", 81920, GB_80),
    Product("NVIDIA-A800-80GB-PCIe", 81920, GB_80),
    Product("NVIDIA-AX800", 81920, GB_80),
    Product("NVIDIA-PG506-232", 98304, GB_96),
    Product("NVIDIA-A30", 24576, A30),
    Product("NVIDIA-A30X", 24576, A30),
    Product("NVIDIA-H100", 65536, SXM_64),
    Product("NVIDIA-H100-80GB-HBM3", 81559, GB_80),
    Product("NVIDIA-H100-PCIe", 81559, GB_80),
    Product("NVIDIA-H800", 81559, GB_80),
    Product("NVIDIA-H800-PCIe", 81559, GB_80),
    Product("NVIDIA-H100-NVL", 95830, GB_94),
    Product("NVIDIA-H800-NVL", 95830, GB_94),
    Product("NVIDIA-H100-SXM5-94GB", 95830, GB_94),
    Product("NVIDIA-H100-SXM5-96GB", 97871, GB_96),
    Product("NVIDIA-GH200-480GB", 97871, GB_96),
    Product("NVIDIA-GH200-96GB-HBM3", 97871, GB_96),
    Product("NVIDIA-H20", 97871, GB_96),
    Product("NVIDIA-H20", 143771, GB_141),
    Product("NVIDIA-H20-3e", 143771, GB_141),
    Product("NVIDIA-H200", 143771, GB_141),
    Product("NVIDIA-H200-NVL", 143771, GB_141),
    Product("NVIDIA-GH200-144G-HBM3e", 147456, GB_144),
    Product("NVIDIA-B200", 183359, B200),
    Product("NVIDIA-GB200", 189471, GB200),
    Product("NVIDIA-GB200", 193536, GB200_EARLY),
    Product("NVIDIA-B300", 275040, B300),
    Product("NVIDIA-B300-SXM6-AC", 275040, B300),
    Product("NVIDIA-GB300", 284208, GB300),
    Product("NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition", 97887, RTX_PRO_6000),
    Product("NVIDIA-RTX-PRO-6000-Blackwell-Workstation-Edition", 97887, RTX_PRO_6000),
    Product("NVIDIA-RTX-PRO-6000-Blackwell-Max-Q-Workstation-Edition", 97887, RTX_PRO_6000),
    Product("NVIDIA-RTX-PRO-5000-Blackwell", 48935, (*QUARTER, *HALF)),
    Product("NVIDIA-RTX-PRO-4500-Blackwell", 32623, RTX_PRO_4500),
    Product("NVIDIA-RTX-PRO-6000D", 85651, ("1g.42gb", "2g.84gb")),
    Product("NVIDIA-RTX-6000D", 85651, ("1g.42gb", "2g.84gb")),
)
NOT_CAPABLE = (
    Product("Tesla-T4", 15360),
    Product("Tesla-V100-SXM2-16GB", 16384),
    Product("Tesla-V100-SXM2-32GB", 32768),
    Product("Tesla-V100-PCIE-16GB", 16384),
    Product("Tesla-P100-PCIE-16GB", 16384),
    Product("NVIDIA-L4", 23034),
    Product("NVIDIA-L40", 46068),
    Product("NVIDIA-L40S", 46068),
    Product("NVIDIA-A10", 23028),
    Product("NVIDIA-A10G", 23028),
    Product("NVIDIA-A16", 15356),
    Product("NVIDIA-A2", 15356),
    Product("NVIDIA-A40", 46068),
    Product("NVIDIA-RTX-A6000", 49140),
    Product("NVIDIA-GeForce-RTX-4090", 24564),
)
every_product = pytest.mark.parametrize("product", CAPABLE + NOT_CAPABLE, ids=lambda p: p.id)
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
    nodes = {p.label: shared(p, "time-slicing") for p in CAPABLE + NOT_CAPABLE}

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
