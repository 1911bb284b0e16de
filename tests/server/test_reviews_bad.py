"""What bad requests get over TLS: a definite answer, never a 500, and the next one is served."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from webhook_process import Json, Reply, Webhook, gpu_pod, question
from written_reviews import JSON, LIMITS, encoded, good, pod_with, pod_with_raw, still_serves


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

WRONG_TYPES: dict[str, Json] = yaml.load(
    Path(__file__).with_name("wrong-types.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader
)

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
        f"type-{key}": Bad(
            400, f"{wrong.get('says', wrong['path'])}`", pod_with(wrong["path"], wrong["value"])
        )
        for key, wrong in WRONG_TYPES.items()
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
