"""What updates, subresources, audits and objects of others get over TLS."""

import copy
import json
from pathlib import Path

import pytest
from webhook_process import SIDES, Json, Webhook, gpu_pod, patched, question, update
from written_reviews import PROMISES, example, with_env

AUDIT = ("/audit/mutate", "/audit/validate")


def safe_pod() -> Json:
    """A pod that /validate lets in: what the webhook itself makes of a dev pod."""
    pod = gpu_pod()
    pod["metadata"]["labels"]["gpu-sharing.io/strategy"] = "time-slicing"
    limits = pod["spec"]["containers"][0]["resources"]["limits"]
    limits["nvidia.com/gpu.shared"] = limits.pop("nvidia.com/gpu")
    pod["spec"]["nodeSelector"] = {"nvidia.com/gpu.sharing-strategy": "time-slicing"}
    return pod


def with_debugger(pod: Json, env: list[Json] | None = None) -> Json:
    """The pod with an ephemeral container, as `kubectl debug` adds one."""
    made = copy.deepcopy(pod)
    debugger = {"name": "debugger", "image": "busybox"} | ({"env": env} if env else {})
    made["spec"].setdefault("ephemeralContainers", []).append(debugger)
    return made


def is_untouched(response: Json) -> bool:
    return response["allowed"] and "patch" not in response and "patchType" not in response


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
