"""What must hold of the advice on any object, and of the patch that it rests on."""

import copy
import json
from typing import Any

import jsonpatch
import msgspec
from casefiles import DEFAULT_POLICY
from hypothesis import given
from hypothesis import strategies as st
from worlds import ask, everything, examples, world

from webhook.core import advice, simulate
from webhook.core.admit import admit
from webhook.core.advice import AdviceOutcome
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.gpu.values import Inventory
from webhook.core.patch import apply as patched
from webhook.core.policy import load as policy_file
from webhook.core.policy.values import Policy

Json = dict[str, Any]
POLICY = policy_file.parse_policy(DEFAULT_POLICY, DEFAULT_POLICY)
NOTHING = Inventory()
many = examples(200)


@many
@everything
def test_advice_and_patch_of_any_pod(
    pod: Json, nodes: list[Json], namespace: dict[str, str], policy: Policy
) -> None:
    offered = world(nodes, policy)
    advice_says_of_a_pod_what_the_two_sides_say(pod, namespace, policy, offered)
    operations = admit(ask(pod, namespace), policy, offered).patch
    before = copy.deepcopy(pod)
    after = patched.apply(pod, operations)
    assert pod == before
    alone = json.loads(json.dumps(pod))  # the library changes a list in all places that share it
    assert after == jsonpatch.apply_patch(alone, json.loads(msgspec.json.encode(operations)))


def advice_says_of_a_pod_what_the_two_sides_say(
    pod: Json, namespace: dict[str, str], policy: Policy, offered: Inventory
) -> None:
    request = AdmissionRequest(
        Side.MUTATE, Mode.ENFORCE, "u", "CREATE", "n", namespace_labels=namespace
    )
    deployment = {"kind": "Deployment", "spec": {"template": pod}}
    found = advice.advise(request, deployment, policy, offered)
    verdict = simulate.simulate(request, pod, policy, offered).verdict
    assert (found.outcome is AdviceOutcome.REFUSED) is not verdict.allowed
    assert set(verdict.warnings) <= set(found.warnings)
    assert all(len(text) <= 256 for text in found.warnings)
    assert bool(found.warnings) is bool(found.reasons)
    if found.outcome is AdviceOutcome.FINE:
        assert found.warnings == tuple(dict.fromkeys(verdict.warnings))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("spec", "template", "metadata", "containers", "resources", "limits", "labels", "x")
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)
KINDS = ("Deployment", "CronJob", "InferenceService", "NIMService", "Odd", "Pod", None, 3)


@many
@given(kind=st.sampled_from(KINDS), found=st.dictionaries(st.text(max_size=3), anything))
def test_no_object_is_too_odd(kind: Any, found: Json) -> None:
    subject = {"kind": kind, "metadata": found.get("m"), "spec": found | {"predictor": found}}
    request = AdmissionRequest(Side.MUTATE, Mode.ENFORCE, "u", "CREATE", "n")
    found_out = advice.advise(request, subject, POLICY, NOTHING)
    assert all(len(text) <= 256 for text in found_out.warnings)
