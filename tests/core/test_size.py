"""A pod with too many parts is found out by each list that a decision looks at, and soon."""

from typing import Any

import msgspec
import pytest

from webhook.core.api import denials, limits
from webhook.core.api.pod import Pod

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
        {"affinity": affinity(*[TERM] * 130)},
        {"affinity": affinity({"matchExpressions": TERM["matchExpressions"] * 260})},
        {
            "affinity": affinity(
                {"matchFields": [{"key": "k", "operator": "In", "values": ["v"] * MANY}]}
            )
        },
    ],
)
def test_too_many_of_anything(spec: dict[str, Any]) -> None:
    found = limits.too_large(pod(**spec))
    assert found is not None
    assert found.reason is denials.TOO_LARGE


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"containers": container(env=[{"name": "A"}] * (MANY - 2))},
        {"affinity": affinity(*[TERM] * 100)},
        {"containers": [{"name": f"c{i}", "env": [{"name": "A"}] * 20} for i in range(400)]},
    ],
)
def test_what_real_pods_have_is_looked_at(spec: dict[str, Any]) -> None:
    assert limits.too_large(pod(**spec)) is None
