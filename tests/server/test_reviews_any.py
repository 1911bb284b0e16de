"""Whatever becomes of a valid review on its way: an answer, no 500, and a patch that applies."""

import contextlib
import copy
import json
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webhook_process import SIDES, Json, Webhook, patched, question

Path = tuple[str | int, ...]

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def gpus(count: str, **more: Any) -> Json:
    return {
        "limits": {"nvidia.com/gpu": count, "cpu": "1"},
        "requests": {"nvidia.com/gpu": count},
    } | more


POD: Json = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "generateName": "web-",
        "labels": {"gpu-sharing.io/workload": "inference", "app": "web"},
        "annotations": {"gpu-sharing.io/gpu-memory": "1Gi", "gpu-sharing.io/decision": "{}"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "web", "uid": "1", "controller": True}],
    },
    "spec": {
        "initContainers": [
            {"name": "load", "image": "a", "resources": gpus("1")},
            {"name": "side", "image": "b", "restartPolicy": "Always", "env": None},
        ],
        "containers": [
            {
                "name": "main",
                "image": "c",
                "env": [
                    {"name": "A", "value": "b"},
                    {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                ],
                "resources": gpus("1", claims=[{"name": "c"}]),
            },
            {"name": "idle", "image": "d"},
        ],
        "ephemeralContainers": [{"name": "debugger", "image": "e"}],
        "nodeSelector": {"nvidia.com/mig.capable": "true"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {
            "nodeAffinity": {
                REQUIRED: {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {"key": "nvidia.com/gpu.memory", "operator": "Gt", "values": ["4"]},
                                {"key": "nvidia.com/gpu.product", "operator": "Exists"},
                            ],
                            "matchFields": [
                                {"key": "metadata.name", "operator": "NotIn", "values": ["n"]}
                            ],
                        }
                    ]
                }
            }
        },
        "volumes": [{"name": "v", "emptyDir": {}}],
    },
}
OLD: Json = copy.deepcopy(POD) | {"status": {"phase": "Running"}}


def nodes(at: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every value below one, itself too."""
    yield path
    steps = at.items() if isinstance(at, dict) else enumerate(at) if isinstance(at, list) else ()
    for key, value in steps:
        yield from nodes(value, (*path, key))


ASKED = question(POD, oldObject=OLD)
PLACES = [path for path in nodes(ASKED) if path]
TEXTS = [path for path in PLACES if isinstance(reduce(getitem, path, ASKED), str)]  # type: ignore[arg-type]

odd_texts = st.one_of(
    st.sampled_from(
        [
            *("", " ", "\0", "\ud800", "\u2028", "~", "/", "~1", "$.a", "`$", "${x}", "%s", "{}"),
            *(
                "1e9",
                "1e99999",
                "-1",
                "NaN",
                "\u0663",
                "\uff11",
                "20Gi",
                "1g.5gb",
                "8g.999gb+me",
                "x" * 5000,
            ),
            *("In", "Gt", "Exists", "Always", "Pod", "CREATE", "UPDATE", "DELETE", "tenant"),
            *("nvidia.com/gpu", "nvidia.com/gpu.shared", "nvidia.com/mig-1g.5gb", "team-blue"),
        ]
    ),
    st.text(max_size=10),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**40, 1e308, 5e-324, -0.0, 0.5, 1.0]),
    odd_texts,
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_texts, inner, max_size=3),
    max_leaves=5,
)
GONE = object()
changes = st.lists(  # half of them texts for texts: what has another type is refused unread
    st.tuples(st.sampled_from(PLACES), values | st.just(GONE))
    | st.tuples(st.sampled_from(TEXTS), odd_texts),
    min_size=1,
    max_size=4,
)


def changed(root: Json, path: Path, value: Any) -> None:
    """Replace or remove one value, where an earlier change has not removed its place."""
    at: Any = root
    with contextlib.suppress(KeyError, IndexError, TypeError):
        for step in path[:-1]:
            at = at[step]
        if value is GONE:
            del at[path[-1]]
        else:
            at[path[-1]] = copy.deepcopy(value)


@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(changes=changes, path=st.sampled_from(SIDES))
def test_any_review_is_answered_with_a_decision_or_with_what_is_wrong_with_it(
    webhook: Webhook, changes: list[tuple[Path, Any]], path: str
) -> None:
    asked = copy.deepcopy(ASKED)
    for place, value in changes:
        changed(asked, place, value)

    reply = webhook.post(path, json.dumps(asked).encode())

    assert reply.status in {200, 400}, (reply.status, reply.text)
    if reply.status == 400:
        assert " - at `$" in reply.text or "not JSON" in reply.text or "expected " in reply.text
        return
    response = reply.response
    assert response["uid"] == asked["request"]["uid"]
    assert isinstance(response["allowed"], bool)
    assert path == "/mutate" or "patch" not in response
    assert not path.startswith("/audit") or response["allowed"]
    assert all(len(warning) <= 120 for warning in response.get("warnings", ()))
    if "patch" in response:
        applies(webhook, asked, response)


def applies(webhook: Webhook, asked: Json, response: Json) -> None:
    """The patch applies, a second run is empty, and the validating side lets the result in."""
    after = patched(asked["request"]["object"], response)
    again = webhook.post("/mutate", json.dumps(with_object(asked, after)).encode()).response
    assert again["allowed"]
    assert "patch" not in again
    if asked["request"]["operation"] == "CREATE":
        body = json.dumps(with_object(asked, after)).encode()
        assert webhook.post("/validate", body).response["allowed"]


def with_object(asked: Json, pod: Json) -> Json:
    return asked | {"request": asked["request"] | {"object": pod}}


def test_the_review_that_is_changed_is_a_good_one(webhook: Webhook) -> None:
    response = webhook.review("/mutate", ASKED)
    assert response["allowed"], response["status"]["message"]
    applies(webhook, ASKED, response)
