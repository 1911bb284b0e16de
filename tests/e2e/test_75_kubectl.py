"""`kubectl gpu-sharing` on a real cluster with a few hundred pods and workloads of real manifests.

As kubectl runs it, by an administrator and by people with ordinary roles in one namespace.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.e2e import crowd
from tests.e2e.installation import Installed
from tests.e2e.people import Person, administrator, member
from tests.e2e.user import MODE, Json, User, pod, until

LABELS = {
    "seen-serving": {MODE: "enforce", "gpu-sharing.io/workload": "inference"},
    "seen-blue": {MODE: "enforce", "gpu-sharing.io/tenant": "blue"},
    "seen-labs": {MODE: "audit", "gpu-sharing.io/workload": "dev"},
    "seen-plain": {},
}


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who looks, and how much there is to see."""

    admin: Person
    editor: Person
    viewer: Person
    objects: int


@pytest.fixture(scope="module")
def seen(installed: Installed) -> Iterator[Crowd]:
    """Four namespaces full of real manifests; in one of them two ordinary people."""
    user = installed.user
    for name, labels in LABELS.items():
        user.namespace(name, labels)
    user.create("seen-blue", pod("mine", "inference"))
    user.create("seen-blue", refused := _refused())
    user.create("seen-serving", refused)
    taken = crowd.settle_in(installed.cluster, LABELS)
    editor, viewer = member(user, "seen-blue", "edit"), member(user, "seen-serving", "view")
    yield Crowd(administrator(user), editor, viewer, taken)
    user.kubectl("delete", "namespace", *LABELS, "--wait=false")


def _refused() -> dict[str, object]:
    """A Deployment whose pods are refused in any of these namespaces that enforces."""
    made = pod("two", "dev", count=2)
    labels = {**made["metadata"]["labels"], "app": "two"}
    template = {"metadata": {"labels": labels}, "spec": made["spec"]}
    spec = {"selector": {"matchLabels": {"app": "two"}}, "template": template}
    metadata = {"name": "two"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def test_the_plugin_is_found_by_kubectl_and_completed_by_it(seen: Crowd) -> None:
    listed = seen.admin.kubectl("plugin", "list").stdout
    assert "kubectl-gpu_sharing" in listed
    words = seen.admin.kubectl("__complete", "gpu-sharing", "exp").stdout
    assert words.startswith("explain")


def test_audit_of_the_whole_cluster(seen: Crowd) -> None:
    made = seen.admin.read("audit")
    modes = {each["name"]: each["mode"] for each in made["namespaces"]}
    assert {name: modes[name] for name in LABELS} == {n: v.get(MODE) for n, v in LABELS.items()}
    assert "kube-system" not in modes
    summary = made["summary"]
    rows = len(made["workloads"])
    assert sum(summary[key] for key in ("refused", "changed", "nodeAffinity", "unchanged")) == rows
    assert 0 < summary["gpus"]["after"] < summary["gpus"]["before"]
    done = seen.admin.plugin("audit")
    assert done.returncode == 1
    assert "MODE NOW" in done.stdout
    assert "would be refused" in done.stdout


def test_audit_of_a_namespace_gives_the_one_command_and_it_works(seen: Crowd, user: User) -> None:
    made = seen.admin.read("audit", "-n", "seen-plain")
    assert made["turnOn"] == f"kubectl label --overwrite namespace seen-plain {MODE}=enforce"
    printed = seen.admin.plugin("audit", "-n", "seen-plain").stdout
    assert made["turnOn"] in printed
    foretold = {e["name"]: e for e in made["workloads"] if e["kind"] == "Pod"}
    changed = [each for each in foretold.values() if each["outcome"] == "changed"]
    user.kubectl(*made["turnOn"].split()[1:])
    try:
        for each in (*changed, *(e for e in foretold.values() if e["outcome"] == "refused")):
            known = user.get("-n", "seen-plain", "pod", each["name"])
            again = {"apiVersion": "v1", "kind": "Pod", "spec": known["spec"]}
            again["spec"].pop("nodeName", None)
            again["metadata"] = {"name": "again", "labels": known["metadata"].get("labels", {})}
            let_in, said = user.create("seen-plain", again, "--dry-run=server")
            assert let_in is (each["outcome"] == "changed"), said
    finally:
        user.kubectl("label", "namespace", "seen-plain", f"{MODE}-")


def test_no_probe_of_the_isolation_is_open(seen: Crowd) -> None:
    done = seen.admin.plugin("conformance", "-n", "seen-blue")
    assert done.returncode == 0, done.stdout + done.stderr
    probes = seen.admin.read("conformance", "-n", "seen-blue")["probes"]
    assert {each["outcome"] for each in probes} == {"holds", "other", "policy"}, probes


def test_why_a_deployment_has_no_pods(seen: Crowd) -> None:
    def refused(person: Person) -> str:
        return until("a refusal", lambda: _told(person, "why", "deployment/two", "Refused"))

    for person in (seen.editor, seen.viewer):
        printed = refused(person)
        assert "several_gpus_not_allowed" in printed or "no_reachable_offer" in printed
        assert "What to do:" in printed
        assert "2 requested" in printed
    assert "refused in the same way" in refused(seen.editor)  # by a dry run of their own
    assert "create pods" in refused(seen.viewer)  # the right that a viewer lacks for that


def _told(person: Person, *words: str) -> str | None:
    """What a command printed, once it has the last word in it; it must say that by its code."""
    *arguments, wanted = words
    done = person.plugin(*arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout if wanted in done.stdout else None


def test_explain_a_pod_and_what_it_would_get_now(seen: Crowd, user: User) -> None:
    made = seen.editor.read("explain", "pod/mine")
    assert (made["mode"], made["tenant"]) == ("enforce", "blue")
    (got,) = made["decision"]["containers"]
    assert got["from"] == {"nvidia.com/gpu": 1}
    assert got["to"] == {"nvidia.com/mig-1g.5gb": 1}
    assert made["row"]["name"] == "tenant"
    assert made["now"]["same"] is True
    done = seen.editor.plugin("explain", "mine")
    assert done.returncode == 0
    assert "ConfigMap gpu-sharing/gpu-sharing-policy" in done.stdout


def test_explain_says_why_it_would_be_otherwise_now(seen: Crowd, user: User) -> None:
    name = user.namespace("seen-tenant", {MODE: "enforce", "gpu-sharing.io/tenant": "red"})
    user.create(name, pod("other"))  # nothing but its tenant says how to give it a GPU
    user.kubectl("label", "namespace", name, "gpu-sharing.io/tenant-")
    made = until("the namespace is nobody's", lambda: _otherwise(seen.admin, name))
    assert made["now"]["decided"]["strategy"] == "exclusive"
    assert "tenant" in made["now"]["why"]
    user.kubectl("delete", "namespace", name, "--wait=false")


def _otherwise(person: Person, namespace: str) -> Json | None:
    made: Json = person.read("explain", "pod/other", "-n", namespace)
    return None if made["now"]["same"] else made


def test_pods_by_strategy(seen: Crowd) -> None:
    mine = seen.editor.read("pods")
    assert {each["namespace"] for each in mine} == {"seen-blue"}
    assert {each["strategy"] for each in mine} == {"mig"}
    all_of_them = seen.admin.read("pods", "-A")
    assert {each["namespace"] for each in all_of_them} >= set(LABELS)
    denied = seen.editor.plugin("pods", "-A")
    assert denied.returncode == 2
    assert "list pods in all namespaces" in denied.stderr


def test_logs_over_all_replicas_or_what_a_person_may_see(seen: Crowd, pods_only: None) -> None:
    lines = seen.admin.read("logs", "-n", "seen-blue", "--refused")
    assert lines
    assert {(each["namespace"], each["allowed"]) for each in lines} == {("seen-blue", False)}
    done = seen.editor.plugin("logs")
    assert done.returncode == 0
    assert "several_gpus_not_allowed" in done.stdout
    assert "you lack the right" in done.stdout + done.stderr


def test_status_for_an_administrator(seen: Crowd, pods_only: None) -> None:
    until("all is well", lambda: _well(seen.admin))
    printed = seen.admin.plugin("status").stdout
    assert "2/2" in printed
    assert "days left" in printed
    assert "nvidia.com/mig-1g.5gb" in printed
    assert all(name in printed for name, labels in LABELS.items() if MODE in labels)


def _well(person: Person) -> bool:
    made = person.read("status")
    print(made["wrong"])  # noqa: T201 - shown if it never is
    return bool(made["well"])


def test_status_for_others_says_what_they_may_not_see(seen: Crowd) -> None:
    done = seen.editor.plugin("status")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "seen-blue" in done.stdout
    assert "seen-serving" not in done.stdout
    assert "you lack the right to" in done.stdout


def test_the_viewer_role_of_the_chart_suffices_for_all_of_them(
    seen: Crowd, user: User, pods_only: None
) -> None:
    name = user.namespace("seen-viewer")
    person = member(user, name, "view")
    who = f"--serviceaccount={name}:member"
    viewer = "gpu-sharing-viewer"
    user.kubectl("create", "clusterrolebinding", name, f"--clusterrole={viewer}", who)
    user.kubectl("-n", "gpu-sharing", "create", "rolebinding", name, f"--role={viewer}", who)
    try:
        for command in (("audit",), ("status",), ("pods", "-A"), ("logs",)):
            done = person.plugin(*command)
            assert "you lack the right" not in done.stdout + done.stderr, done.stdout + done.stderr
            assert done.returncode in (0, 1), done.stderr
    finally:
        user.kubectl("delete", "clusterrolebinding", name)
        user.kubectl("-n", "gpu-sharing", "delete", "rolebinding", name)
        user.kubectl("delete", "namespace", name, "--wait=false")


def test_the_metrics_answer_questions(user: User, seen: Crowd, pods_only: None) -> None:
    found = user.get("-n", "gpu-sharing", "pods", "-l", "app.kubernetes.io/component=server")
    pages = [
        user.kubectl("get", "--raw", _metrics(each["metadata"]["name"])) for each in found["items"]
    ]
    text = "\n".join(pages)
    assert 'gpu_sharing_pods_total{mode="enforce",strategy="mig",workload="inference"}' in text
    assert 'gpu_sharing_pods_total{mode="audit"' in text
    assert 'reason="several_gpus_not_allowed"' in text
    for page in pages:
        assert 'gpu_sharing_inventory_offers{product="NVIDIA-A100-SXM4-40GB"' in page
    assert 'gpu_sharing_events_total{result="sent"}' in text
    assert json.dumps("advise") in text  # side="advise" of the durations


def _metrics(name: str) -> str:
    return f"/api/v1/namespaces/gpu-sharing/pods/{name}:8080/proxy/metrics"
