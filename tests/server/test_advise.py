"""/advise over TLS: always allowed, never a patch, and never in the way of anything."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from webhook_process import INVENTORY, Json, Webhook, gpu_pod, question, until, webhook_running

from webhook.core.api.reason import COMMAND
from webhook.core.integrations import registry

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
GROUPS = {"Deployment": "apps", "CronJob": "batch", "Job": "batch"}
FIELDS = {
    *("event", "level", "timestamp", "uid", "operation", "namespace", "kind", "name", "user"),
    *("outcome", "warnings", "reasons", "mode", "dryRun", "latency_ms"),
}


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webhook]:
    """One process for the module, with a namespace in each mode."""
    folder = tmp_path_factory.mktemp("webhook")
    inventory = yaml.load(INVENTORY.read_text(), yaml.CSafeLoader)
    for mode in ("audit", "enforce"):
        labels = {"gpu-sharing.io/mode": mode}
        metadata = {"name": mode, "labels": labels}
        inventory["items"].append({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    (folder / "inventory.json").write_text(json.dumps(inventory))
    with webhook_running(folder, ["--inventory", str(folder / "inventory.json")]) as running:
        yield running


def deployment(workload: str | None = "inference", count: int = 1) -> Json:
    pod = gpu_pod(workload)
    pod["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] = str(count)
    made = {"metadata": {"labels": pod["metadata"]["labels"]}, "spec": pod["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "enforce"},
        "spec": {"template": made},
    }


def about(subject: Any, namespace: str = "enforce", **changes: Any) -> Json:
    """An AdmissionReview for the creation of any object."""
    found = subject.get("kind") if isinstance(subject, dict) else None
    kind = found if isinstance(found, str) else ""
    named = {"group": GROUPS.get(kind, "x.io"), "version": "v1", "kind": kind}
    return question(subject, namespace, kind=named, name="web", **changes)


def advised(webhook: Webhook, subject: Any, namespace: str = "enforce", **changes: Any) -> Json:
    response = webhook.review("/advise", about(subject, namespace, **changes))
    assert response["allowed"] is True
    assert response.keys() <= {"uid", "allowed", "warnings"}
    return response


def line(webhook: Webhook, asked: Json) -> Json:
    """The one log line of the advice."""
    webhook.review("/advise", asked)
    uid = asked["request"]["uid"]
    found = until(lambda: [each for each in webhook.log("advice") if each["uid"] == uid])
    assert len(found) == 1
    told: Json = found[0]
    return told


# What is told.


def test_whoever_applies_a_workload_is_told_what_its_pods_get_and_where_to_read_more(
    webhook: Webhook,
) -> None:
    assert advised(webhook, deployment())["warnings"] == [
        "pods of this Deployment will get nvidia.com/mig-1g.5gb (mig), not nvidia.com/gpu "
        "[mig_slice]",
        "MIG slice 1g.5gb with 4864 MiB; annotate gpu-sharing.io/gpu-memory to request more",
        f"see {COMMAND} mig_slice",
    ]


def test_a_refusal_of_its_pods_refuses_nothing_now(webhook: Webhook) -> None:
    warnings = advised(webhook, deployment("dev", 2))["warnings"]
    assert warnings[0].startswith("pods of this Deployment would be refused: ")
    assert warnings[0].endswith("[several_gpus_not_allowed]")
    assert warnings[1:] == [f"see {COMMAND} several_gpus_not_allowed"]


def test_the_mode_of_the_namespace_says_whether_it_will_be_or_would(webhook: Webhook) -> None:
    told = advised(webhook, deployment(), "audit")["warnings"][0]
    assert told.startswith("audit: pods of this Deployment would get nvidia.com/mig-1g.5gb")


def test_the_tenant_of_the_namespace_counts(webhook: Webhook) -> None:
    made = deployment("dev")
    limits = made["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    limits["nvidia.com/gpu.shared"] = limits.pop("nvidia.com/gpu")
    assert "[tenant_needs_isolation]" in advised(webhook, made, "team-blue")["warnings"][0]


OWNED = deployment()
OWNED["metadata"]["ownerReferences"] = [{"kind": "X", "name": "x", "controller": True}]
SILENT: dict[str, tuple[Any, Json]] = {
    "training": (deployment("training"), {}),
    "no-gpu": ({"kind": "ConfigMap", "data": {}}, {}),
    "owned": (OWNED, {}),
    "a-pod": (gpu_pod("dev"), {}),
    "delete": (None, {"operation": "DELETE", "oldObject": deployment()}),
    "delete-with-an-object": (deployment(), {"operation": "DELETE"}),
    "connect": ({"kind": "PodExecOptions"}, {"operation": "CONNECT"}),
    "no-object": (None, {}),
    "scale": ({"kind": "Scale", "spec": {"replicas": 3}}, {"subResource": "scale"}),
}


@pytest.mark.parametrize(("subject", "changes"), SILENT.values(), ids=SILENT)
def test_nothing_is_told_where_there_is_nothing_to_tell(
    webhook: Webhook, subject: Any, changes: Json
) -> None:
    assert "warnings" not in advised(webhook, subject, **changes)


def test_an_update_is_told_of_too(webhook: Webhook) -> None:
    told = advised(webhook, deployment(), operation="UPDATE", oldObject=deployment("training"))
    assert "[mig_slice]" in told["warnings"][0]


def test_an_object_of_no_namespace_needs_no_labels(webhook: Webhook) -> None:
    found = advised(webhook, {"kind": "ClusterRuntime", "spec": deployment()["spec"]}, "")
    assert found["warnings"][0].startswith("pods of this ClusterRuntime (spec.template) will get ")


def test_a_template_that_cannot_be_read_is_told_and_let_be(webhook: Webhook) -> None:
    made = deployment()
    made["spec"]["template"]["spec"]["containers"] = [{"name": 7}]
    assert advised(webhook, made)["warnings"] == [
        "pods of this Deployment cannot be read: expected `str`, got `int` - at "
        "`spec.template.spec.containers[0].name`"
    ]


def test_a_very_large_object_is_told_that_nobody_looked(webhook: Webhook) -> None:
    made = deployment()
    made["metadata"]["annotations"] = {"a": "x" * 1024 * 1024}
    [told] = advised(webhook, made)["warnings"]
    assert told.startswith("this object is too large: ")


# Bad requests.


def test_what_is_no_review_is_answered_as_on_every_path(webhook: Webhook) -> None:
    assert webhook.post("/advise", b"[]").status == 400
    assert webhook.post("/advise", b"\xff").status == 400
    assert webhook.ask("GET", "/advise").status == 405
    assert webhook.ask("POST", "/advise", b"{}", {"Content-Type": "text/plain"}).status == 415
    reply = webhook.post("/advise", json.dumps(about([1])).encode())
    assert (reply.status, reply.text) == (
        400,
        "Expected `object | null`, got `array` - at `$.request.object`",
    )


@pytest.mark.parametrize("depth", [50, 500, 900, 5_000, 100_000])
def test_no_depth_is_a_failure_of_ours(webhook: Webhook, depth: int) -> None:
    whole = json.dumps(about(deployment()["spec"] | {"kind": "Odd", "spec": "@deep@"})).encode()
    pod = json.dumps({"containers": [{"name": "a", "resources": {"limits": "@deep@"}}]}).encode()
    for nest in (
        b'{"x":' * depth + b"1" + b"}" * depth,
        b"[" * depth + b"]" * depth,
        pod.replace(b'"@deep@"', b'{"x":' * depth + b"1" + b"}" * depth),
    ):
        reply = webhook.post("/advise", whole.replace(b'"@deep@"', nest))
        assert reply.status == 200 or (reply.status, reply.text) == (400, "nested too deeply")
    assert "warnings" in advised(webhook, deployment())


def places(at: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    steps = at.items() if isinstance(at, dict) else enumerate(at) if isinstance(at, list) else ()
    for key, value in steps:
        yield from places(value, (*path, key))


def with_value(subject: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    made = copy.copy(subject)
    made[path[0]] = with_value(subject[path[0]], path[1:], value)
    return made


def test_any_value_in_any_place_is_answered(webhook: Webhook) -> None:
    rich = deployment("dev")
    rich["metadata"] |= {"ownerReferences": [{"controller": False}], "generateName": "a"}
    spec = rich["spec"]["template"]["spec"]
    spec["tolerations"] = [{"key": "a", "operator": "Exists"}]
    spec["affinity"] = {"nodeAffinity": {}}
    spec["containers"][0]["env"] = [{"name": "A", "value": "b"}]
    job = {"kind": "Odd", "metadata": rich["metadata"], "spec": {"tasks": [rich["spec"]]}}
    for subject in (rich, job):
        for path in places(subject):
            for value in (None, 0, -1.5, "", "x" * 300, [], [None], {}, {"spec": {}}, True):
                body = json.dumps(about(with_value(subject, path, value))).encode()
                reply = webhook.post("/advise", body)
                bad = not path and not isinstance(value, dict | None)
                spent = "was not reviewed" in reply.text  # advice had its share of a busy machine
                assert reply.status == (400 if bad and not spent else 200)
                if reply.status == 200:
                    assert reply.response["allowed"]
                    assert all(len(text) <= 256 for text in reply.response.get("warnings", ()))


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus beside the checkout: {CORPUS}")
def test_every_real_manifest_is_let_in_and_what_makes_gpu_pods_is_understood(
    webhook: Webhook,
) -> None:
    seen = 0
    for path in sorted(CORPUS.glob("*.yaml")):
        for found in yaml.load_all(path.read_text(), yaml.CSafeLoader):
            if isinstance(found, dict) and "kind" in found:
                plain = json.loads(json.dumps(found, default=str))
                assert list(registry.find_templates(plain))
                warnings = advised(webhook, plain).get("warnings", [])
                assert not [text for text in warnings if "cannot be read" in text]
                assert not [text for text in warnings if "too large" in text]
                seen += 1
    assert seen > 70


# The trail.


def test_advice_is_told_in_one_line_and_counted(webhook: Webhook) -> None:
    name = "gpu_sharing_advice_total"
    before = webhook.count(name, mode="enforce", outcome="refused")
    timed = webhook.count("gpu_sharing_review_duration_seconds_count", side="advise")
    asked = about(deployment("dev", 2), userInfo={"username": "jane"}, dryRun=True)

    told = line(webhook, asked)

    assert told.keys() == FIELDS
    facts = {key: told[key] for key in FIELDS - {"timestamp", "latency_ms", "uid"}}
    assert facts == {
        "event": "advice",
        "level": "info",
        "operation": "CREATE",
        "namespace": "enforce",
        "kind": "Deployment",
        "name": "web",
        "user": "jane",
        "outcome": "refused",
        "warnings": 1,
        "reasons": ["several_gpus_not_allowed"],
        "mode": "enforce",
        "dryRun": True,
    }
    assert webhook.count(name, mode="enforce", outcome="refused") == before + 1
    after = webhook.count("gpu_sharing_review_duration_seconds_count", side="advise")
    assert after == timed + 1


def test_advice_is_no_review_of_a_pod(webhook: Webhook) -> None:
    names = ("gpu_sharing_reviews_total", "gpu_sharing_pods_total", "gpu_sharing_refusals_total")
    before = [webhook.count(name) for name in names]
    line(webhook, about(deployment()))
    line(webhook, about(deployment("dev", 2)))
    assert [webhook.count(name) for name in names] == before


def test_each_outcome_and_mode_has_its_count_and_nothing_else_has(webhook: Webhook) -> None:
    for subject in (deployment(), deployment("training"), {"kind": "Of-my-own"}):
        for namespace in ("audit", "enforce", "nowhere"):
            line(webhook, about(subject, namespace, operation="UPDATE"))
    line(webhook, about(None, operation="of-my-own"))
    families = text_string_to_metric_families(webhook.metrics())
    [family] = [each for each in families if each.name == "gpu_sharing_advice"]
    keys = {(s.labels["mode"], s.labels["outcome"]) for s in family.samples}
    assert keys >= {("audit", "changed"), ("enforce", "changed"), ("enforce", "fine")}
    assert {mode for mode, _ in keys} == {"audit", "enforce"}
    assert {outcome for _, outcome in keys} <= {"refused", "changed", "fine"}


def test_a_name_that_is_still_to_be_generated_is_told(webhook: Webhook) -> None:
    made = deployment()
    made["metadata"] = {"generateName": "web-"}
    asked = about(made)
    del asked["request"]["name"]
    assert line(webhook, asked)["name"] == "web-"


def test_the_environment_of_a_template_is_never_told(webhook: Webhook) -> None:
    secret = "hunter2-51ce"  # noqa: S105 - the word to look for
    made = deployment("dev")
    env = [
        {"name": "PASSWORD", "value": secret},
        {"name": "NVIDIA_VISIBLE_DEVICES", "value": secret},
    ]
    made["spec"]["template"]["spec"]["containers"][0] |= {"env": env, "args": [secret]}
    wrong = copy.deepcopy(made)
    wrong["spec"]["template"]["spec"]["containers"][0]["env"] = {"PASSWORD": secret}
    for subject in (made, wrong):
        assert secret not in json.dumps(advised(webhook, subject))
        line(webhook, about(subject))
    assert secret not in webhook.log_text()
