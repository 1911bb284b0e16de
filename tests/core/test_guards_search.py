"""A search for ways around the guards: pods that mix ways, look-alikes and harmless parts.

The oracle is `ways_around`: what a part is, is known from how it was made.
"""

import sys
from types import FrameType
from typing import Any

import casefiles
import mixed_pods
import ways_around
from hypothesis import event, given
from hypothesis import strategies as st
from ways_around import Json, Part
from worlds import examples

from webhook.core.admit import admit
from webhook.core.canonical import canonical
from webhook.core.checks.check import Treatment
from webhook.core.checks.registry import REASONS
from webhook.core.gpu.values import Inventory
from webhook.core.policy import load as policy_file
from webhook.core.policy.checks_schema import GuardsFile
from webhook.core.verdict import Verdict

BUILT_IN = policy_file.parse_policy(casefiles.DEFAULT_POLICY, casefiles.DEFAULT_POLICY)
OTHERS_REFUSED = {
    *("gpu_visibility", "mps_environment", "privileged", "capabilities", "host_path"),
    *("device_annotations", "reserved_mounts", "shared_claims", "host_pid", "runtime_class"),
}
TENANTS: tuple[tuple[Json, Json], ...] = (
    ({"gpu-sharing.io/tenant": "blue"}, {"gpu-sharing.io/workload": "inference"}),
    ({}, {"gpu-sharing.io/tenant": "blue", "gpu-sharing.io/workload": "dev"}),
    ({"gpu-sharing.io/workload": "tenant", "gpu-sharing.io/tenant": "blue"}, {}),
)
many = examples(150)
_parts = st.tuples(
    st.lists(ways_around.ways, max_size=3), st.lists(ways_around.harmless, max_size=5)
)


@st.composite
def mixed(draw: st.DrawFn) -> tuple[Json, list[Part]]:
    """A pod, and the ways in it."""
    ways, rest = draw(_parts)
    return draw(mixed_pods.built((*ways, *rest))), ways


def reasons(ways: list[Part]) -> set[str | None]:
    """What ways must meet in a tenant's pod."""
    return {way.reason for way in ways}


def validate(pod: Json, namespace: Json, **more: Any) -> Verdict:
    asked = casefiles.request({"side": "validate", "namespace": namespace, **more}, pod)
    verdict = admit(asked, BUILT_IN, Inventory())
    assert admit(canonical(asked, BUILT_IN), BUILT_IN, Inventory()) == verdict
    return verdict


def labelled(pod: Json, labels: Json) -> Json:
    return {**pod, "metadata": {**pod["metadata"], "labels": labels}}


@many
@given(mixed(), st.sampled_from(TENANTS))
def test_a_tenants_pod_is_refused_for_every_way_and_for_nothing_else(
    made: tuple[Json, list[Part]], whose: tuple[Json, Json]
) -> None:
    pod, expected = made[0], reasons(made[1])
    verdict = validate(labelled(pod, whose[1]), whose[0])
    event(f"{len(expected)} ways")
    assert {each.reason.code for each in verdict.violations} == expected, verdict.message
    assert verdict.allowed == (not expected)


@many
@given(mixed())
def test_without_a_tenant_every_way_is_refused_or_told(
    made: tuple[Json, list[Part]],
) -> None:
    pod, ways = made
    verdict = validate(labelled(pod, {"gpu-sharing.io/workload": "inference"}), {})
    refused = {each.reason.code for each in verdict.violations}
    expected = {each.of_others for each in ways} - {None}
    hidden = {"runtime_class"} - refused  # where every container hides GPUs, or has one
    assert refused == (expected & OTHERS_REFUSED) - hidden
    assert bool(verdict.warnings) == bool(expected - OTHERS_REFUSED)
    assert len(verdict.warnings) <= 5
    assert all(len(warning) <= 120 for warning in verdict.warnings)


@many
@given(mixed(), mixed())
def test_an_update_is_refused_for_what_it_brings_and_not_for_what_was_there(
    old: tuple[Json, list[Part]], new: tuple[Json, list[Part]]
) -> None:
    namespace, labels = TENANTS[0]
    same = labelled({**old[0], "metadata": {**old[0]["metadata"], "finalizers": []}}, labels)
    update = {"operation": "UPDATE", "old": labelled(old[0], labels)}
    assert validate(same, namespace, **update).allowed

    verdict = validate(labelled(new[0], labels), namespace, **update)

    told = {each.reason.code for each in verdict.violations}
    assert told <= reasons(new[1]) - {"node_name"}
    assert told >= reasons(new[1]) - reasons(old[1]) - {"node_name"}


_words = st.text(max_size=40) | st.sampled_from(("/", "..", "/dev", "NVIDIA_VISIBLE_DEVICES", "\0"))
_anything = st.builds(
    lambda words, where: Part(
        None,
        where,
        {
            "env": [{"name": words[0], "value": words[1]}],
            "envFrom": [{"prefix": words[2]}],
            "volumeMounts": [{"name": "v", "mountPath": words[3]}],
            "securityContext": {"capabilities": {"add": [words[4]]}},
            "resources": {"limits": {words[5]: "1"}, "claims": []},
        },
    ),
    st.tuples(*[_words] * 6),
    st.sampled_from(("container", "own")),
)


@many
@given(st.lists(_anything, max_size=4).flatmap(lambda p: mixed_pods.built(tuple(p))), _words)
def test_no_text_in_any_field_makes_it_fail(pod: Json, word: str) -> None:
    pod["spec"] |= {"nodeName": word, "runtimeClassName": word, "volumes": [{"hostPath": {}}]}
    pod["spec"]["tolerations"] = [{"key": word, "operator": word, "value": word, "effect": word}]
    pod["metadata"]["annotations"] |= {word: word, f"devices.crio.io/{word}": word}
    assert isinstance(validate(labelled(pod, {"gpu-sharing.io/strategy": word}), {}), Verdict)


def _large(containers: int) -> Json:
    """A pod in which every container asks, and every one goes a way around."""
    each = {
        "env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}],
        "resources": ways_around.ASK,
    }
    names = (f"c{index}" for index in range(containers))
    spec = {"containers": [{"name": n, **each} for n in names], "nodeSelector": ways_around.PIN}
    return {"metadata": {}, "spec": spec}


def _calls(pod: Json) -> int:
    """How many calls of our own functions one update of the pod costs; the same in every run."""
    made = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal made
        made += event == "call" and frame.f_globals.get("__name__", "").startswith("webhook.core")

    case = {"side": "validate", "operation": "UPDATE", "old": _large(1)}
    asked = casefiles.request(case, pod)
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        admit(asked, BUILT_IN, Inventory())
    finally:
        sys.setprofile(before)
    return made


def test_ten_times_the_containers_cost_ten_times_the_calls() -> None:
    few, many = _calls(_large(10)), _calls(_large(100))  # more are refused unread
    assert few > 100
    assert many <= 10 * few


def test_every_guard_has_a_reason_and_tenants_are_warned_of_one_only() -> None:
    guards = {REASONS[name] for name in GuardsFile.__struct_fields__}
    assert set(BUILT_IN.guards) == guards
    lax = {r for r, both in BUILT_IN.guards.items() if both.tenants is not Treatment.REFUSE}
    assert lax == {REASONS["cuda_visibility"]}
    stated = {r.code for r, both in BUILT_IN.guards.items() if both.others is Treatment.REFUSE}
    assert stated == OTHERS_REFUSED
