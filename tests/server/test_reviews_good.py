"""What a good AdmissionReview gets over TLS: each example, each path, operation and subresource."""

import json
from typing import Any

import pytest
from webhook_process import SIDES, Webhook, gpu_pod, patched, question
from written_reviews import PROMISES, example, with_env


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
