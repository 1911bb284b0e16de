"""What large and odd reviews get over TLS: 413 or an answer within seconds, never a 500."""

import json
from collections.abc import Iterator

import pytest
from webhook_process import Json, Webhook, patched
from written_reviews import JSON, LIMITS, good, pod_with, pod_with_raw, still_serves

LIMIT = 7 * 1024 * 1024


# Too large.


def in_chunks(body: bytes) -> Iterator[bytes]:
    return (body[at : at + 65_536] for at in range(0, len(body), 65_536))


def padded(size: int) -> bytes:
    """A good review of exactly so many bytes."""
    body = good()
    return body + b" " * (size - len(body))


def test_a_review_of_7_mib_is_answered_with_a_length_and_in_chunks(webhook: Webhook) -> None:
    assert webhook.ask("POST", "/mutate", padded(LIMIT), JSON).response["allowed"]
    assert webhook.ask("POST", "/mutate", in_chunks(padded(LIMIT)), JSON).response["allowed"]


def test_one_byte_more_is_413_with_a_length_and_in_chunks(webhook: Webhook) -> None:
    assert webhook.ask("POST", "/mutate", padded(LIMIT + 1), JSON).status == 413
    assert webhook.ask("POST", "/mutate", in_chunks(padded(LIMIT + 1)), JSON).status == 413
    assert still_serves(webhook)


def test_a_length_over_the_limit_is_413_before_a_byte_is_sent(webhook: Webhook) -> None:
    connection = webhook.place.connect(timeout=10)
    connection.putrequest("POST", "/mutate")
    connection.putheader("Content-Length", str(10**15))
    connection.endheaders()
    with connection.getresponse() as answer:
        assert answer.status == 413
    connection.close()


def test_ten_megabytes_of_garbage_are_413(webhook: Webhook) -> None:
    assert webhook.ask("POST", "/mutate", b"\xde\xad" * 5_000_000, JSON).status == 413
    assert still_serves(webhook)


# Odd, but no mistake of the sender.


def containers(count: int, limits: Json) -> bytes:
    listed = [{"name": f"c{i}", "resources": {"limits": limits}} for i in range(count)]
    return pod_with("spec.containers", listed)


TERMS = (
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
)
EXPRESSION = {"key": "nvidia.com/gpu.memory", "operator": "Gt", "values": ["1" * 5000]}
LARGE = {
    "10000-containers-with-gpus": containers(10_000, {"nvidia.com/gpu": "1"}),
    "10000-containers-without": containers(10_000, {"cpu": "1"}),
    "10000-malformed-quantities": containers(10_000, {"nvidia.com/gpu": "one"}),
    "10000-tolerations": pod_with("spec.tolerations", [{"key": f"k{i}"} for i in range(10_000)]),
    "10000-labels": pod_with("metadata.labels", {f"k{i}": "v" for i in range(10_000)}),
    "1000-terms": pod_with(TERMS, [{"matchExpressions": [EXPRESSION]}] * 1000),
    "10000-resources": pod_with(LIMITS, {f"nvidia.com/mig-1g.{i}gb": "1" for i in range(10_000)}),
    "annotation-of-2-mb": pod_with(
        "metadata.annotations", {"gpu-sharing.io/decision": "[" * 900 + "x" * 2_000_000}
    ),
}


@pytest.mark.parametrize("path", ["/mutate", "/validate"])
@pytest.mark.parametrize("name", LARGE)
def test_a_large_pod_is_answered_within_seconds(webhook: Webhook, name: str, path: str) -> None:
    connection = webhook.place.connect(timeout=10)  # the API server's own default
    connection.request("POST", path, LARGE[name], JSON)
    with connection.getresponse() as answer:
        assert answer.status == 200
        assert isinstance(json.loads(answer.read())["response"]["allowed"], bool)
    connection.close()


REFUSED_VALUES = {
    "workload-with-cyrillic": ("metadata.labels", "gpu-sharing.io/workload", "tr\u0430ining"),
    "workload-full-width": ("metadata.labels", "gpu-sharing.io/workload", "\uff44\uff45\uff56"),
    "workload-with-a-blank": ("metadata.labels", "gpu-sharing.io/workload", "dev "),
    "workload-with-nul": ("metadata.labels", "gpu-sharing.io/workload", "dev\0"),
    "workload-with-zero-width-joiner": ("metadata.labels", "gpu-sharing.io/workload", "de\u200dv"),
    "workload-in-capitals": ("metadata.labels", "gpu-sharing.io/workload", "DEV"),
    "memory-in-arabic-digits": (
        "metadata.annotations",
        "gpu-sharing.io/gpu-memory",
        "\u0662\u0660Gi",
    ),
    "memory-superscript": ("metadata.annotations", "gpu-sharing.io/gpu-memory", "2\u00b2Gi"),
    "memory-of-5000-digits": ("metadata.annotations", "gpu-sharing.io/gpu-memory", "9" * 5000),
    "memory-empty": ("metadata.annotations", "gpu-sharing.io/gpu-memory", ""),
    "profile-full-width": ("metadata.annotations", "gpu-sharing.io/mig-profile", "\uff11g.5gb"),
    "profile-of-5000-digits": (
        "metadata.annotations",
        "gpu-sharing.io/mig-profile",
        "1" * 5000 + "g.5gb",
    ),
    "count-in-arabic-digits": (LIMITS, "nvidia.com/gpu", "\u0663"),
    "count-with-underscore": (LIMITS, "nvidia.com/gpu", "1_0"),
    "count-of-300-digits": (LIMITS, "nvidia.com/gpu", "1" * 300),
    "count-nan": (LIMITS, "nvidia.com/gpu", "NaN"),
    "count-empty": (LIMITS, "nvidia.com/gpu", ""),
    "count-tiny": (LIMITS, "nvidia.com/gpu", 1e-300),
    "count-large-number": (LIMITS, "nvidia.com/gpu", 10**300),
    "count-2-to-the-63": (LIMITS, "nvidia.com/gpu", 2**63),
}


@pytest.mark.parametrize("name", REFUSED_VALUES)
def test_a_value_that_only_looks_right_is_refused_in_a_short_message(
    webhook: Webhook, name: str
) -> None:
    path, key, value = REFUSED_VALUES[name]
    response = webhook.post("/mutate", pod_with(path, {key: value} | asks(path))).response
    assert response["allowed"] is False
    assert "[invalid_" in response["status"]["message"]
    assert len(response["status"]["message"]) < 500


def asks(path: str) -> Json:
    """What a mapping needs besides, for the pod to be a dev pod."""
    return {"note": "x"} if path == "metadata.annotations" else {}


def test_a_label_key_that_looks_like_ours_is_another_label(webhook: Webhook) -> None:
    body = pod_with("metadata.labels", {"gpu\u2011sharing.io/workload": "dev"})
    told = webhook.post("/mutate", body).response["auditAnnotations"]
    assert told["workload"] == "unclassified"


def test_of_duplicate_keys_the_last_counts_as_it_does_in_the_api_server(webhook: Webhook) -> None:
    body = pod_with_raw(LIMITS, b'{"nvidia.com/gpu": "7", "nvidia.com/gpu": "1"}')
    response = webhook.post("/mutate", body).response
    assert response["auditAnnotations"]["from"] == "main=nvidia.com/gpu:1"
    assert patched(json.loads(body)["request"]["object"], response)


DECISIONS = {
    "text": "yes",
    "null": "null",
    "array": "[]",
    "object": "{}",
    "containers-number": '{"containers": 1}',
    "containers-of-numbers": '{"containers": [1]}',
    "containers-object": '{"containers": {"a": 1}}',
    "number-of-5000-digits": '{"containers": ' + "1" * 5000 + "}",
    "half-a-surrogate-pair": '"\\ud800"',
    "deep": "[" * 900,
    "very-deep": "[" * 40_000,  # with more the pod is too large to be read
}


@pytest.mark.parametrize("name", DECISIONS)
def test_a_forged_decision_is_replaced(webhook: Webhook, name: str) -> None:
    body = pod_with("metadata.annotations", {"gpu-sharing.io/decision": DECISIONS[name]})
    after = patched(json.loads(body)["request"]["object"], webhook.post("/mutate", body).response)
    decision = json.loads(after["metadata"]["annotations"]["gpu-sharing.io/decision"])
    assert decision["containers"][0]["to"] == {"nvidia.com/gpu.shared": 1}


def test_a_decision_annotation_decides_nothing(webhook: Webhook) -> None:
    forged = json.dumps({"workload": "dev", "tenant": None, "containers": []})
    body = pod_with("metadata.annotations", {"gpu-sharing.io/decision": forged})
    assert webhook.post("/validate", body).response["auditAnnotations"]["reason"] == "not_rewritten"
