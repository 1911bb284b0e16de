"""What is told of reviews: log lines, metrics, probes; and what must never be told."""

import json
import time
from collections.abc import Mapping
from datetime import datetime

import pytest
from cryptography import x509
from prometheus_client.parser import text_string_to_metric_families
from webhook_process import INVENTORY, SIDES, Json, Webhook, gpu_pod, question, until

SECRET = "hunter2-7b1f"  # noqa: S105 - the word to look for
FIELDS = {
    *("event", "level", "timestamp", "uid", "side", "operation", "namespace", "owner_kind"),
    *("owner", "user", "workload", "tenant", "strategy", "allowed", "reason", "containers"),
    *("message", "mode", "dryRun", "violations", "latency_ms"),
}
BOUNDED = {
    "side": {"mutate", "validate"},
    "operation": {"CREATE", "UPDATE", "DELETE", "CONNECT", "other"},
    "workload": {"training", "inference", "dev", "tenant", "unclassified", "none"},
    "strategy": {"exclusive", "mig", "mps", "time-slicing", "mixed", "none"},
    "mode": {"enforce", "audit"},
    "allowed": {"true", "false"},
}


def owned(pod: Json, *owners: Json) -> Json:
    pod["metadata"] |= {"name": "", "generateName": "web-", "ownerReferences": list(owners)}
    return pod


def line(webhook: Webhook, asked: Json, path: str = "/mutate") -> Json:
    """The log line of one review."""
    webhook.review(path, asked)
    return webhook.line_of(asked)


def samples(webhook: Webhook, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """The samples of one name by their labels."""
    families = text_string_to_metric_families(webhook.metrics())
    found = (each for family in families for each in family.samples if each.name == name)
    return {tuple(sorted(each.labels.items())): each.value for each in found}


def gauge(webhook: Webhook, name: str) -> float:
    [value] = samples(webhook, name).values()
    return value


def counted(webhook: Webhook, labels: Mapping[str, str]) -> float:
    """How many reviews had these labels."""
    found = samples(webhook, "gpu_sharing_reviews_total").items()
    return sum(value for key, value in found if labels.items() <= dict(key).items())


# Log lines.


def test_a_review_is_told_in_one_json_line_with_the_same_fields_always(webhook: Webhook) -> None:
    asked = question(gpu_pod("dev"))
    assert line(webhook, asked).keys() == FIELDS
    assert line(webhook, question(None, kind={})).keys() == FIELDS
    assert len([e for e in webhook.log("review") if e["uid"] == asked["request"]["uid"]]) == 1


def test_the_line_has_the_facts_of_the_review(webhook: Webhook) -> None:
    pod = owned(gpu_pod("inference"), {"kind": "ReplicaSet", "name": "web-6d4", "controller": True})
    told = line(webhook, question(pod, "team-blue", dryRun=True, userInfo={"username": "jane"}))

    facts = {key: told[key] for key in FIELDS - {"timestamp", "latency_ms", "uid"}}
    assert facts == {
        "event": "review",
        "level": "info",
        "side": "mutate",
        "operation": "CREATE",
        "namespace": "team-blue",
        "owner_kind": "ReplicaSet",
        "owner": "web-6d4",
        "user": "jane",
        "workload": "inference",
        "tenant": "blue",
        "strategy": "mig",
        "allowed": True,
        "reason": "mig_slice",
        "message": None,
        "mode": "enforce",
        "dryRun": True,
        "containers": [
            {
                "name": "main",
                "from": {"nvidia.com/gpu": 1},
                "to": {"nvidia.com/mig-1g.5gb": 1},
                "strategy": "mig",
                "reason": "mig_slice",
            }
        ],
        "violations": [],
    }
    assert 0 < told["latency_ms"] < 10_000
    said = datetime.fromisoformat(told["timestamp"]).timestamp()
    assert abs(time.time() - said) < 60


def test_the_line_of_a_refusal_has_the_message(webhook: Webhook) -> None:
    asked = question(gpu_pod("inference", "nvidia.com/gpu.shared"), "team-blue")
    told = line(webhook, asked)
    assert (told["allowed"], told["reason"]) == (False, "tenant_needs_isolation")
    assert told["message"].endswith("[tenant_needs_isolation]")
    assert told["strategy"] is None
    assert told["containers"] == [
        {
            "name": "main",
            "from": {"nvidia.com/gpu.shared": 1},
            "to": {},
            "strategy": None,
            "reason": None,
        }
    ]
    [violation] = told["violations"]
    assert (violation["reason"], violation["container"], violation["field"]) == (
        "tenant_needs_isolation",
        "main",
        "resources.limits",
    )
    assert told["message"] == (f'container "main": {violation["message"]} [tenant_needs_isolation]')


def test_the_line_of_an_audit_keeps_what_was_decided(webhook: Webhook) -> None:
    asked = question(gpu_pod("inference", "nvidia.com/gpu.shared"), "team-blue")
    told = line(webhook, asked, "/audit/mutate")
    assert (told["mode"], told["allowed"]) == ("audit", False)


@pytest.mark.parametrize(
    ("pod", "owner"),
    [
        pytest.param(gpu_pod(), ("Pod", "pod"), id="a-pod-with-a-name"),
        pytest.param(owned(gpu_pod()), ("Pod", "web-"), id="a-name-to-be-generated"),
        pytest.param(
            owned(
                gpu_pod(),
                {"kind": "Job", "name": "a"},
                {"kind": "Set", "name": "b", "controller": True},
            ),
            ("Set", "b"),
            id="the-controller-among-the-owners",
        ),
        pytest.param(
            owned(gpu_pod(), {"kind": "Job", "name": "a"}), ("Pod", "web-"), id="no-controller"
        ),
    ],
)
def test_the_owner_is_the_controller_or_the_pod_itself(
    webhook: Webhook, pod: Json, owner: tuple[str, str]
) -> None:
    told = line(webhook, question(pod, name=pod["metadata"]["name"]))
    assert (told["owner_kind"], told["owner"]) == owner


def test_hostile_text_stays_within_its_line(webhook: Webhook) -> None:
    name = 'a"}\n{"event":"review","uid":"forged"}\r\u2028\0'
    told = line(webhook, question(gpu_pod(), name=name, userInfo={"username": name}))
    assert (told["owner"], told["user"]) == (name, name)
    assert not any(each["uid"] == "forged" for each in webhook.log("review"))


def env(value: object) -> list[Json]:
    return [{"name": "PASSWORD", "value": value}]


def with_secrets(pod: Json) -> Json:
    """The pod with a secret in each place where manifests have them."""
    main = pod["spec"]["containers"][0]
    main |= {"env": env(SECRET), "args": ["--password", SECRET], "command": [SECRET]}
    pod["spec"]["initContainers"] = [{"name": "load", "env": env(SECRET)}]
    pod["spec"]["ephemeralContainers"] = [{"name": "debug", "env": env(SECRET)}]
    pod["metadata"]["annotations"] = {"example.org/token": SECRET}
    return pod


def test_environment_arguments_and_foreign_annotations_are_never_told(webhook: Webhook) -> None:
    visible = with_secrets(gpu_pod("dev"))
    visible["spec"]["containers"][0]["env"] = [{"name": "NVIDIA_VISIBLE_DEVICES", "value": SECRET}]
    wrong_type = with_secrets(gpu_pod("dev"))
    wrong_type["spec"]["containers"][0]["env"] = env([SECRET])
    wrong_list = with_secrets(gpu_pod("dev"))
    wrong_list["spec"]["containers"][0]["env"] = {"PASSWORD": SECRET}

    for pod in (with_secrets(gpu_pod("dev")), with_secrets(gpu_pod("typo")), visible):
        for path in SIDES:
            answer = webhook.post(path, json.dumps(question(pod)).encode())
            assert SECRET not in answer.text
    for pod in (wrong_type, wrong_list):
        answer = webhook.post("/mutate", json.dumps(question(pod)).encode())
        assert (answer.status, SECRET in answer.text) == (400, False)
    webhook.ask("POST", "/mutate", SECRET.encode(), {"Content-Type": "application/json"})
    last = question(gpu_pod("dev"))
    line(webhook, last)

    assert SECRET not in webhook.log_text()
    assert SECRET not in webhook.metrics()


def test_a_request_that_is_no_review_is_told_with_status_and_cause(webhook: Webhook) -> None:
    before = len(webhook.log("not a review"))
    webhook.post("/mutate", b"[]")
    told = until(lambda: webhook.log("not a review")[before:])[0]
    assert told["level"] == "warning"
    assert told["status"] == "400 Bad Request"
    assert "Expected `object`, got `array`" in told["message"]


def test_every_line_of_the_log_is_a_json_object(webhook: Webhook) -> None:
    webhook.review("/mutate", question(gpu_pod("dev")))
    lines = webhook.log_text().split("\n")[:-1]
    assert lines
    assert all(isinstance(json.loads(each), dict) for each in lines)


# Metrics.


def test_a_review_is_counted_under_its_labels(webhook: Webhook) -> None:
    labels = {"side": "mutate", "operation": "CREATE", "workload": "dev", "mode": "enforce"}
    labels |= {"strategy": "time-slicing", "reason": "time_sliced_share", "allowed": "true"}
    before = counted(webhook, labels)

    line(webhook, question(gpu_pod("dev")))

    assert counted(webhook, labels) == before + 1


def test_a_refusal_and_an_audit_are_counted_as_what_was_decided(webhook: Webhook) -> None:
    asked = question(gpu_pod("inference", "nvidia.com/gpu.shared"), "team-blue")
    labels = {"reason": "tenant_needs_isolation", "allowed": "false"}
    enforced = counted(webhook, labels | {"mode": "enforce"})
    audited = counted(webhook, labels | {"mode": "audit"})

    line(webhook, asked)
    webhook.review("/audit/mutate", asked)

    assert counted(webhook, labels | {"mode": "enforce"}) == enforced + 1
    until(lambda: counted(webhook, labels | {"mode": "audit"}) == audited + 1)


def test_no_label_takes_a_value_from_outside(webhook: Webhook) -> None:
    strange = gpu_pod("of-my-own")
    strange["metadata"]["labels"]["gpu-sharing.io/strategy"] = "of-my-own"
    for operation in ("of-my-own", "create", "", "CREATE"):
        line(webhook, question(strange, "of-my-own", operation=operation))

    keys = [dict(key) for key in samples(webhook, "gpu_sharing_reviews_total")]
    assert all(key.keys() == {*BOUNDED, "reason"} for key in keys)
    assert all(key[name] in values for key in keys for name, values in BOUNDED.items())
    assert counted(webhook, {"operation": "other"}) >= 3
    assert "of-my-own" not in webhook.metrics()


def test_the_time_of_a_review_is_measured_by_side(webhook: Webhook) -> None:
    name, labels = "gpu_sharing_review_duration_seconds_count", (("side", "validate"),)
    before = samples(webhook, name).get(labels, 0)
    line(webhook, question(gpu_pod("dev")), "/validate")
    assert samples(webhook, name)[labels] == before + 1


def test_requests_that_are_no_reviews_are_counted_by_status(webhook: Webhook) -> None:
    webhook.ask("GET", "/mutate")
    webhook.post("/mutate", b"{")
    failed = until(lambda: samples(webhook, "gpu_sharing_failed_requests_total"))
    assert {dict(key)["status"] for key in failed} >= {"405", "400"}


def test_certificate_inventory_and_policy_are_gauges(webhook: Webhook) -> None:
    served = x509.load_pem_x509_certificate(webhook.place.cert.read_bytes())
    ends = gauge(webhook, "gpu_sharing_certificate_not_after_seconds")
    assert ends == served.not_valid_after_utc.timestamp()
    assert 0 <= gauge(webhook, "gpu_sharing_inventory_age_seconds") < 60
    assert gauge(webhook, "gpu_sharing_inventory_nodes") == INVENTORY.read_text().count(
        "kind: Node\n"
    )
    assert gauge(webhook, "gpu_sharing_policy_generation") == 1
    assert gauge(webhook, "gpu_sharing_policy_stale") == 0


def test_metrics_are_not_served_on_the_port_of_the_reviews(webhook: Webhook) -> None:
    assert webhook.ask("GET", "/metrics").status == 404


# Probes.


def test_the_process_says_that_it_lives(webhook: Webhook) -> None:
    reply = webhook.ask("GET", "/livez")
    assert (reply.status, json.loads(reply.body)) == (200, {"status": "ok"})


def test_readiness_names_each_check(webhook: Webhook) -> None:
    reply = webhook.ask("GET", "/readyz")
    checks = {"certificate": "ok", "policy": "ok", "inventory": "ok"}
    assert (reply.status, json.loads(reply.body)) == (200, {"status": "ok", "checks": checks})


def test_a_lost_visitor_is_told_where_to_go(webhook: Webhook) -> None:
    assert "/readyz" in json.loads(webhook.ask("GET", "/").body)["paths"]
    assert json.loads(webhook.ask("GET", "/nowhere").body)["error"] == "Not Found"
