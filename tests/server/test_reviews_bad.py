"""What bad requests get over TLS: a definite answer, never a 500, and the next one is served."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from webhook_process import Json, Reply, Webhook, gpu_pod, patched, question, webhook_running

JSON = {"Content-Type": "application/json"}
LIMIT = 7 * 1024 * 1024
LIMITS = "spec.containers[0].resources.limits"


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webhook]:
    """One process for the module: whatever it gets, it must not need another."""
    with webhook_running(tmp_path_factory.mktemp("webhook")) as running:
        yield running


def still_serves(webhook: Webhook) -> bool:
    """Whether the next good review gets its patch."""
    return "patch" in webhook.review("/mutate", question(gpu_pod("dev")))


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def good() -> bytes:
    return encoded(question(gpu_pod("dev")))


def put(root: Json, path: str, value: Any) -> Json:
    """A copy with the value at a dotted path; a number is an index, missing objects are made."""
    made = copy.deepcopy(root)
    steps = [
        int(s) if s.isdigit() else s for s in path.replace("[", ".").replace("]", "").split(".")
    ]
    at: Any = made
    for step in steps[:-1]:
        at = at.setdefault(step, {}) if isinstance(step, str) else at[step]
    at[steps[-1]] = value
    return made


def pod_with(path: str, value: Any) -> bytes:
    """A review of a pod that has the value at a path."""
    return encoded(question(put(gpu_pod("dev"), path, value)))


def pod_with_raw(path: str, raw: bytes) -> bytes:
    """The same with bytes that no JSON library would write."""
    return pod_with(path, "@raw@").replace(b'"@raw@"', raw)


def without(*keys: str) -> bytes:
    """A good review that lacks a field."""
    made: Any = question(gpu_pod("dev"))
    at = made
    for key in keys[:-1]:
        at = at[key]
    del at[keys[-1]]
    return encoded(made)


@dataclass(frozen=True, slots=True)
class Bad:
    """A request, and what its answer must have: a status, and a part of the text."""

    status: int
    says: str
    body: bytes | None = field(default_factory=good)
    headers: dict[str, str] = field(default_factory=lambda: JSON)
    method: str = "POST"
    path: str = "/mutate"


NESTED = b"[" * 100_000 + b"]" * 100_000

REQUESTS = {
    "get": Bad(405, "send a POST", body=None, method="GET"),
    "put": Bad(405, "send a POST", method="PUT"),
    "patch": Bad(405, "send a POST", method="PATCH"),
    "delete": Bad(405, "send a POST", body=None, method="DELETE"),
    "options": Bad(405, "send a POST", body=None, method="OPTIONS"),
    "head": Bad(405, "", body=None, method="HEAD"),
    "no-content-type": Bad(415, "expected application/json, got ''", headers={}),
    "text": Bad(415, "got 'text/plain'", headers={"Content-Type": "text/plain"}),
    "yaml": Bad(415, "got 'application/yaml'", headers={"Content-Type": "application/yaml"}),
    "json-of-a-kind": Bad(415, "got", headers={"Content-Type": "application/merge-patch+json"}),
    "protobuf": Bad(415, "got", headers={"Content-Type": "application/vnd.kubernetes.protobuf"}),
    "long-content-type": Bad(415, "got", headers={"Content-Type": "x" * 10_000}),
    "unknown-path": Bad(404, "Not Found", path="/mutation"),
    "trailing-slash": Bad(404, "Not Found", path="/mutate/"),
    "capitals": Bad(404, "Not Found", path="/Mutate"),
    "two-slashes": Bad(404, "Not Found", path="//mutate"),
    "dots": Bad(404, "Not Found", path="/../mutate"),
    "nul-in-path": Bad(404, "Not Found", path="/mutate%00"),
    "no-utf-8-in-path": Bad(404, "Not Found", path="/%ff%fe"),
    "post-to-a-probe": Bad(405, "Method Not Allowed", path="/readyz"),
}

BODIES = {
    "empty": Bad(400, "not JSON", body=b""),
    "no-body-at-all": Bad(400, "not JSON", body=None),
    "blanks": Bad(400, "not JSON", body=b" \r\n\t "),
    "text": Bad(400, "not JSON", body=b"hello"),
    "half": Bad(400, "not JSON", body=good()[:200]),
    "two": Bad(400, "not JSON", body=good() * 2),
    "trailing-comma": Bad(400, "not JSON", body=good()[:-1] + b",}"),
    "comment": Bad(400, "not JSON", body=b"// a review\n" + good()),
    "yaml": Bad(400, "not JSON", body=b"apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\n"),
    "byte-order-mark": Bad(400, "not JSON", body=b"\xef\xbb\xbf" + good()),
    "utf-16": Bad(400, "not JSON", body=good().decode().encode("utf-16")),
    "nul-bytes": Bad(400, "not JSON", body=b"\0" * 1000),
    "garbage": Bad(400, "not JSON", body=bytes(range(256)) * 4096),
    "gzip": Bad(400, "not JSON", body=b"\x1f\x8b\x08\0\0\0\0\0\0\xff"),
    "array": Bad(400, "Expected `object`, got `array`", body=b"[]"),
    "null": Bad(400, "Expected `object`, got `null`", body=b"null"),
    "number": Bad(400, "Expected `object`, got `int`", body=b"1"),
    "string": Bad(400, "Expected `object`, got `str`", body=b'"review"'),
    "true": Bad(400, "Expected `object`, got `bool`", body=b"true"),
    "empty-object": Bad(400, "missing required field `apiVersion`", body=b"{}"),
    "array-100k-deep": Bad(400, "", body=NESTED),
    "object-100k-deep": Bad(
        400, "nested too deeply", body=b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    ),
    "object-100k-deep-without-end": Bad(400, "", body=b'{"a":' * 100_000),
    "skipped-field-100k-deep": Bad(400, "nested too deeply", pod_with_raw("spec.volumes", NESTED)),
    "labels-100k-deep": Bad(400, "nested too deeply", pod_with_raw("metadata.labels", NESTED)),
    "value-from-100k-deep": Bad(
        400,
        "nested too deeply",
        pod_with_raw("spec.containers[0].env", b'[{"name":"a","valueFrom":{"b":%b}}]' % NESTED),
    ),
}

REVIEWS = {
    "no-api-version": Bad(400, "missing required field `apiVersion`", without("apiVersion")),
    "no-kind": Bad(400, "missing required field `kind`", without("kind")),
    "no-request": Bad(400, "expected `object`, got nothing - at `$.request`", without("request")),
    "null-request": Bad(400, "at `$.request`", encoded(question({}) | {"request": None})),
    "response-only": Bad(
        400, "at `$.request`", encoded(question({}) | {"request": None, "response": {"uid": "a"}})
    ),
    "no-uid": Bad(400, "`uid` - at `$.request`", without("request", "uid")),
    "no-operation": Bad(400, "`operation` - at `$.request`", without("request", "operation")),
    "v1beta1": Bad(
        400,
        "expected AdmissionReview of admission.k8s.io/v1, got",
        encoded(question({}) | {"apiVersion": "admission.k8s.io/v1beta1"}),
    ),
    "v1": Bad(400, "got 'AdmissionReview' of 'v1'", encoded(question({}) | {"apiVersion": "v1"})),
    "another-kind": Bad(400, "got 'Pod'", encoded(question({}) | {"kind": "Pod"})),
    "conversion": Bad(
        400,
        "got 'ConversionReview'",
        encoded({"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview"}),
    ),
    "a-bare-pod": Bad(400, "got 'Pod' of 'v1'", encoded(gpu_pod("dev"))),
    "long-kind": Bad(400, "got 'kkkk", encoded(question({}) | {"kind": "k" * 100_000})),
    "request-list": Bad(400, "`$.request`", encoded(question({}) | {"request": []})),
    "uid-number": Bad(400, "`$.request.uid`", encoded(question({}, uid=7))),
    "uid-null": Bad(400, "`$.request.uid`", encoded(question({}, uid=None))),
    "uid-half-a-surrogate-pair": Bad(400, "not JSON", encoded(question({}, uid="\ud800"))),
    "operation-list": Bad(
        400, "`$.request.operation`", encoded(question({}, operation=["CREATE"]))
    ),
    "kind-string": Bad(400, "`$.request.kind`", encoded(question({}, kind="Pod"))),
    "user-string": Bad(400, "`$.request.userInfo`", encoded(question({}, userInfo="root"))),
    "username-number": Bad(
        400, "`$.request.userInfo.username`", encoded(question({}, userInfo={"username": 0}))
    ),
    "namespace-null": Bad(400, "`$.request.namespace`", encoded(question({}, namespace=None))),
    "dry-run-string": Bad(400, "`$.request.dryRun`", encoded(question({}, dryRun="true"))),
    "object-list": Bad(400, "`$.request.object`", encoded(question(gpu_pod(), object=[]))),
    "object-string": Bad(400, "`$.request.object`", encoded(question(gpu_pod(), object="pod"))),
    "old-object-number": Bad(400, "`$.request.oldObject`", encoded(question({}, oldObject=1))),
}

# path of the pod -> a value of a wrong type, and where the answer must say it is.
TYPES: dict[str, tuple[str, Any, str]] = {
    "metadata-list": ("metadata", [], "metadata"),
    "metadata-string": ("metadata", "web", "metadata"),
    "name-number": ("metadata.name", 7, "metadata.name"),
    "labels-list": ("metadata.labels", ["dev"], "metadata.labels"),
    "label-number": ("metadata.labels", {"gpu-sharing.io/workload": 1}, "metadata.labels[...]"),
    "label-bool": ("metadata.labels", {"a": True}, "metadata.labels[...]"),
    "label-null": ("metadata.labels", {"a": None}, "metadata.labels[...]"),
    "label-object": ("metadata.labels", {"a": {}}, "metadata.labels[...]"),
    "annotation-number": (
        "metadata.annotations",
        {"gpu-sharing.io/gpu-memory": 20},
        "metadata.annotations[...]",
    ),
    "owners-object": ("metadata.ownerReferences", {}, "metadata.ownerReferences"),
    "owner-null": ("metadata.ownerReferences", [None], "metadata.ownerReferences[0]"),
    "controller-string": (
        "metadata.ownerReferences",
        [{"controller": "true"}],
        "metadata.ownerReferences[0].controller",
    ),
    "spec-null": ("spec", None, "spec"),
    "spec-list": ("spec", [], "spec"),
    "containers-string": ("spec.containers", "main", "spec.containers"),
    "containers-object": ("spec.containers", {"name": "main"}, "spec.containers"),
    "container-null": ("spec.containers", [None], "spec.containers[0]"),
    "second-container-string": (
        "spec.containers",
        [{"name": "a"}, "b"],
        "spec.containers[1]",
    ),
    "container-name-null": ("spec.containers[0].name", None, "spec.containers[0].name"),
    "init-containers-number": ("spec.initContainers", 1, "spec.initContainers"),
    "ephemeral-containers-bool": ("spec.ephemeralContainers", True, "spec.ephemeralContainers"),
    "restart-policy-list": (
        "spec.containers[0].restartPolicy",
        [],
        "spec.containers[0].restartPolicy",
    ),
    "env-number": ("spec.containers[0].env", 5, "spec.containers[0].env"),
    "env-object": ("spec.containers[0].env", {"A": "b"}, "spec.containers[0].env"),
    "env-entry-string": ("spec.containers[0].env", ["A=b"], "spec.containers[0].env[0]"),
    "env-value-number": (
        "spec.containers[0].env",
        [{"name": "A", "value": 1}],
        "spec.containers[0].env[0].value",
    ),
    "value-from-string": (
        "spec.containers[0].env",
        [{"name": "A", "valueFrom": "b"}],
        "spec.containers[0].env[0].valueFrom",
    ),
    "resources-list": ("spec.containers[0].resources", [], "spec.containers[0].resources"),
    "limits-list": (LIMITS, ["nvidia.com/gpu"], LIMITS),
    "limits-string": (LIMITS, "nvidia.com/gpu: 1", LIMITS),
    "limit-list": (LIMITS, {"nvidia.com/gpu": [1]}, f"{LIMITS}[...]"),
    "limit-bool": (LIMITS, {"nvidia.com/gpu": True}, f"{LIMITS}[...]"),
    "limit-of-cpu-object": (LIMITS, {"cpu": {}}, f"{LIMITS}[...]"),
    "requests-list": (
        "spec.containers[0].resources.requests",
        [],
        "spec.containers[0].resources.requests",
    ),
    "node-selector-list": ("spec.nodeSelector", ["a"], "spec.nodeSelector"),
    "node-selector-number": ("spec.nodeSelector", {"a": 1}, "spec.nodeSelector[...]"),
    "tolerations-object": ("spec.tolerations", {"key": "a"}, "spec.tolerations"),
    "toleration-null": ("spec.tolerations", [None], "spec.tolerations[0]"),
    "toleration-number": ("spec.tolerations", [{"key": 1}], "spec.tolerations[0].key"),
    "affinity-string": ("spec.affinity", "gpu", "spec.affinity"),
    "affinity-list": ("spec.affinity", [], "spec.affinity"),
    "node-affinity-list": ("spec.affinity.nodeAffinity", [], "spec.affinity.nodeAffinity"),
    "required-list": (
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",
        [],
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",
    ),
    "expression-without-operator": (
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
        ".nodeSelectorTerms",
        [{"matchExpressions": [{"key": "a"}]}],
        "nodeSelectorTerms[0].matchExpressions[0]",
    ),
    "values-string": (
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
        ".nodeSelectorTerms",
        [{"matchExpressions": [{"key": "a", "operator": "In", "values": "b"}]}],
        "nodeSelectorTerms[0].matchExpressions[0].values",
    ),
}

# What no JSON is, or no text, at a place that is read.
RAW = {
    "nan": Bad(400, "not JSON", pod_with_raw(LIMITS, b'{"nvidia.com/gpu": NaN}')),
    "infinity": Bad(400, "not JSON", pod_with_raw(LIMITS, b'{"nvidia.com/gpu": Infinity}')),
    "minus-infinity": Bad(400, "not JSON", pod_with_raw(LIMITS, b'{"nvidia.com/gpu": -Infinity}')),
    "nan-where-nothing-is-read": Bad(400, "not JSON", pod_with_raw("spec.priority", b"NaN")),
    "hexadecimal": Bad(400, "not JSON", pod_with_raw(LIMITS, b'{"nvidia.com/gpu": 0x1}')),
    "leading-zero": Bad(400, "not JSON", pod_with_raw(LIMITS, b'{"nvidia.com/gpu": 01}')),
    "number-of-400-digits-exponent": Bad(
        400, LIMITS, pod_with_raw(LIMITS, b'{"nvidia.com/gpu": 1e999}')
    ),
    "number-of-100k-digits": Bad(
        400, LIMITS, pod_with_raw(LIMITS, b'{"nvidia.com/gpu": %b}' % (b"9" * 100_000))
    ),
    "no-utf-8": Bad(400, "not JSON", pod_with_raw("metadata.name", b'"\xff\xfe"')),
    "overlong-utf-8": Bad(400, "not JSON", pod_with_raw("metadata.name", b'"\xc0\xaf"')),
    "surrogate-in-utf-8": Bad(400, "not JSON", pod_with_raw("metadata.name", b'"\xed\xa0\x80"')),
    "half-a-surrogate-pair": Bad(400, "not JSON", pod_with_raw("metadata.name", b'"\\ud800"')),
    "line-break-in-a-string": Bad(400, "not JSON", pod_with_raw("metadata.name", b'"a\nb"')),
}

TABLE = {
    **{f"request-{key}": bad for key, bad in REQUESTS.items()},
    **{f"body-{key}": bad for key, bad in BODIES.items()},
    **{f"review-{key}": bad for key, bad in REVIEWS.items()},
    **{
        f"type-{key}": Bad(400, f"{says}`", pod_with(path, value))
        for key, (path, value, says) in TYPES.items()
    },
    **{f"raw-{key}": bad for key, bad in RAW.items()},
}


def sent(webhook: Webhook, bad: Bad) -> Reply:
    return webhook.ask(bad.method, bad.path, bad.body, bad.headers)


@pytest.mark.parametrize("name", TABLE)
def test_a_bad_request_has_a_definite_answer_and_the_next_review_is_served(
    webhook: Webhook, name: str
) -> None:
    bad = TABLE[name]

    reply = sent(webhook, bad)

    assert reply.status == bad.status, reply.text
    assert bad.says in reply.text
    assert len(reply.body) < 1000
    assert still_serves(webhook)


@pytest.mark.parametrize("path", ["/validate", "/audit/mutate", "/audit/validate"])
@pytest.mark.parametrize("name", ["type-limits-list", "review-v1beta1", "body-array"])
def test_every_path_reads_reviews_alike(webhook: Webhook, name: str, path: str) -> None:
    bad = TABLE[name]
    reply = webhook.ask("POST", path, bad.body, bad.headers)
    assert (reply.status, bad.says in reply.text) == (400, True)


def test_a_wrong_type_says_where_what_was_expected_and_what_is_there(webhook: Webhook) -> None:
    reply = webhook.ask("POST", "/mutate", pod_with(LIMITS, []), JSON)
    assert reply.text == f"Expected `object | null`, got `array` - at `$.request.object.{LIMITS}`"


def test_a_wrong_type_in_the_old_object_is_told_as_such(webhook: Webhook) -> None:
    asked = question(gpu_pod("dev"), operation="UPDATE", oldObject={"spec": {"containers": 1}})
    reply = webhook.post("/validate", encoded(asked))
    assert (reply.status, "at `$.request.oldObject.spec.containers`" in reply.text) == (400, True)


@pytest.mark.parametrize(
    "kind",
    ["application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON"],
)
def test_parameters_and_case_of_the_content_type_do_not_matter(webhook: Webhook, kind: str) -> None:
    reply = webhook.ask("POST", "/mutate", good(), {"Content-Type": kind})
    assert reply.response["allowed"]


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
