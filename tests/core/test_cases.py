"""Runs every file of tests/cases, and what must hold of any case."""

import copy
from pathlib import Path
from typing import Any

import casefiles
import jsonpointer
import msgspec
import pytest

from webhook.core.api.admission import Side
from webhook.core.api.pod import Pod
from webhook.core.api.reason import Group
from webhook.core.checks.registry import REASONS
from webhook.core.gpu import reach
from webhook.core.verdict import Verdict

FILES = list(casefiles.paths())
KEYS = {"about", "nodes", "namespace", "policy", "side", "operation", "pod", "old"} | {
    *("subresource", "user", "mode", "expect")
}
EXPECTED = {"allowed", "reason", "strategy", "gives", "pins", "fields", "warnings"} | {
    *("message", "silent", "patch")
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    case = casefiles.read(path)
    assert case.keys() <= KEYS, "unknown key in the case"
    assert case["expect"].keys() <= EXPECTED, "unknown key in expect"
    before = copy.deepcopy(case["pod"])

    verdict = casefiles.answer(case, case["pod"])

    assert case["pod"] == before, "the input was changed"
    _meets(case, verdict)
    if case.get("side", "mutate") == "mutate" and verdict.allowed and not case.get("mode"):
        _holds_again(case, verdict)


def _meets(case: dict[str, Any], verdict: Verdict) -> None:
    expect = case["expect"]
    assert (verdict.allowed, verdict.reason.code) == (expect["allowed"], expect["reason"]), verdict
    assert verdict.strategy == expect.get("strategy", verdict.strategy)
    for part in expect.get("message", ()):
        assert part in verdict.message
    for part in expect.get("silent", ()):
        assert part not in verdict.message
    for part in expect.get("warnings", ()):
        assert any(part in warning for warning in verdict.shown_warnings), verdict.shown_warnings
    if expect.get("warnings") == []:
        assert verdict.warnings == ()
    assert all(len(warning) <= 120 for warning in verdict.warnings)
    if expect.get("patch") == "empty":
        assert verdict.patch == ()
    _meets_pod(expect, casefiles.patched(case["pod"], verdict), verdict)


def _meets_pod(expect: dict[str, Any], pod: dict[str, Any], verdict: Verdict) -> None:
    if "gives" in expect:
        gives = {
            g.request.container.name: {g.offer.resource: g.request.count}
            for g in verdict.allocations
        }
        assert gives == expect["gives"]
    if "pins" in expect:
        found = {
            " ".join((pin.key, pin.operator, *(("|".join(pin.values),) if pin.values else ())))
            for given in verdict.allocations
            for pin in given.requirements
        }
        assert found == set(expect["pins"])
    for pointer, value in expect.get("fields", {}).items():
        assert jsonpointer.resolve_pointer(pod, pointer, None) == value, pointer


def _holds_again(case: dict[str, Any], verdict: Verdict) -> None:
    pod = casefiles.patched(case["pod"], verdict)
    again = casefiles.answer(case, pod)
    assert casefiles.operations(again) == [], "a second run changes the pod again"
    assert (again.allowed, again.reason, again.strategy) == (
        verdict.allowed,
        verdict.reason,
        verdict.strategy,
    )
    validated = casefiles.answer({**case, "side": Side.VALIDATE.value}, pod)
    assert validated.allowed, validated.message
    gpu_taints = casefiles.rules(case).gpu_taints
    shapes = casefiles.cluster(case).groups
    for given in verdict.allocations:
        assert any(
            given.offer in shape.offers
            and reach.reach_of(msgspec.convert(pod, Pod), gpu_taints)(shape)
            for shape in shapes
        ), f"no reachable node offers {given.offer.resource}"


def test_every_reason_has_a_case() -> None:
    expected = [casefiles.read(path)["expect"] for path in FILES]
    told = " ".join(text for each in expected for text in each.get("warnings", ()))
    used = {each["reason"] for each in expected}
    used |= {code for code, each in REASONS.items() if each.group is Group.TOLD and code in told}
    assert set(REASONS) - used == set()


def test_there_are_at_least_120_cases() -> None:
    assert len(FILES) >= 120
