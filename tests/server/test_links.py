"""Whoever is told something is led to its explanation, once, where people read it."""

import json
from pathlib import Path

import pytest
from webhook_process import SIDES, Json, Webhook, gpu_pod, question, webhook_running

from webhook.core.api.reason import COMMAND

SHARED = gpu_pod("inference", "nvidia.com/gpu.shared")
SEE = " - see "


def refused(webhook: Webhook) -> Json:
    response = webhook.review("/mutate", question(SHARED, "team-blue"))
    assert response["allowed"] is False
    return response


def test_a_refusal_ends_with_a_link_to_its_reason_and_the_audit_log_has_none(
    webhook: Webhook,
) -> None:
    response = refused(webhook)
    message, link = response["status"]["message"].split(SEE)
    assert message.endswith("[tenant_needs_isolation]")
    assert link == f"{COMMAND} tenant_needs_isolation"
    assert response["auditAnnotations"]["decision"] == message
    assert COMMAND not in webhook.log_text()


def test_warnings_end_with_one_link(webhook: Webhook) -> None:
    told = webhook.review("/mutate", question(gpu_pod(None)))["warnings"]
    assert told[1:] == [f"see {COMMAND} unclassified"]


def test_the_link_of_a_warning_is_that_of_the_finding_not_of_why_the_pod_is_let_in(
    webhook: Webhook,
) -> None:
    pod = gpu_pod("dev", "cpu")
    pod["spec"]["hostNetwork"] = True
    told = webhook.review("/validate", question(pod))
    assert told["auditAnnotations"]["reason"] == "no_gpu"
    assert told["warnings"][-1] == f"see {COMMAND} host_namespaces"


def test_an_audit_is_led_to_the_reason_of_what_would_be(webhook: Webhook) -> None:
    told = webhook.review("/audit/mutate", question(SHARED, "team-blue"))
    would, why, see = told["warnings"]
    assert would == "audit: would be refused (tenant_needs_isolation)"
    assert why.startswith('container "')
    assert why.endswith("[tenant_needs_isolation]")
    assert see == f"see {COMMAND} tenant_needs_isolation"


def test_nothing_told_no_link(webhook: Webhook) -> None:
    response = webhook.review("/mutate", question(gpu_pod("training")))
    assert "warnings" not in response
    assert "status" not in response


def test_a_refusal_with_warnings_has_its_link_once(webhook: Webhook) -> None:
    pod = gpu_pod("dev", "nvidia.com/gpu.shared")
    pod["metadata"]["labels"]["gpu-sharing.io/tenant"] = "red"
    response = webhook.review("/mutate", question(pod, "team-blue"))
    assert response["allowed"] is False
    assert response["warnings"]
    assert json.dumps(response).count(COMMAND) == 1


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("https://wiki.example.org/gpu?v=1", "https://wiki.example.org/gpu?v=1"),
        ("off", None),
        ("", None),
    ],
)
def test_a_page_of_the_clusters_own_or_none(tmp_path: Path, page: str, link: str | None) -> None:
    with webhook_running(tmp_path, ["--reasons-page", page]) as webhook:
        told = refused(webhook)["status"]["message"].partition(SEE)[2]
        warnings = webhook.review("/mutate", question(gpu_pod(None)))["warnings"]
        for side in SIDES:
            assert COMMAND not in json.dumps(webhook.review(side, question(SHARED, "team-blue")))
    assert told == (f"{link}#tenant_needs_isolation" if link else "")
    assert warnings[1:] == ([f"see {link}#unclassified"] if link else [])


def test_an_empty_variable_means_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPU_SHARING_REASONS_PAGE", "")
    with webhook_running(tmp_path) as webhook:
        assert SEE not in refused(webhook)["status"]["message"]
