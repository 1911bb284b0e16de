"""Pods that once passed where no replica answered, or were never asked about."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cel import rendered
from tests.cel.evaluator import Evaluator
from tests.cel.protocol import Case, Json
from tests.core import casefiles

INSTALL = rendered.read()
VALIDATE = INSTALL.webhook("validate.gpu-sharing.io")
BACKSTOP = INSTALL.policy("gpu-sharing-backstop")
CODES = {
    "cuda-version-zero": "gpu_visibility",
    "mps-dots": "reserved_mounts",
    "mps-by-selector": "reserved_mounts",
    "mps-host-shm": "host_path",
    "gds": "gpu_visibility",
}
FILES = sorted((Path(__file__).parent / "hostile").glob("*.yaml"))
PODS: dict[str, Json] = {
    each["metadata"]["name"]: each
    for path in FILES
    for each in yaml.load_all(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
}
MOVED = casefiles.read(
    casefiles.CASES / "validate" / "a-gated-pod-that-is-moved-into-anothers-pool-is-refused.yaml"
)
RED = {"gpu-sharing.io/tenant": "red"}
VARIABLES = [{"name": f"A{number}", "value": "1"} for number in range(40_000)]
CEL = 100_000
"""Of 10,000,000 that all validations may cost: what a pod that is too large may."""


@pytest.fixture(scope="module")
def judges() -> Iterator[tuple[Evaluator, Evaluator]]:
    """The running evaluators of the webhook's conditions and of the backstop."""
    with Evaluator(VALIDATE.rules) as webhook, Evaluator(BACKSTOP.rules) as backstop:
        yield webhook, backstop


def refused(judges: tuple[Evaluator, Evaluator], pod: Json) -> set[str]:
    """The codes of the backstop's refusals, after the webhook was asked."""
    owner = {"gpu-sharing.io/tenant": "acme"} if pod["metadata"].get("namespace") == "acme" else {}
    case = Case(pod, namespace={"metadata": {"labels": owner}})
    [asked], [judged] = (each.judge([case]) for each in judges)
    assert asked.matches(each.name for each in VALIDATE.conditions)
    results = judged.results
    assert judged.matches(each.name for each in BACKSTOP.conditions)
    return {
        each.message.rpartition("[")[2].rstrip("]")
        for each in BACKSTOP.validations
        if results[each.name].value is False
    }


def test_there_is_a_code_for_each() -> None:
    assert PODS.keys() == CODES.keys()


@pytest.mark.parametrize("name", PODS)
def test_each_is_refused_by_both(judges: tuple[Evaluator, Evaluator], name: str) -> None:
    assert CODES[name] in refused(judges, PODS[name])


@pytest.mark.parametrize(("group", "asked"), [("system:nodes", False), ("acme", True)])
def test_only_a_kubelets_mirror_of_a_static_pod_is_let_be(
    judges: tuple[Evaluator, Evaluator], group: str, *, asked: bool
) -> None:
    mirror = {"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}}
    pod = mirror | {"spec": {"containers": [{"securityContext": {"privileged": True}}]}}
    [webhook], [backstop] = (
        each.judge([Case(pod, request={"userInfo": {"username": "x", "groups": [group]}})])
        for each in judges
    )
    assert webhook.matches(each.name for each in VALIDATE.conditions) is asked
    assert backstop.matches(each.name for each in BACKSTOP.conditions) is asked


@pytest.mark.parametrize(
    ("before", "now", "moved"),
    [({}, RED, True), ({}, {"pool": "a"}, False), (RED, {**RED, "pool": "a"}, False)],
    ids=["into another's pool", "elsewhere", "within another's pool"],
)
def test_an_update_moves_no_gated_pod_into_anothers_pool(
    judges: tuple[Evaluator, Evaluator], before: Json, now: Json, *, moved: bool
) -> None:
    old, pod = (
        {**MOVED["old"], "spec": {**MOVED["old"]["spec"], "nodeSelector": selector}}
        for selector in (before, now)
    )
    for labels in (MOVED["namespace"], {}):
        [judged] = judges[1].judge([Case(pod, "UPDATE", old, {"metadata": {"labels": labels}})])
        wrong = [
            each.message for each in BACKSTOP.validations if not judged.results[each.name].value
        ]
        assert [each.endswith("[tenant_needs_isolation]") for each in wrong] == [True] * moved


def test_a_pod_of_40000_variables_costs_the_api_server_little(
    judges: tuple[Evaluator, Evaluator],
) -> None:
    pod: Json = {
        "metadata": {"name": "cel"},
        "spec": {"containers": [{"name": "c", "env": VARIABLES}]},
    }
    assert "too_large" in refused(judges, pod)
    case = Case(pod, namespace={"metadata": {"labels": {}}})
    for evaluator in judges:
        [judged] = evaluator.judge([case])
        assert sum(each.cost for each in judged.results.values()) < CEL
