"""What a good AdmissionReview gets over TLS: each example, each path, operation and subresource."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from webhook_process import (
    EXAMPLES,
    SIDES,
    Json,
    Webhook,
    gpu_pod,
    patched,
    question,
    update,
)

from webhook.core.integrations import registry

PROMISES: dict[str, Json] = yaml.safe_load((EXAMPLES / "promises.yaml").read_text())
AUDIT = ("/audit/mutate", "/audit/validate")


def example(file: str) -> tuple[Json, str]:
    """The pod of an example and its namespace, as an API server would send it."""
    found = yaml.safe_load((EXAMPLES / file).read_text())
    [made] = registry.find_templates(found)
    pod = {"apiVersion": "v1", "kind": "Pod", **made.pod}
    return json.loads(json.dumps(pod)), found["metadata"]["namespace"]


def safe_pod() -> Json:
    """A pod that /validate lets in: what the webhook itself makes of a dev pod."""
    pod = gpu_pod()
    pod["metadata"]["labels"]["gpu-sharing.io/strategy"] = "time-slicing"
    limits = pod["spec"]["containers"][0]["resources"]["limits"]
    limits["nvidia.com/gpu.shared"] = limits.pop("nvidia.com/gpu")
    pod["spec"]["nodeSelector"] = {"nvidia.com/gpu.sharing-strategy": "time-slicing"}
    return pod


def with_env(pod: Json, value: str) -> Json:
    """The pod with a variable that reaches other GPUs, or with an innocent one."""
    made = copy.deepcopy(pod)
    made["spec"]["containers"][0]["env"] = [{"name": "NVIDIA_VISIBLE_DEVICES", "value": value}]
    return made


def with_debugger(pod: Json, env: list[Json] | None = None) -> Json:
    """The pod with an ephemeral container, as `kubectl debug` adds one."""
    made = copy.deepcopy(pod)
    debugger = {"name": "debugger", "image": "busybox"} | ({"env": env} if env else {})
    made["spec"].setdefault("ephemeralContainers", []).append(debugger)
    return made


def is_untouched(response: Json) -> bool:
    return response["allowed"] and "patch" not in response and "patchType" not in response


# The examples.


@pytest.mark.parametrize("file", PROMISES)
def test_an_example_comes_out_as_promised_and_what_is_let_in_passes_the_validating_side(
    webhook: Webhook, file: str
) -> None:
    pod, namespace = example(file)
    promise = PROMISES[file]

    response = webhook.review("/mutate", question(pod, namespace))

    assert response["allowed"] is not promise.get("refused", False)
    assert response["auditAnnotations"]["reason"] == promise["reason"]
    assert response["auditAnnotations"].get("strategy") == promise.get("strategy")
    after = patched(pod, response)
    limits = after["spec"]["containers"][0].get("resources", {}).get("limits", {})
    assert "gets" not in promise or promise["gets"] in limits
    assert (after == pod) is not ("gets" in promise)
    checked = webhook.review("/validate", question(after, namespace))
    assert checked["allowed"] is response["allowed"]
    assert webhook.review("/mutate", question(after, namespace)).get("patch") is None


@pytest.mark.parametrize("path", SIDES)
@pytest.mark.parametrize("file", PROMISES)
def test_every_answer_has_the_form_that_the_api_server_reads(
    webhook: Webhook, file: str, path: str
) -> None:
    asked = question(*example(file))

    answer = webhook.post(path, json.dumps(asked).encode()).review

    assert answer.keys() == {"apiVersion", "kind", "response"}
    assert (answer["apiVersion"], answer["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    response = answer["response"]
    assert response["uid"] == asked["request"]["uid"]
    assert isinstance(response["allowed"], bool)
    assert ("patch" in response) is ("patchType" in response)
    assert response.get("patchType", "JSONPatch") == "JSONPatch"
    assert ("status" in response) is not response["allowed"]
    told = response["auditAnnotations"]
    assert all(isinstance(text, str) and text for pair in told.items() for text in pair)
    assert all(len(warning) <= 120 for warning in response.get("warnings", ()))


def test_a_refusal_is_http_200_with_403_inside_and_says_why(webhook: Webhook) -> None:
    asked = question(gpu_pod("inference", "nvidia.com/gpu.shared"), "team-blue")

    reply = webhook.post("/mutate", json.dumps(asked).encode())

    assert reply.status == 200
    assert reply.response["allowed"] is False
    assert reply.response["status"]["code"] == 403
    assert reply.response["status"]["reason"] == "Forbidden"
    message = reply.response["status"]["message"]
    assert message.startswith('container "main": nvidia.com/gpu.shared')
    assert "[tenant_needs_isolation] - see kubectl gpu-sharing reasons" in message
    assert reply.response["auditAnnotations"]["decision"] == message.partition(" - see ")[0]


def test_every_violation_is_in_one_message(webhook: Webhook) -> None:
    pod = with_env(gpu_pod("sharing"), "all")
    pod["metadata"]["annotations"] = {"gpu-sharing.io/gpu-memory": "20"}

    message = webhook.review("/validate", question(pod))["status"]["message"]

    for code in ("invalid_workload", "invalid_gpu_memory", "not_rewritten", "gpu_visibility"):
        assert f"[{code}]" in message


def test_a_warning_names_the_label_that_an_unclassified_pod_lacks(webhook: Webhook) -> None:
    warnings = webhook.review("/mutate", question(gpu_pod(None)))["warnings"]
    assert any("gpu-sharing.io/workload" in warning for warning in warnings)


def test_the_tenant_of_the_namespace_cannot_be_lifted_by_the_pod(webhook: Webhook) -> None:
    pod = gpu_pod("dev")
    pod["metadata"]["labels"]["gpu-sharing.io/tenant"] = "red"

    response = webhook.review("/mutate", question(pod, "team-blue"))

    assert response["auditAnnotations"]["tenant"] == "blue"
    assert response["auditAnnotations"]["strategy"] == "mig"
    assert any("the pod's label is void" in warning for warning in response["warnings"])


def test_the_namespace_is_that_of_the_request_not_that_of_the_pod(webhook: Webhook) -> None:
    pod = gpu_pod("dev")
    pod["metadata"]["namespace"] = "shop"
    told = webhook.review("/mutate", question(pod, "team-blue"))["auditAnnotations"]
    assert told["tenant"] == "blue"


def test_a_namespace_that_the_inventory_does_not_have_has_no_labels(webhook: Webhook) -> None:
    told = webhook.review("/mutate", question(gpu_pod("dev"), "elsewhere"))["auditAnnotations"]
    assert told["strategy"] == "time-slicing"
    assert "tenant" not in told


def test_a_pod_without_a_name_is_decided_as_any_other(webhook: Webhook) -> None:
    pod = gpu_pod("dev")
    pod["metadata"] = {"generateName": "web-", "labels": pod["metadata"]["labels"]}
    asked = question(pod)
    del asked["request"]["name"]

    after = patched(pod, webhook.review("/mutate", asked))

    assert after["metadata"]["generateName"] == "web-"
    assert "name" not in after["metadata"]
    assert "nvidia.com/gpu.shared" in after["spec"]["containers"][0]["resources"]["limits"]


@pytest.mark.parametrize("dry_run", [True, False, None])
def test_a_dry_run_gets_the_answer_of_a_real_one(webhook: Webhook, dry_run: bool | None) -> None:  # noqa: FBT001 - what the field holds
    asked = question(gpu_pod("dev"), dryRun=dry_run)
    assert "patch" in webhook.review("/mutate", asked)
    assert webhook.line_of(asked)["dryRun"] is bool(dry_run)


def unknown_everywhere(at: Any) -> Any:
    """The value with a field more in each of its objects that may hold any field."""
    if isinstance(at, list):
        return [unknown_everywhere(each) for each in at]
    if not isinstance(at, dict):
        return at
    closed = {"labels", "limits"}
    made = {k: v if k in closed else unknown_everywhere(v) for k, v in at.items()}
    return made | {"aFieldOf2031": {"of": ["any", 1, None, {"type": True}]}}


@pytest.mark.parametrize("path", SIDES)
def test_unknown_fields_change_nothing_and_stay(webhook: Webhook, path: str) -> None:
    asked = question(gpu_pod("dev"))
    strange = unknown_everywhere(asked)

    plain, response = webhook.review(path, asked), webhook.review(path, strange)

    assert response == plain
    pod, after = strange["request"]["object"], patched(strange["request"]["object"], response)
    assert after["aFieldOf2031"] == pod["aFieldOf2031"]
    assert after["spec"]["containers"][0]["aFieldOf2031"]
    assert after["spec"]["containers"][0]["resources"]["aFieldOf2031"]


def test_optional_fields_may_be_null(webhook: Webhook) -> None:
    pod = gpu_pod("dev")
    pod["metadata"] |= {"annotations": None, "ownerReferences": None}
    pod["spec"] |= {"initContainers": None, "nodeSelector": None, "tolerations": None}
    pod["spec"] |= {"affinity": None, "ephemeralContainers": None}
    pod["spec"]["containers"][0] |= {"env": None, "restartPolicy": None}
    pod["spec"]["containers"][0]["resources"]["requests"] = None

    after = patched(pod, webhook.review("/mutate", question(pod)))

    assert webhook.review("/validate", question(after))["allowed"]


def test_a_limit_that_is_null_is_no_ask_as_for_the_api_server(webhook: Webhook) -> None:
    pod = gpu_pod("dev")
    pod["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] = None
    response = webhook.review("/mutate", question(pod))
    assert response["auditAnnotations"]["reason"] == "no_gpu"
    hidden = {"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"}  # an image may say `all`
    assert patched(pod, response)["spec"]["containers"][0]["env"] == [hidden]


# Updates.


def test_an_old_pod_can_be_updated_whatever_is_wrong_with_it(webhook: Webhook) -> None:
    old = with_env(gpu_pod("training", "nvidia.com/gpu.shared"), "all")
    new = copy.deepcopy(old)
    new["metadata"]["finalizers"] = ["example.org/wait"]

    assert not webhook.review("/validate", question(old))["allowed"]
    assert webhook.review("/validate", update(old, new))["allowed"]


def test_an_update_is_refused_for_what_it_newly_makes_unsafe_only(webhook: Webhook) -> None:
    old = gpu_pod("dev")
    new = with_env(old, "all")

    response = webhook.review("/validate", update(old, new))

    assert response["allowed"] is False
    assert response["auditAnnotations"]["reason"] == "gpu_visibility"
    assert "not_rewritten" not in response["status"]["message"]


def test_an_update_cannot_turn_a_shared_pod_into_a_tenants(webhook: Webhook) -> None:
    old, new = safe_pod(), safe_pod()
    new["metadata"]["labels"]["gpu-sharing.io/tenant"] = "blue"

    response = webhook.review("/validate", update(old, new))

    assert response["auditAnnotations"]["reason"] == "tenant_needs_isolation"
    assert response["allowed"] is False


@pytest.mark.parametrize("path", SIDES)
def test_an_update_of_a_safe_pod_is_let_through_untouched(webhook: Webhook, path: str) -> None:
    assert is_untouched(webhook.review(path, update(safe_pod(), safe_pod())))


def test_a_pod_is_never_rewritten_after_its_creation(webhook: Webhook) -> None:
    response = webhook.review("/mutate", update(gpu_pod("dev"), gpu_pod("dev")))
    assert is_untouched(response)
    assert response["auditAnnotations"]["reason"] == "not_reviewed"


# Subresources.


def test_gpus_are_hidden_from_an_ephemeral_container_that_is_added(webhook: Webhook) -> None:
    old, new = safe_pod(), with_debugger(safe_pod())

    response = webhook.review("/mutate", update(old, new, "ephemeralcontainers"))

    after = patched(new, response)
    hidden = [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"}]
    assert after["spec"]["ephemeralContainers"][0]["env"] == hidden
    assert after["spec"]["containers"] == new["spec"]["containers"]
    assert webhook.review("/validate", update(old, after, "ephemeralcontainers"))["allowed"]


def test_an_ephemeral_container_that_was_there_is_left_alone(webhook: Webhook) -> None:
    old = with_debugger(safe_pod())
    new = with_debugger(old)
    new["spec"]["ephemeralContainers"][1]["name"] = "second"

    after = patched(new, webhook.review("/mutate", update(old, new, "ephemeralcontainers")))

    first, second = after["spec"]["ephemeralContainers"]
    assert "env" not in first
    assert second["env"][0]["value"] == "void"


def test_an_ephemeral_container_that_names_gpus_is_refused(webhook: Webhook) -> None:
    sees_all = [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]
    asked = update(safe_pod(), with_debugger(safe_pod(), sees_all), "ephemeralcontainers")

    response = webhook.review("/validate", asked)

    assert response["allowed"] is False
    assert 'container "debugger"' in response["status"]["message"]


def test_a_resize_passes_where_it_changes_no_gpu(webhook: Webhook) -> None:
    new = safe_pod()
    new["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "4"
    for path in SIDES:
        assert is_untouched(webhook.review(path, update(safe_pod(), new, "resize")))


def test_a_resize_that_would_reach_other_gpus_is_refused(webhook: Webhook) -> None:
    new = safe_pod()
    new["spec"]["containers"][0]["resources"]["limits"] = {"nvidia.com/mig-1g.5gb": "1"}
    assert not webhook.review("/validate", update(safe_pod(), new, "resize"))["allowed"]


# What is none of the webhook's business.


DEPLOYMENT = {
    "kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
    "object": {"kind": "Deployment", "spec": {"template": gpu_pod("dev")}},
}
NOT_OURS: dict[str, Json] = {
    "delete": {"operation": "DELETE", "object": None, "oldObject": gpu_pod("dev")},
    "delete-without-objects": {"operation": "DELETE", "object": None, "oldObject": None},
    "connect-exec": {
        "operation": "CONNECT",
        "subResource": "exec",
        "kind": {"group": "", "version": "v1", "kind": "PodExecOptions"},
        "object": {"kind": "PodExecOptions", "container": "main", "command": ["sh"]},
    },
    "deployment": DEPLOYMENT,
    "deployment-that-is-odd": DEPLOYMENT | {"object": {"spec": [1, {"containers": "none"}]}},
    "deployment-update": DEPLOYMENT | {"operation": "UPDATE"},
    "pod-of-v2": {"kind": {"group": "", "version": "v2", "kind": "Pod"}},
    "pod-of-another-group": {"kind": {"group": "x.io", "version": "v1", "kind": "Pod"}},
    "pod-template": {"kind": {"group": "", "version": "v1", "kind": "PodTemplate"}},
    "no-kind": {"kind": {}},
    "unknown-operation": {"operation": "PATCH"},
    "binding": {
        "kind": {"group": "", "version": "v1", "kind": "Binding"},
        "subResource": "binding",
        "object": {"target": {"kind": "Node", "name": "h100-whole-1"}},
    },
}


@pytest.mark.parametrize("path", SIDES)
@pytest.mark.parametrize("name", NOT_OURS)
def test_what_is_no_creation_or_update_of_a_v1_pod_is_let_through_untouched(
    webhook: Webhook, name: str, path: str
) -> None:
    response = webhook.review(path, question(gpu_pod("dev"), **NOT_OURS[name]))
    assert is_untouched(response)
    assert response["auditAnnotations"]["reason"] == "not_reviewed"


def test_a_creation_without_an_object_is_allowed(webhook: Webhook) -> None:
    assert is_untouched(webhook.review("/mutate", question(None)))


# Audit.


@pytest.mark.parametrize("path", AUDIT)
@pytest.mark.parametrize("file", PROMISES)
def test_an_audit_never_refuses_and_never_changes(webhook: Webhook, file: str, path: str) -> None:
    response = webhook.review(path, question(*example(file)))
    assert is_untouched(response)
    assert response["auditAnnotations"]["mode"] == "audit"


def test_an_audit_says_what_would_have_been(webhook: Webhook) -> None:
    changed = webhook.review("/audit/mutate", question(gpu_pod("dev")))
    refused = webhook.review("/audit/mutate", question(gpu_pod("dev"), "team-blue"))
    unsafe = webhook.review("/audit/validate", question(with_env(gpu_pod("dev"), "all")))

    assert changed["warnings"][0] == "audit: would get time-slicing (time_sliced_share)"
    assert changed["auditAnnotations"]["to"] == "main=nvidia.com/gpu.shared:1"
    assert refused["auditAnnotations"]["tenant"] == "blue"
    assert unsafe["warnings"][0].startswith("audit: would be refused (")
    assert "[gpu_visibility]" in unsafe["auditAnnotations"]["decision"]


@pytest.mark.parametrize("path", [*SIDES, "/mutate?timeout=3s"])
def test_every_path_echoes_the_uid(webhook: Webhook, path: str) -> None:
    asked = question(gpu_pod("dev"), uid="0ÿ-\u2028-\U0001f600")
    assert webhook.review(path, asked)["uid"] == asked["request"]["uid"]


def test_the_answer_does_not_depend_on_how_the_body_is_written(
    webhook: Webhook, tmp_path: Path
) -> None:
    asked = question(gpu_pod("dev"))
    plain = webhook.review("/mutate", asked)
    for text in (json.dumps(asked, indent=4), json.dumps(asked, sort_keys=True) + "\r\n \t"):
        assert webhook.post("/mutate", text.encode()).response == plain
