"""A pod is asked about if it has too many parts, whatever they are, and not if it has many."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from deploy.generate.checks import LOOKED_AT
from deploy.generate.sizes import FEW, FEW_CHARACTERS
from tests.cel import admitted, rendered
from tests.cel.evaluator import Evaluator
from tests.cel.protocol import Case, Json
from webhook.core.api.limits import MOST_PARTS, too_large
from webhook.core.api.pod import Pod

INSTALL = rendered.read()
MUTATE = INSTALL.webhook("mutate.gpu-sharing.io")
VALIDATE = INSTALL.webhook("validate.gpu-sharing.io")
BACKSTOP = INSTALL.policy("gpu-sharing-backstop")
ENTRIES: dict[str, Any] = {"values": "a", "add": "CHOWN", "envFrom": {"prefix": "A"}}
MAPPED = ("nodeSelector", "labels", "annotations", "limits", "requests")
ALWAYS_ASKED = ("o.spec.resourceClaims", "c.resources.claims")
STRATEGY = "gpu-sharing.io/strategy"
OWN = {
    "whole": ("nvidia.com/gpu", "nvidia.com/gpu.sharing-strategy"),
    "slice": ("nvidia.com/mig-1g.5gb", "nvidia.com/mig-1g.5gb.sharing-strategy"),
}
"""Names and labels of devices that no other pod uses."""
NAMES = "c.resources.requests"
CHEAP = 1400
"""What a pod of two containers with ten variables each costs is about 1,200."""


@pytest.fixture(scope="module")
def judge() -> Iterator[Evaluator]:
    with Evaluator(VALIDATE.rules) as evaluator:
        yield evaluator


def asked(
    judge: Evaluator, pod: Json, owner: rendered.Webhook | rendered.Policy = VALIDATE
) -> bool | None:
    least = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}}
    [judged] = judge.judge([Case(merged(pod, least))])
    return judged.matches(each.name for each in owner.conditions)


def entries(name: str, many: int) -> Any:
    """So many harmless entries of a list or map."""
    if name in MAPPED:
        return {f"example.com/{number}": "1" for number in range(many)}
    entry = ENTRIES.get(name, {"name": "a", "key": "a", "mountPath": "/a"})
    return [entry] * many


def nested(path: str, many: int) -> Json:
    """What is at a path of FEW, inside of what it is a part of."""
    found: Any = entries(path.rpartition(".")[2], many)
    for step in reversed(path.split(".")[1:]):
        found = {step: found}
    return dict(found)


def pod_with(path: str, many: int) -> Json:
    """A pod with so many entries at a path of FEW."""
    found = nested(path, many)
    if path.startswith("o."):
        return found
    if path.startswith("c."):
        return {"spec": {"containers": [{"name": "c"} | found]}}
    terms = [found if path.startswith("t.") else {"matchExpressions": [{"key": "k"} | found]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return {"spec": {"affinity": {"nodeAffinity": required}}}


def merged(one: Any, other: Any) -> Any:
    """Both maps, and what is in both."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return one
    return {**other, **{key: merged(each, other.get(key)) for key, each in one.items()}}


def of(letter: str) -> Json:
    """A pod, container, term or expression with as much as FEW says of each list."""
    whole: Json = {}
    for path, many in FEW.items():
        if path.startswith(f"{letter}."):
            whole = merged(whole, nested(path, many))
    return whole


def test_a_pod_of_no_longer_lists_is_looked_at() -> None:
    whole, term = of("o"), of("t")
    spec, container = whole["spec"], {"name": "c"} | of("c")
    for each in ("containers", "initContainers"):
        spec[each] = [container] * len(spec[each])
    term["matchExpressions"] = [{"key": "k", "operator": "In"} | of("e")] * len(
        term["matchExpressions"]
    )
    required = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    required["nodeSelectorTerms"] = [term] * len(required["nodeSelectorTerms"])
    long = (f"{number}".rjust(317, "k") for number in range(FEW["o.metadata.annotations"]))
    whole["metadata"]["annotations"] = dict.fromkeys(long, "x" * FEW_CHARACTERS)
    assert too_large(msgspec.convert(whole, Pod, strict=False)) is None


@pytest.mark.parametrize("path", FEW)
def test_a_longer_list_alone_is_no_reason_and_a_too_long_one_is(
    judge: Evaluator, path: str
) -> None:
    assert asked(judge, pod_with(path, FEW[path] + 1)) is (path in ALWAYS_ASKED)
    assert asked(judge, pod_with(path, MOST_PARTS + 1)) is True


@pytest.mark.parametrize(("size", "large"), [(FEW_CHARACTERS + 1, False), (300_000, True)])
def test_an_annotation_is_too_long(judge: Evaluator, size: int, *, large: bool) -> None:
    assert asked(judge, {"metadata": {"annotations": {"a": "x" * size}}}) is large


def test_mutate_is_asked_where_it_might_miss_a_device() -> None:
    with Evaluator(MUTATE.rules) as evaluator:
        for path, beside in (("o.spec.containers", 0), ("o.spec.initContainers", 1), (NAMES, 0)):
            sizes = (LOOKED_AT - beside, LOOKED_AT - beside + 1)
            told = [asked(evaluator, pod_with(path, each), MUTATE) for each in sizes]
            assert told == [False, True]


@pytest.mark.parametrize("placed", OWN)
def test_a_device_of_its_own_is_no_reason_for_the_backstop(placed: str) -> None:
    name, key = OWN[placed]
    here = {"key": key, "operator": "In", "values": ["none"]}
    absent = {"key": "nvidia.com/gpu.slices.gi", "operator": "DoesNotExist"}
    required = {"nodeSelectorTerms": [{"matchExpressions": [here, absent]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    container: Json = {"name": "c", "resources": {"limits": {name: "1"}}}
    pod: Json = {"spec": {"affinity": affinity, "containers": [container]}}
    changes: dict[str, Json] = {
        "mig": {"metadata": {"labels": {STRATEGY: "mig"}}},
        "mps": {"metadata": {"labels": {STRATEGY: "mps"}}},
        "pool": {"spec": {"nodeSelector": {"gpu-sharing.io/tenant": "blue"}}},
        "way around": {"spec": {"hostPID": True}},
    }
    with Evaluator(BACKSTOP.rules) as evaluator:
        told = {
            name: asked(evaluator, merged(pod, change), BACKSTOP)
            for name, change in changes.items()
        }
    assert told == dict.fromkeys(changes, True) | {"mig": False}


def test_what_only_a_gpu_makes_wrong_is_a_reason_for_the_backstop() -> None:
    auto = {"compute-type": "auto", "instance-gpu-manufacturer": "nvidia"}
    selector = {f"eks.amazonaws.com/{key}": value for key, value in auto.items()}
    mps = selector | {"nvidia.com/gpu.sharing-strategy": "mps"}
    container: Json = {"name": "c", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    pods = [
        {"spec": {"nodeSelector": mps, "containers": [container | more]}}
        for more in (
            {},
            {"envFrom": [{"configMapRef": {"name": "a"}}]},
            {"volumeMounts": [{"name": "v", "mountPath": "/dev/shm"}]},  # noqa: S108
        )
    ]
    with Evaluator(BACKSTOP.rules) as evaluator:
        assert [asked(evaluator, pod, BACKSTOP) for pod in pods] == [False, True, True]


def test_most_pods_cost_little() -> None:
    for owner in (VALIDATE, BACKSTOP):
        names = tuple(each.name for each in owner.conditions)
        case = admitted.case(owner.name, 2, operation="CREATE", breaking=False)
        with Evaluator(owner.rules) as evaluator:
            [judged] = evaluator.judge([Case(case.object, only=names)])
        assert not judged.matches(names)
        assert sum(result.cost for result in judged.results.values()) < CHEAP
