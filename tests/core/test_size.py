"""A pod with too many parts is found out by each list that a decision looks at, and soon."""

from typing import Any

import msgspec
import pytest

from webhook.core.api import limits
from webhook.core.api.pod import Pod

MARKS = (b",", b"{", b"[")
MANY = limits.MOST_PARTS + 1
TERM = {"matchExpressions": [{"key": "pool", "operator": "Exists"}]}


def pod(**spec: Any) -> Pod:
    return msgspec.convert({"spec": {"containers": [{"name": "main"}], **spec}}, Pod)


def affinity(*terms: Any) -> dict[str, Any]:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return {"nodeAffinity": required}


def container(**more: Any) -> list[Any]:
    return [{"name": "main", **more}]


@pytest.mark.parametrize(
    "spec",
    [
        {"containers": [{}] * MANY},
        {"initContainers": [{}] * MANY},
        {"ephemeralContainers": [{}] * MANY},
        {"containers": container(env=[{"name": "A"}] * MANY)},
        {"containers": container(envFrom=[{}] * MANY)},
        {"containers": container(volumeMounts=[{}] * MANY)},
        {"containers": container(resources={"limits": {f"r{i}": 1 for i in range(MANY)}})},
        {"containers": container(resources={"claims": [{}] * MANY})},
        {"containers": container(securityContext={"capabilities": {"add": ["X"] * MANY}})},
        {"volumes": [{}] * MANY},
        {"tolerations": [{}] * MANY},
        {"resourceClaims": [{}] * MANY},
        {"nodeSelector": {f"k{i}": "" for i in range(MANY)}},
        {"affinity": affinity(*[TERM] * 101)},
        {"affinity": affinity({"matchExpressions": TERM["matchExpressions"] * 200})},
        {"containers": container(volumeMounts=[{"name": "v", "mountPath": "/" * 4097}])},
        {"containers": container(terminationMessagePath="/" * 4097)},
        {"volumes": [{"name": "v", "hostPath": {"path": "/" * 4 * MANY}}]},
        {"volumes": [{"name": "v", "hostPath": {"path": "/" * 76}}] * (MANY // 20 + 1)},
        {
            "containers": container(
                securityContext={"capabilities": {"add": ["X" * 128 * MANY]}},
            )
        },
        {
            "affinity": affinity(
                {"matchFields": [{"key": "k", "operator": "In", "values": ["v"] * MANY}]}
            )
        },
    ],
)
def test_too_many_of_anything(spec: dict[str, Any]) -> None:
    assert limits.too_large(pod(**spec)) is limits.TOO_MANY_PARTS


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {f"k{i}": "" for i in range(MANY)}},
        {"annotations": {f"k{i}": "" for i in range(MANY)}},
        {"annotations": {"k": "x" * 128 * MANY}},
        {"annotations": {"k" * 128 * MANY: ""}},
    ],
)
def test_too_much_metadata(metadata: dict[str, Any]) -> None:
    whole = msgspec.convert({"metadata": metadata}, Pod)
    assert limits.too_large(whole) is limits.TOO_MANY_PARTS


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        (b" " * limits.MOST_BYTES, True),
        (b" " * (limits.MOST_BYTES + 1), False),
        *((each * (limits.MOST_VALUES + 1) + b" " * limits.MOST_VALUES, False) for each in MARKS),
        (b"," * limits.MOST_VALUES + b" " * (2 * limits.MOST_VALUES), True),
    ],
)
def test_what_is_decoded(text: bytes, *, decoded: bool) -> None:
    assert limits.is_decoded(text) is decoded


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"containers": container(env=[{"name": "A"}] * (limits.MOST_PARTS - limits.CONTAINER))},
        {"affinity": affinity(*[TERM] * 20)},
        {"containers": container(volumeMounts=[{"name": "v", "mountPath": "/" * 4096}])},
        {"containers": [{"name": f"c{i}", "env": [{"name": "A"}] * 20} for i in range(60)]},
        {"volumes": [{"name": "v", "hostPath": {"path": "/var/lib/some/folder"}}] * 100},
    ],
)
def test_what_real_pods_have_is_looked_at(spec: dict[str, Any]) -> None:
    assert limits.too_large(pod(**spec)) is None
