"""Our keys are a closed list: each that says nothing is told, with what to write."""

from hypothesis import given
from hypothesis import strategies as st

from webhook.core.api import names, vocabulary

NOTHING: dict[str, str] = {}


def test_what_pods_may_carry_is_not_told() -> None:
    labels = dict.fromkeys(vocabulary.LABELS, "x") | {"app": "a", "other.io/workload": "b"}
    annotations = dict.fromkeys(vocabulary.ANNOTATIONS, "x") | {"gpu-sharing.io": "c"}
    assert vocabulary.unknown_keys(labels, annotations) == ()


def test_each_mistake_is_told_with_its_mend() -> None:
    for labels, annotations, mend in (
        ({"gpu-sharing.io/workloads": "dev"}, NOTHING, "did you mean the label gpu-sharing.io/workload?"),
        ({"gpu-sharing.io/Workload": "dev"}, NOTHING, "did you mean the label gpu-sharing.io/workload?"),
        ({"gpu-sharing.io/gpu-memory": "8Gi"}, NOTHING, "it is no label; write it as annotation"),
        (NOTHING, {"gpu-sharing.io/tenant": "a"}, "it is no annotation; write it as label"),
        (NOTHING, {"gpu-sharing.io/memory": "8Gi"}, "the annotation gpu-sharing.io/gpu-memory?"),
        ({"gpu-sharing.io/mode": "enforce"}, NOTHING, "only a namespace has it"),
        ({"gpu-sharing.io/zzz": "x"}, NOTHING, "known are workload, tenant, gpu-memory, mig-profile"),
    ):  # fmt: skip
        (text,) = vocabulary.unknown_keys(labels, annotations)
        assert mend in text
        assert text.endswith("[unknown_key]")
        assert len(text) <= 120


def test_a_namespace_has_three_labels_and_no_annotation() -> None:
    right = {names.MODE: "enforce", names.TENANT: "a", names.WORKLOAD: "dev", "team": "b"}
    assert vocabulary.keys_of_namespace({"name": "team", "labels": right}) == ()
    for part, key, mend in (
        ("labels", "gpu-sharing.io/mod", "did you mean the label gpu-sharing.io/mode?"),
        ("labels", "gpu-sharing.io/gpu-memory", "only pods have it; write it in their template"),
        ("annotations", "gpu-sharing.io/mode", "it is no annotation; write it as label"),
        ("labels", "gpu-sharing.io/zzz", "known are mode, tenant, workload"),
    ):
        (text,) = vocabulary.keys_of_namespace({"name": "team", part: {key: "x"}})
        assert text.startswith("namespace team: ")
        assert mend in text


@given(st.dictionaries(st.text(max_size=80).map(names.PREFIX.__add__), st.text(), max_size=30))
def test_any_keys_are_told_shortly(labels: dict[str, str]) -> None:
    told = vocabulary.unknown_keys(labels, labels)
    assert len(told) <= 5
    assert all(len(text) <= 120 and text.endswith("[unknown_key]") for text in told)
    assert bool(told) is bool(labels)
