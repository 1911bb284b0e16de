"""Real nodes are read as their index says; what is not offered has a reason."""

import csv
import re
from pathlib import Path

import msgspec
import pytest
import yaml

from webhook.core.api.node import Node
from webhook.core.gpu.reading import NodeOffers, read_node

FOLDER = Path(__file__).parent / "nodes"
EXPECTED = "expected reading: strategy resource count MiB; several by ';'"
ROWS = list(csv.DictReader((FOLDER / "index.tsv").read_text().splitlines(), delimiter="\t"))
REASONS = {
    "a100-80-single-invalid.yaml": "invalid_mig",
    "a30-mig-enabled-empty.yaml": "mig_empty",
    "aks-a100-mig-mixed.yaml": "labels_missing",
    "aks-a100-mig-single.yaml": "labels_missing",
    "h100-mig-pending.yaml": "mig_changing",
    "karpenter-g4dn-no-gfd.yaml": "nothing_advertised",
}
MADE = yaml.load((FOLDER.parent / "made-nodes.yaml").read_text(), yaml.CSafeLoader)
NOT_OURS = {"aks-windows-t4.yaml"}


def read(file: str) -> NodeOffers:
    return read_node(
        msgspec.convert(yaml.load((FOLDER / file).read_text(), yaml.CSafeLoader), Node)
    )


def offers(text: str) -> set[str]:
    """The offers of an index row, "nothing" as none."""
    wanted = re.sub(r"\s*\(.*", "", text)
    return set() if wanted.startswith("nothing") else set(wanted.split("; "))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_a_real_node_is_read_as_the_index_says(row: dict[str, str]) -> None:
    file, found = row["file"], read(row["file"])
    given = {f"{o.strategy} {o.resource} {o.amount} {o.memory}" for o in found.offers}
    wanted = offers(row[EXPECTED])
    assert given == wanted
    reasons = {each.reason.value for each in found.unusable}
    if wanted or file in NOT_OURS:
        assert reasons == set()
    else:
        assert reasons == {REASONS.get(file, "strategy_label_missing")}


def test_every_node_of_the_folder_is_in_the_index() -> None:
    assert {row["file"] for row in ROWS} == {path.name for path in FOLDER.glob("*.yaml")}


def test_a_virtual_gpu_says_so() -> None:
    (offer,) = read("vgpu-a100-40c.yaml").offers
    assert offer.virtual


def test_a_name_that_is_none_of_ours_is_told_and_how_to_mend_it() -> None:
    made = next(each for each in MADE if "after their product" in each["about"])
    node = {"metadata": {"labels": made["labels"]}, "status": made["status"]}
    (wrong,) = read_node(msgspec.convert(node, Node)).unusable
    assert "nvidia.com/a100.shared is allocatable" in wrong.text
    assert "name them nvidia.com/gpu" in wrong.text


@pytest.mark.parametrize("made", MADE, ids=lambda made: made["about"])
def test_a_made_node_is_read_as_it_says(made: dict) -> None:
    metadata = {"name": "n", "labels": made["labels"], "annotations": made.get("annotations")}
    node = {"metadata": metadata, "status": made["status"]}
    found = read_node(msgspec.convert(node, Node))
    given = [f"{o.strategy} {o.resource} {o.amount} {o.memory}" for o in found.offers]
    wrong = [f"{each.resource} {each.reason.value}".strip() for each in found.unusable]
    assert [*given, *wrong] == made["read"]
