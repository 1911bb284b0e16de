"""A policy states what differs from the built-in one; what is wrong is told with line and path."""

import pytest
from casefiles import DEFAULT_POLICY

from webhook.core.checks.check import Treatment, Treatments
from webhook.core.checks.registry import REASONS
from webhook.core.gpu.strategies import Strategy
from webhook.core.policy import load as policy_file
from webhook.core.policy import mistakes, yaml_text
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
        ("matrix: {pools: []}", "tenantTraining, unclassified; it belongs at the top"),
        ("dev: {}", "unknown field `dev`; it belongs in matrix"),
        ("wellKnownLabels: [{training: a}]", "here can stand label, workload, value; it belongs"),
        ("pools:\n- {name: a, severalGpus: deny}", "it belongs in matrix.training"),
        ("matrix: {dev: {strategies: [{strategy: mps, of: [T4]}]}}", "here can stand strategy, on"),
        ("exemptUsers: ['*']", "line 3, exemptUsers[0]: '*' is a pattern, which matches no user"),
        ("exemptUsers: ['system:serviceaccount:ci:*']", "is a pattern"),
        ("exemptUsers: [a, 'system:masters']", "exemptUsers[1]: 'system:masters' is a group"),
        ("exemptUsers: ['system:serviceaccounts:ci']", "is a group, and the list is of users"),
        ("exemptUsers: ['system:serviceaccount:ci']", "is no service account; write whole user"),
        (
            "exemptUsers:\n  replace:\n  - a\n  - '*'",
            "line 6, exemptUsers.replace[1]: '*' is a pattern",
        ),
        ("exemptUsers: {only: [a]}", "write a list, which adds to the built-in one, or {replace"),
        ("wellKnownLabels: [{label: a=b, workload: dev}]", "wellKnownLabels[0].label: 'a=b' is no"),
        ("matrix: {dev: {strategies: []}}", "write a list of one or more, or leave the key out"),
        ("matrix: {dev: {strategies: [{strategy: mps}]}}", "every product is written alone: mps"),
        ("matrix: {dev: {severalGpus: 2}}", "got `int`; write exclusive or deny or share"),
        ("matrix: {dev: {memory: 20GB}}", "is not a Kubernetes quantity; write for example 20Gi"),
        ("momentaryTaints: ['*']", "write how the key of a taint begins, node.kubernetes.io/"),
        ("tenantHostPaths: ['/data/*']", "by its absolute path, without patterns"),
        ("tenantHostPaths: [/]", "by its absolute path, without patterns"),
        ("tenantCapabilities: [ALL]", "tenantCapabilities[0]: ALL makes tenants root on the"),
        ("tenantCapabilities: [NET_ADMN]", "is no capability; did you mean NET_ADMIN?"),
        ("tenantCapabilities: [CAP_NET_RAW]", "is no capability; did you mean NET_RAW?"),
        ("gpuTaints: ['a/b:NoSchedule']", "gpuTaints[0]: 'a/b:NoSchedule' is no taint"),
        (
            "matrix: {dev: {strategies: [mig, {strategy: mps, on: [node-pool=x]}]}}",
            "matrix.dev.strategies[1].on[0]: 'node-pool=x' can stand in no product name",
        ),
        (
            "pools: [{name: a, labels: {}, allocatable: {nvidia.com/gpu: 8}}]",
            "pools[0]: pool a offers nothing: ",
        ),
        ("pools: [{name: a, labels: {}, allocatable: {cpu: 8}}]", "names no nvidia.com/ resource"),
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


def test_a_list_adds_to_the_built_in_one_and_its_own_entries_come_first() -> None:
    before = load("").well_known_labels
    own = load("wellKnownLabels:\n- {label: ray.io/serve, workload: dev}\n").well_known_labels
    assert own[1:] == before
    assert (own[0].label, own[0].workload.value) == ("ray.io/serve", "dev")
    taints = load("gpuTaints: [a/b, nvidia.com/gpu]").gpu_taints
    assert taints == {"a/b", "nvidia.com/gpu", "sku=gpu"}


def test_a_list_replaces_the_built_in_one_where_it_says_so() -> None:
    assert load("wellKnownLabels: {replace: []}").well_known_labels == ()
    assert load("gpuTaints: {replace: [a/b]}").gpu_taints == {"a/b"}


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ("{strategy: mig, on: [A1000]}", "did you mean A100?"),
        ("{strategy: mig, on: [not-mig-capable]}", "such GPUs have no MIG"),
        ("{strategy: mig, on: [T4]}", "no GPU with MIG is known by that name"),
        ("{strategy: mps, on: [A1000]}", "no GPU is known by that name; did you mean A100?"),
        ("{strategy: mig, on: [A100-SXM4-40GB, mig-capable, H200]}", None),
        ("{strategy: mps, on: [T4, RTX-3090, not-mig-capable, GeForce]}", None),
    ],
)
def test_what_will_not_match_is_told(choice: str, told: str | None) -> None:
    found = list(mistakes.doubtful(load(f"matrix: {{dev: {{strategies: [{choice}]}}}}")))
    assert [told in each for each in found] == ([True] if told else []), found


@pytest.mark.parametrize("strategy", ["time-slicing", "mps", "mig"])
def test_training_on_a_part_of_a_gpu_is_doubtful(strategy: str) -> None:
    [told] = mistakes.doubtful(load(f"matrix: {{training: {{strategies: [{strategy}]}}}}"))
    assert told.startswith(f"matrix.training: {strategy}: training fills a GPU")


def test_a_capability_that_reaches_the_node_is_doubtful() -> None:
    [told] = mistakes.doubtful(load("tenantCapabilities: [NET_ADMIN, SYS_ADMIN]"))
    assert told.startswith("tenantCapabilities: SYS_ADMIN reaches the node")


def test_the_built_in_policy_is_beyond_doubt() -> None:
    assert list(mistakes.doubtful(load(""))) == []


def test_paths_of_pod_templates_are_kept_by_group_and_kind() -> None:
    text = "podTemplates:\n"
    for kind, path in (("A", "spec.x[].y"), ("B", "spec.*.z"), ("A", "spec.w")):
        text += f"- kind: {kind}\n  path: {path}\n"
    text += "- kind: A\n  group: example.com\n  path: spec.v\n"
    assert load(text).pod_templates == {
        (None, "A"): (("spec", "x", "[]", "y"), ("spec", "w")),
        (None, "B"): (("spec", "*", "z"),),
        ("example.com", "A"): (("spec", "v"),),
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
