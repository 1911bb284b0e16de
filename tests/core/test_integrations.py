"""One file says what is known of a project; everything else reads it there."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
from casefiles import DEFAULT_POLICY

from webhook.core.integrations import kubernetes, registry, volcano
from webhook.core.policy import load as policy_file

ROOT = Path(__file__).parents[2]
SPEC = {"containers": [{"name": "main"}]}


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_the_built_in_policy_knows_the_labels_of_the_integrations() -> None:
    policy = policy_file.parse_policy(DEFAULT_POLICY, DEFAULT_POLICY)
    assert policy.well_known_labels == tuple(label for label, _ in registry.well_known_labels())


def test_install_yaml_asks_for_advice_on_the_custom_resources() -> None:
    listed = set(
        re.findall(
            r'"([a-z]+)"', "".join(re.findall(r"resources: .*", text_of("deploy/install.yaml")))
        )
    )
    assert {each.plural for each in registry.CUSTOM if each.namespaced} <= listed


def test_no_other_module_names_a_custom_resource() -> None:
    words = {name for each in registry.CUSTOM for name in (each.kind, each.group)}
    words -= {each.kind for each in registry.BUILT_IN}
    names = {word for word in words if re.search(r"[a-z][A-Z]|[.].*[.]", word)}  # no plain words
    assert len(names) > 40
    known = re.compile(rf"\b({'|'.join(map(re.escape, sorted(names)))})\b")
    folder = ROOT / "webhook" / "core" / "integrations"
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in sorted((ROOT / "webhook").rglob("*.py"))
        if folder not in path.parents
        for match in known.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_a_module_without_an_integration_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "incomplete_projects"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "forgotten.py").write_text("INTEGRATIONS = ()\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(TypeError, match=r"forgotten\.py: INTEGRATION is missing"):
        registry.load_integrations(importlib.import_module("incomplete_projects"))


def test_a_resource_is_named_by_its_plural_and_group_or_by_a_short_name_of_its_own() -> None:
    every = (*registry.BUILT_IN, *registry.CUSTOM)
    for each in every:
        assert registry.resource_named(each.qualified) is each
        assert all(registry.resource_named(text) is each for text in each.short_names)
    assert registry.resource_named("jobs") is kubernetes.JOB
    assert registry.resource_named("deployments.v1.apps") is kubernetes.DEPLOYMENT


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ({"kind": "Job"}, kubernetes.JOB),
        ({"kind": "Job", "apiVersion": "batch/v1beta1"}, kubernetes.JOB),
        ({"kind": "Job", "apiVersion": "batch.volcano.sh/v1alpha1"}, volcano.JOB),
        ({"kind": "Job", "apiVersion": "example.com/v1"}, None),
        ({"kind": "Pod", "apiVersion": "v1"}, kubernetes.POD),
        ({"kind": "Pod", "apiVersion": "example.com/v1"}, None),
        ({"kind": "Unheard"}, None),
        ({"kind": ["Job"], "apiVersion": 1}, None),
        ({}, None),
    ],
)
def test_a_resource_is_known_by_kind_and_group(subject: dict[str, Any], found: Any) -> None:
    assert registry.resource_of(subject) is found


def test_a_kind_of_another_group_gets_no_labels_of_a_controller() -> None:
    for group, labels in (
        ("kubeflow.org", {"training.kubeflow.org/job-name": "it"}),
        ("training.kubedl.io", {"group-name": "training.kubedl.io"}),
        ("example.com", {}),
    ):
        subject = {
            "apiVersion": f"{group}/v1",
            "kind": "PyTorchJob",
            "metadata": {"name": "it"},
            "spec": {"pytorchReplicaSpecs": {"Master": {"template": {"spec": SPEC}}}},
        }
        (template,) = registry.find_templates(subject)
        assert template.pod["metadata"]["labels"] == labels
