"""The backstop that the chart renders from a policy refuses whom that policy refuses."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from deploy.generate.checks import camel_case
from tests.cel import rendered
from tests.cel.evaluator import Evaluator
from tests.cel.protocol import Case, Judgement
from tests.e2e import chart
from tests.e2e.cluster.build import Builder
from tests.e2e.cluster.settings import NEWEST, cache_directory
from tests.e2e.cluster.toolchain import present_go
from webhook.cli.verbs.conformance.probes import load_probes
from webhook.core.checks.registry import CHECKS

KEYS = {each.reason.code: camel_case(each.reason.code) for each in CHECKS}
TENANT = {"gpu-sharing.io/tenant": "blue"}
VARIANTS: dict[str, tuple[object, set[bool]]] = {  # who is refused: tenants (True), others (False)
    "nobody": ("warn", set()),
    "nobody by off": ("off", set()),
    "everybody": ("refuse", {True, False}),
    "others only": ({"tenants": "warn", "others": "refuse"}, {False}),
    "tenants only": ({"tenants": "refuse", "others": "off"}, {True}),
}
UNPINNED = {"containers": [{"name": "c", "resources": {"limits": {"nvidia.com/gpu": "1"}}}]}


USER = 'system:serviceaccount:it\'s:"x"'
LABELS = [{"label": "example.com/notebook", "workload": "dev"}]


@pytest.fixture(scope="module", autouse=True)
def helm() -> None:
    """Skip where `make e2e` has not built Helm yet."""
    go = present_go(cache_directory())
    if go is None or Builder(NEWEST, cache_directory(), go).find("helm") is None:
        pytest.skip("waits for `make e2e`, which builds Helm")


def backstop(folder: Path, *values: str) -> rendered.Policy:
    path = folder / "backstop.yaml"
    path.write_text(chart.template(*values, "-s", "templates/80-backstop.yaml"), encoding="utf-8")
    return rendered.read(path).policy("gpu-sharing-backstop")


def of_policy(policy: Mapping[str, object]) -> tuple[str, str]:
    return "--set-json", f"policy={json.dumps(policy)}"


VALUES = {
    "strict": of_policy({"exemptUsers": [USER], "wellKnownLabels": LABELS}),
    "available": (
        *("--set", "profile=available"),
        *of_policy({"tenantPools": "shared", "wellKnownLabels": {"replace": LABELS}}),
    ),
}
"""Of two installations, whose backstops several tests ask."""
Installed = Callable[[str], tuple[rendered.Policy, Evaluator]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """Give the backstop of an installation and what judges by it."""
    with ExitStack() as stack:

        @cache
        def render(name: str) -> tuple[rendered.Policy, Evaluator]:
            policy = backstop(tmp_path_factory.mktemp(name), *VALUES[name])
            return policy, stack.enter_context(Evaluator(policy.rules))

        yield render


def refusals(policy: rendered.Policy, judged: Judgement) -> set[str]:
    """The codes of what is refused, if the backstop is asked at all."""
    asked = judged.matches(each.name for each in policy.conditions)
    return {
        each.message.rpartition("[")[2].rstrip("]")
        for each in policy.validations
        if asked and judged.results[each.name].value is False
    }


@pytest.mark.parametrize("name", VARIANTS)
def test_each_check_refuses_whom_the_policy_names(tmp_path: Path, name: str) -> None:
    treatment, refused = VARIANTS[name]
    policy = backstop(tmp_path, *of_policy({"guards": dict.fromkeys(KEYS.values(), treatment)}))
    asked = [(probe, tenant) for probe in load_probes() for tenant in (True, False)]
    cases = [
        Case(probe.build_pod(), namespace={"metadata": {"labels": TENANT if tenant else {}}})
        for probe, tenant in asked
    ]
    with Evaluator(policy.rules) as evaluator:
        judged = evaluator.judge(cases)
    for (probe, tenant), judgement in zip(asked, judged, strict=True):
        assert (probe.check in refusals(policy, judgement)) == (tenant in refused), probe.check


def test_exempt_users_are_asked_nothing(installed: Installed) -> None:
    policy, evaluator = installed("strict")
    [condition] = [each.name for each in policy.conditions if each.name.endswith("/not-exempt")]
    pod = {"metadata": {"name": "p"}, "spec": UNPINNED}
    exempt = Case(pod, request={"userInfo": {"username": USER}})
    asked = [each.results[condition].value for each in evaluator.judge([exempt, Case(pod)])]
    assert asked == [False, True]


@pytest.mark.parametrize(
    ("profile", "refused"), [("strict", [True, True]), ("available", [True, False])]
)
def test_what_each_profile_refuses_of_pods_that_were_not_rewritten(
    installed: Installed, profile: str, refused: list[bool]
) -> None:
    policy, evaluator = installed(profile)
    pod = {"metadata": {"name": "p"}, "spec": UNPINNED}
    cases = [Case(pod, namespace={"metadata": {"labels": each}}) for each in (TENANT, {})]
    told = [refusals(policy, each) for each in evaluator.judge(cases)]
    assert ["not_rewritten" in each for each in told] == refused


@pytest.mark.parametrize(("name", "replaced"), [("strict", False), ("available", True)])
def test_a_label_of_the_policy_says_what_a_pod_is_for(
    installed: Installed, name: str, *, replaced: bool
) -> None:
    policy, evaluator = installed(name)
    namespace = {"metadata": {"labels": {"gpu-sharing.io/workload": "tenant"}}}
    spec = {"containers": [{"name": "c"}], "hostIPC": True}
    marks = ("example.com/notebook", "ray.io/serve", "other")
    cases = [
        Case({"metadata": {"name": "p", "labels": {mark: "x"}}, "spec": spec}, namespace=namespace)
        for mark in marks
    ]
    told = [refusals(policy, each) for each in evaluator.judge(cases)]
    tenants = ["host_namespaces" in each for each in told]
    assert tenants == [False, replaced, True]


def pool(*values: str) -> dict[str, object]:
    """A request for a share, in the pools of some tenants, or off all of them."""
    operator = "In" if values else "DoesNotExist"
    pins = [
        {"key": "nvidia.com/gpu.sharing-strategy", "operator": "In", "values": ["mps"]},
        {"key": "gpu-sharing.io/tenant", "operator": operator, "values": list(values)},
    ]
    required = {"nodeSelectorTerms": [{"matchExpressions": pins}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    return UNPINNED | {"affinity": affinity}


POOLS: dict[str, list[tuple[dict[str, str], dict[str, object], bool]]] = {
    "strict": [(TENANT, pool("blue"), True)],
    "available": [
        (TENANT, pool("blue"), False),
        (TENANT, pool("blue", "red"), True),
        (TENANT, pool("red"), True),
        (TENANT, pool(), True),
        ({}, pool("blue"), True),
        ({}, pool(), False),
    ],
}


@pytest.mark.parametrize("name", POOLS)
def test_a_shared_pool_of_a_tenant_is_its_own(installed: Installed, name: str) -> None:
    policy, evaluator = installed(name)
    cases = [
        Case({"metadata": {"name": "p"}, "spec": spec}, namespace={"metadata": {"labels": owner}})
        for owner, spec, _ in POOLS[name]
    ]
    told = [refusals(policy, each) for each in evaluator.judge(cases)]
    refused = ["tenant_needs_isolation" in each for each in told]
    assert refused == [expected for *_, expected in POOLS[name]]
