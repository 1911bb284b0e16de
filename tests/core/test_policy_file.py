"""A policy states what differs from the built-in one; what is wrong is told with line and path."""

import pytest
from casefiles import DEFAULT_POLICY

from webhook.core.checks.check import Treatment, Treatments
from webhook.core.checks.registry import REASONS
from webhook.core.gpu.strategies import Strategy
from webhook.core.policy import load as policy_file
from webhook.core.policy import yaml_text
from webhook.core.policy.values import RowName

HEAD = "apiVersion: gpu-sharing.io/v1\nkind: Policy\n"


def load(text: str) -> policy_file.Policy:
    return policy_file.parse_policy(HEAD + text, DEFAULT_POLICY)


def test_a_policy_that_states_nothing_is_the_built_in_one() -> None:
    assert load("") == policy_file.parse_policy(DEFAULT_POLICY, DEFAULT_POLICY)


def test_one_key_of_one_row_can_be_changed() -> None:
    changed = load("matrix:\n  dev:\n    strategies: [mps]\n").matrix
    before = load("").matrix
    assert [choice.strategy for choice in changed[RowName.DEV].choices] == [Strategy.MPS]
    assert changed[RowName.DEV].otherwise == before[RowName.DEV].otherwise
    assert changed[RowName.TENANT] == before[RowName.TENANT]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("matrix:\n  dev:\n    strategies: [mps, foo]", "line 5, matrix.dev.strategies[1]"),
        ("matrix:\n  dev:\n    strategies: [foo]", "write exclusive or mig or mps or time-slicing"),
        ("matrix:\n  dev:\n    otherwise: maybe", "write exclusive or deny"),
        ("matrix:\n  dev:\n    strategies: []", "line 5, matrix.dev.strategies"),
        (
            "matrx: {}",
            "line 3, matrx: object contains unknown field `matrx`; did you mean `matrix`?",
        ),
        ("matrix:\n  devs: {}", "line 4, matrix.devs"),
        ("matrix:\n  dev:\n    memory: 8GB", "line 5, matrix.dev.memory: '8GB' is not"),
        ("matrix:\n  tenant:\n    strategies: [mps]", "does not isolate tenants"),
        ("matrix:\n  tenantTraining:\n    strategies: [time-slicing]", "does not isolate"),
        ("kind: Policy", "line 3: `kind` stands twice"),
        ("gpuTaints: [nvidia.com/gpu", "not YAML"),
        ("exemptUsers: me", "line 3, exemptUsers: expected `array`, got `str`"),
        (
            "pools:\n- {name: a, labels: {}, allocatable: {nvidia.com/gpu: half}}",
            "line 4, pools[0]",
        ),
        ("wellKnownLabels:\n- {label: a, workload: train}", "write training or inference or dev"),
        ("severalMigDevices: yes", "write allow or deny"),
        (
            "podTemplates:\n- kind: A\n  path: spec.a\n- kind: B\n  path: spec.b[0]",
            "line 7, podTemplates[1].path: 'spec.b[0]' is no path; write for example",
        ),
        ("podTemplates:\n- {kind: A}", "line 4, podTemplates[0]: object missing required field"),
        ("podTemplates:\n- {kind: A, paths: b}", "did you mean `path`?"),
        ("podTemplates:\n- {kind: true, path: b}", "kind: expected `str`, got `bool`"),
        ("podTemplates: {A: spec}", "line 3, podTemplates: expected `array`, got `object`"),
        ("guards: {privileged: no}", "line 3, guards.privileged: invalid enum value"),
        ("guards: {privileged: no}", "write refuse or warn or off"),
        ("guards:\n  hostPath:\n    tenants: deny", "line 5, guards.hostPath.tenants"),
        ("guards: {hostPath: {all: off}}", "unknown field `all`"),
        ("guards: {hostPaths: off}", "did you mean `hostPath`?"),
        ("guards: {privileged: false}", "got `bool`; write refuse or warn or off"),
    ],
    ids=lambda text: text.splitlines()[-1].strip(),
)
def test_what_is_wrong_is_told_with_line_and_path(text: str, told: str) -> None:
    with pytest.raises(policy_file.PolicyError) as error:
        load(text)
    assert told in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "a", "apiVersion: gpu-sharing.io/v1", "{}"])
def test_a_policy_says_what_it_is(text: str) -> None:
    with pytest.raises(policy_file.PolicyError):
        policy_file.parse_policy(text, DEFAULT_POLICY)


def test_tenants_may_share_only_where_their_pools_are_shared() -> None:
    shared = load("tenantPools: shared\nmatrix:\n  tenant:\n    strategies: [mig, mps]\n")
    assert shared.shared_tenant_pools


def test_paths_of_pod_templates_are_kept_by_kind() -> None:
    text = "podTemplates:\n"
    for kind, path in (("A", "spec.x[].y"), ("B", "spec.*.z"), ("A", "spec.w")):
        text += f"- kind: {kind}\n  path: {path}\n"
    assert load(text).pod_templates == {
        "A": (("spec", "x", "[]", "y"), ("spec", "w")),
        "B": (("spec", "*", "z"),),
    }
    assert load("").pod_templates == {}


def test_one_word_is_for_tenants_and_others_and_one_of_both_can_be_changed() -> None:
    changed = load("guards:\n  privileged: off\n  nodeName: {others: refuse}\n").guards
    assert changed[REASONS["privileged"]] == Treatments(Treatment.OFF, Treatment.OFF)
    assert changed[REASONS["node_name"]] == Treatments(Treatment.REFUSE, Treatment.REFUSE)
    assert changed[REASONS["host_path"]] == load("").guards[REASONS["host_path"]]


def test_the_schema_lets_a_policy_state_one_guard() -> None:
    made = policy_file.policy_schema()["$defs"]
    assert made["GuardsFile"]["required"] == made["TreatmentsFile"]["required"] == []
    assert made["Treatment"]["enum"] == ["off", "refuse", "warn"]


def test_the_schema_knows_every_key_of_the_built_in_policy() -> None:
    schema = policy_file.policy_schema()
    properties = schema["$defs"]["PolicyFile"]["properties"]

    assert yaml_text.parse_document(DEFAULT_POLICY, ValueError).value.keys() == properties.keys()
    assert schema["$defs"]["PolicyFile"]["additionalProperties"] is False
