"""Situations of public bug reports, through both sides."""

import json
from pathlib import Path
from typing import Any

import casefiles
import msgspec
import pytest
import yaml

from webhook.core.admit import admit
from webhook.core.api.node import Node
from webhook.core.api.pod import Pod
from webhook.core.gpu import inventory, placement
from webhook.core.gpu.values import NodeLabels

REPORTS = sorted(path for path in (Path(__file__).parent / "reports").iterdir() if path.is_dir())
KEYS = {"namespace", "allowed", "strategy", "reason", "to", "node", "message", "silent"}


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.name)
def test_a_reported_situation_comes_out_as_it_should(path: Path) -> None:
    expect = json.loads((path / "expect.json").read_text())
    assert expect.keys() <= KEYS, "unknown key in expect.json"
    case: dict[str, Any] = {"namespace": expect.get("namespace", {})}
    if (path / "policy.yaml").exists():
        case["policy"] = yaml.safe_load((path / "policy.yaml").read_text())
    pod = yaml.safe_load((path / "pod.yaml").read_text())
    listed = list(yaml.safe_load_all((path / "nodes.yaml").read_text()))
    policy = casefiles.rules(case)
    world = inventory.build_inventory(
        (msgspec.convert(each, Node) for each in listed), policy.pools, policy.momentary_taints
    )

    first = admit(casefiles.request(case, pod), policy, world)
    after = casefiles.patched(pod, first)
    second = admit(casefiles.request({**case, "side": "validate"}, after), policy, world)

    denied = first if not first.allowed else second
    assert (first.allowed and second.allowed) is expect["allowed"], denied.message
    for part in expect.get("message", ()):
        assert part in denied.message
    for part in expect.get("silent", ()):
        assert part not in denied.message
    if "reason" in expect:
        assert denied.reason.code == expect["reason"]
    if expect["allowed"]:
        assert first.strategy == expect["strategy"]
        assert after["spec"]["containers"][0]["resources"]["limits"] == expect["to"]
    if "node" in expect:
        assert _possible(after, listed) == expect["node"]


def _possible(pod: dict[str, Any], listed: list[dict[str, Any]]) -> list[str]:
    subject = msgspec.convert(pod, Pod)
    named = (NodeLabels(each["metadata"]["name"], each["metadata"]["labels"]) for each in listed)
    return [node.name for node in named if placement.selects_node(subject, node)]
