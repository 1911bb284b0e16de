"""Metrics that answer questions: pods, refusals and offers, each counted once."""

import json
from pathlib import Path

import pytest
import yaml
from webhook_process import (
    INVENTORY,
    Json,
    Webhook,
    gpu_pod,
    patched,
    question,
    until,
    update,
    webhook_running,
)

PODS, REFUSALS = "gpu_sharing_pods_total", "gpu_sharing_refusals_total"
OFFERS = "gpu_sharing_inventory_offers"


def changes(webhook: Webhook, name: str, *reviews: tuple[str, Json]) -> float:
    """By how much a metric grows with these reviews."""
    before = webhook.count(name)
    for path, asked in reviews:
        webhook.review(path, asked)
        webhook.line_of(asked)
    return webhook.count(name) - before


def test_a_pod_that_gets_gpus_is_counted_by_what_it_is_and_gets(webhook: Webhook) -> None:
    labels = {"workload": "dev", "strategy": "time-slicing", "mode": "enforce"}
    before = webhook.count(PODS, **labels)
    assert changes(webhook, PODS, ("/mutate", question(gpu_pod("dev")))) == 1
    assert webhook.count(PODS, **labels) == before + 1


def test_a_pod_is_counted_once_however_often_it_is_sent(webhook: Webhook) -> None:
    pod = gpu_pod("inference")
    after = patched(pod, webhook.review("/mutate", question(pod)))
    again = [("/mutate", question(after)), ("/validate", question(after))]
    assert changes(webhook, PODS, *again) == 0


def test_an_audited_pod_is_counted_as_what_it_would_get(webhook: Webhook) -> None:
    labels = {"workload": "dev", "strategy": "time-slicing", "mode": "audit"}
    before = webhook.count(PODS, **labels)
    asked = question(gpu_pod("dev"))
    assert changes(webhook, PODS, ("/audit/mutate", asked), ("/audit/validate", asked)) == 1
    assert webhook.count(PODS, **labels) == before + 1


NO_POD = {
    "dry-run": ("/mutate", question(gpu_pod("dev"), dryRun=True)),
    "audited-dry-run": ("/audit/mutate", question(gpu_pod("dev"), dryRun=True)),
    "update": ("/mutate", update(gpu_pod("dev"), gpu_pod("dev"))),
    "no-gpu": ("/mutate", question(gpu_pod("dev", "cpu"))),
    "refused": ("/mutate", question(gpu_pod("typo"))),
    "audited-and-refused": ("/audit/mutate", question(gpu_pod("typo"))),
    "validated": ("/validate", question(gpu_pod("dev"))),
    "no-pod": ("/mutate", question(None, kind={})),
}


@pytest.mark.parametrize("review", NO_POD.values(), ids=NO_POD)
def test_what_gives_no_pod_its_gpus_is_not_counted(
    webhook: Webhook, review: tuple[str, Json]
) -> None:
    assert changes(webhook, PODS, review) == 0


@pytest.mark.parametrize(
    ("path", "side", "mode"),
    [
        ("/mutate", "mutate", "enforce"),
        ("/validate", "validate", "enforce"),
        ("/audit/mutate", "mutate", "audit"),
        ("/audit/validate", "validate", "audit"),
    ],
)
def test_a_refusal_is_counted_by_its_reason_side_and_mode(
    webhook: Webhook, path: str, side: str, mode: str
) -> None:
    mutated = side == "mutate"
    reason = "training_never_shares" if mutated else "gpu_visibility"
    pod = gpu_pod("training", "nvidia.com/gpu.shared" if mutated else "cpu")
    if not mutated:
        pod["spec"]["containers"][0]["env"] = [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]
    labels = {"workload": "training", "side": side, "mode": mode, "reason": reason}
    before = webhook.count(REFUSALS, **labels)
    assert changes(webhook, REFUSALS, (path, question(pod))) == 1
    assert webhook.count(REFUSALS, **labels) == before + 1


NO_REFUSAL = {
    "dry-run": ("/mutate", question(gpu_pod("typo"), dryRun=True)),
    "allowed": ("/mutate", question(gpu_pod("dev"))),
    "no-pod": ("/validate", question(None, kind={})),
}


@pytest.mark.parametrize("review", NO_REFUSAL.values(), ids=NO_REFUSAL)
def test_what_refuses_nothing_is_not_counted(webhook: Webhook, review: tuple[str, Json]) -> None:
    assert changes(webhook, REFUSALS, review) == 0


def test_what_the_nodes_offer_is_shown_and_goes_with_the_last_of_them(tmp_path: Path) -> None:
    whole = yaml.load(INVENTORY.read_text(), yaml.CSafeLoader)
    path = tmp_path / "nodes.json"
    path.write_text(json.dumps(whole))
    with webhook_running(tmp_path, ["--inventory", str(path)]) as webhook:
        slices = {"resource": "nvidia.com/mig-1g.5gb", "strategy": "mig"}
        shares = {"resource": "nvidia.com/gpu.shared", "strategy": "time-slicing"}
        assert webhook.count(OFFERS, **slices) > 0
        assert webhook.count(OFFERS, **shares) > 0
        assert webhook.count(OFFERS, strategy="exclusive") > 0

        whole["items"] = [e for e in whole["items"] if e["metadata"]["name"] != "t4-dev-1"]
        path.write_text(json.dumps(whole))
        until(lambda: webhook.count("gpu_sharing_inventory_nodes") == 4)
        until(lambda: "time-slicing" not in webhook.metrics())
        assert webhook.count(OFFERS, **slices) > 0
