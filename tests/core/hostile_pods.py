"""Pods of the API server's largest size, each of which is made of one thing, or of many."""

import json
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import msgspec

from webhook.core.api import limits
from webhook.core.api.pod import Pod

Json = dict[str, Any]

LARGEST = 3 * 1024 * 1024
"""Bytes of a request that the API server reads (apiserver, `MaxRequestBodyBytes`)."""
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_ROOM = 4096  # bytes for what stands around the entries


def _container(**fields: Any) -> Json:
    limits = {"limits": {"nvidia.com/gpu": "1"}}
    return {"name": "c", "image": "i", "resources": limits} | fields


def _pod(metadata: Json | None = None, **spec: Any) -> Json:
    labels = {"gpu-sharing.io/workload": "inference"}
    about = {"name": "p", "labels": labels, **(metadata or {})}
    whole = {"containers": [_container()]} | spec
    return {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": whole}


def _terms(terms: list[Json]) -> Json:
    return _pod(affinity={"nodeAffinity": {_REQUIRED: {"nodeSelectorTerms": terms}}})


def _with(**fields: Any) -> Json:
    return _pod(containers=[_container(**fields)])


def _keyed(entries: list[Any]) -> dict[str, Any]:
    return {f"k{number}": each for number, each in enumerate(entries)}


def _expression(values: list[str]) -> Json:
    return {"key": "kubernetes.io/hostname", "operator": "In", "values": values}


_LISTS: dict[str, tuple[Any, Callable[[list[Any]], Json]]] = {
    "empty containers": ({}, lambda many: _pod(containers=[_container(), *many])),
    "init containers": (
        {"name": "c", "resources": {"limits": {"nvidia.com/gpu": "1"}}},
        lambda many: _pod(initContainers=many),
    ),
    "ephemeral containers": ({"name": "e"}, lambda many: _pod(ephemeralContainers=many)),
    "gpu containers": (_container(), lambda many: _pod(containers=many)),
    "env": ({"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}, lambda many: _with(env=many)),
    "env in two lists": (
        {"name": "CUDA_MPS_A", "value": "$(A)"},
        lambda many: _pod(
            containers=[_container(env=many[::2])],
            initContainers=[_container(name="i", env=many[1::2])],
        ),
    ),
    "envFrom": ({}, lambda many: _with(envFrom=many)),
    "volumeMounts": (
        {"name": "v", "mountPath": "/var/run/nvidia-container-devices/all"},
        lambda many: _with(volumeMounts=many),
    ),
    "capabilities": (
        "SYS_ADMIN",
        lambda many: _with(securityContext={"capabilities": {"add": many}}),
    ),
    "claims": ({"name": "a"}, lambda many: _with(resources={"claims": many})),
    "limits": ("1", lambda many: _with(resources={"limits": _keyed(many)})),
    "device limits": (
        "1",
        lambda many: _with(
            resources={"limits": {f"nvidia.com/mig-1g.{n}gb": each for n, each in enumerate(many)}}
        ),
    ),
    "requests": (1, lambda many: _with(resources={"requests": _keyed(many)})),
    "host paths": (
        {"name": "v", "hostPath": {"path": "/mnt/" + "a" * 200}},
        lambda many: _pod(volumes=many),
    ),
    "volumes": ({"name": "v", "emptyDir": {}}, lambda many: _pod(volumes=many)),
    "tolerations": ({"key": "a", "operator": "Exists"}, lambda many: _pod(tolerations=many)),
    "resource claims": ({"name": "a"}, lambda many: _pod(resourceClaims=many)),
    "node selector": ("x", lambda many: _pod(nodeSelector=_keyed(many))),
    "terms": (
        {"matchExpressions": [_expression(["a"])]},
        _terms,
    ),
    "requirements": (
        {"key": "nvidia.com/gpu.product", "operator": "DoesNotExist"},
        lambda many: _terms([{"matchExpressions": many}]),
    ),
    "fields": (
        {"key": "metadata.name", "operator": "In", "values": ["a"]},
        lambda many: _terms([{"matchFields": many}]),
    ),
    "values": ("node-1", lambda many: _terms([{"matchExpressions": [_expression(many)]}])),
    "labels": ("", lambda many: _pod({"labels": _keyed(many)})),
    "annotations": ("", lambda many: _pod({"annotations": _keyed(many)})),
    "owners": ({"kind": "A", "name": "a", "uid": "u"}, lambda m: _pod({"ownerReferences": m})),
    "managed fields": (
        {"manager": "m", "fieldsV1": {"f:spec": {"f:a": {}}}},
        lambda many: _pod({"managedFields": many}),
    ),
    "unknown objects": ({}, lambda many: _pod(unknown=many)),
    "value sources": ([], lambda many: _with(env=[{"name": "A", "valueFrom": {"a": many}}])),
}
_TEXTS: dict[str, tuple[str, Callable[[str], Json]]] = {
    "a host path": ("/./", lambda t: _pod(volumes=[{"name": "v", "hostPath": {"path": t}}])),
    "a host path back": ("/a/..", lambda t: _pod(volumes=[{"name": "v", "hostPath": {"path": t}}])),
    "a mount path": ("/ ", lambda t: _with(volumeMounts=[{"name": "v", "mountPath": t}])),
    "a path of an ending": ("/ ", lambda t: _with(terminationMessagePath=t)),
    "a capability": (" ", lambda t: _with(securityContext={"capabilities": {"add": [t]}})),
    "a value": ("0=1M,", lambda t: _with(env=[{"name": "CUDA_MPS_A", "value": t}])),
    "a memory limit": (
        "0=1M,",
        lambda t: _with(env=[{"name": "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT", "value": t}]),
    ),
    "a variable": ("NVIDIA_", lambda t: _with(env=[{"name": t, "value": t[:9]}])),
    "a resource": ("nvidia.com/mig-", lambda t: _with(resources={"limits": {t: "1"}})),
    "a quantity": ("9", lambda t: _with(resources={"limits": {"nvidia.com/gpu": t}})),
    "a quantity's number": (
        "9",
        lambda t: _with(resources={"limits": {"nvidia.com/gpu": int(t[:4000])}}),
    ),
    "a memory": ("9", lambda t: _pod({"annotations": {"gpu-sharing.io/gpu-memory": t}})),
    "a profile": ("1g.", lambda t: _pod({"annotations": {"gpu-sharing.io/mig-profile": t}})),
    "a workload": ("a", lambda t: _pod({"labels": {"gpu-sharing.io/workload": t}})),
    "a tenant": ("\U0001f600", lambda t: _pod({"labels": {"gpu-sharing.io/tenant": t}})),
    "a list of devices": (
        "x,",
        lambda t: _pod({"annotations": {"io.kubernetes.cri-o.Devices": t}}),
    ),
    "a path of devices": (
        "/./",
        lambda t: _pod({"annotations": {"io.kubernetes.cri-o.Devices": t}}),
    ),
    "devices": ("/dev/", lambda t: _pod({"annotations": {"a": t}})),
    "steps back": ("/../", lambda t: _pod({"annotations": {"a": f"/dev/{t}"}})),
    "a resource of another": ("x.", lambda t: _with(resources={"limits": {t: "1"}})),
    "a key that shares": ("run.ai/", lambda t: _pod({"labels": {t: ""}})),
    "an annotation's key": ("cdi.k8s.io.", lambda t: _pod({"annotations": {t: ""}})),
    "an old decision": (
        "{},",
        lambda t: _pod({"annotations": {"gpu-sharing.io/decision": f'{{"containers":[{t}{{}}]}}'}}),
    ),
    "a name": ("a", lambda t: _pod({"name": t})),
    "a container's name": ("\u20ac", lambda t: _with(name=t)),
    "a node's name": ("a", lambda t: _pod(nodeName=t)),
    "a runtime class": ("NVIDIA", lambda t: _pod(runtimeClassName=t)),
    "a key of an affinity": (
        "a",
        lambda t: _terms([{"matchExpressions": [{"key": t, "operator": "Exists"}]}]),
    ),
    "a wide letter": ("a", lambda t: _pod({"annotations": {"a": t[:-4] + "\U0001f600"}})),
    "a managed field": ("{", lambda t: _pod({"managedFields": [{"manager": t}]})),
}


def _text(made: Json) -> str:
    try:
        return msgspec.json.encode(made).decode()  # five times as fast
    except OverflowError:
        return json.dumps(made)  # a number of more than 64 bits


def largest() -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield what each pod is made of, and what makes its JSON, as large as the API server takes."""
    for name, (entry, build) in _LISTS.items():
        size = len(_text(entry).encode()) + 1
        wide = 12 if isinstance(entry, str | int) and "node" not in name else 0
        yield name, partial(_repeated, build, [entry], (LARGEST - _ROOM) // (size + wide))
    for name, (part, spell) in _TEXTS.items():
        size = len(part.encode()) * (2 if name == "a managed field" else 1)
        yield name, partial(_repeated, spell, part, (LARGEST - _ROOM) // size)
    yield "lists in lists", _nested


def _repeated(build: Callable[[Any], Json], one: Any, many: int) -> str:
    return _text(build(one * many))


def _nested() -> str:
    deep = (LARGEST - _ROOM) // 2
    return _text(_pod()).replace('"i"', "[" * deep + "]" * deep, 1)


def just_fitting() -> Iterator[tuple[str, Callable[[], Json]]]:
    """Yield how pods of one kind are made, of as much of it as is looked at, and of a tenth."""
    for name in _LISTS:
        yield f"most {name}", lambda name=name: _made_of(name, _most(name))
        yield f"a tenth of most {name}", lambda name=name: _made_of(name, _most(name) // 10)
    for name in _TEXTS:
        yield f"most in {name}", lambda name=name: _made_of(name, _most(name))


def _made_of(name: str, many: int) -> Json:
    if name in _LISTS:
        entry, build = _LISTS[name]
        return build([entry] * many)
    part, spell = _TEXTS[name]
    return spell(part * many)


@cache
def _most(name: str) -> int:
    """Return the largest number of entries or parts whose pod is looked at."""

    def is_over(many: int) -> bool:
        made = _made_of(name, many)
        pod = msgspec.convert(made, Pod, strict=False)
        return limits.too_large(pod) is not None or not limits.is_decoded(_text(made).encode())

    # First by doubling: what is over the most is read as slowly as it is large.
    high = next((2**power for power in range(17) if is_over(2**power)), limits.MOST_BYTES // 8)
    return bisect_left(range(1, high), True, key=is_over)  # noqa: FBT003
