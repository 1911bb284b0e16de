"""What an update adds to a pod."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from webhook.core.api import names
from webhook.core.api import pod as pods
from webhook.core.api.pod import Container, Metadata, Pod, PodSpec

_CONTAINERS: Final = ("containers", "init_containers", "ephemeral_containers")
_KEPT: Final = frozenset(pods.PodSpec.__struct_fields__) - {*_CONTAINERS, "tolerations"}


def added_part(old: Pod, now: Pod) -> Pod:
    """Return what an update adds to a pod, as a pod of its own.

    | field | what is kept |
    |---|---|
    | containers of each list, by name | new ones, and changed ones |
    | tolerations, annotations | what was not there |
    | labels | all, since they say what the pod is for; our strategy label if it is another |
    | any other field of the spec | if it is another: Kubernetes lets few of them change |
    """
    changed: dict[str, Any] = {
        name: getattr(now.spec, name)
        for name in _KEPT
        if getattr(now.spec, name) != getattr(old.spec, name)
    }
    for name in _CONTAINERS:
        changed[name] = _new_containers(getattr(old.spec, name), getattr(now.spec, name))
    known = frozenset(old.spec.tolerations or ())
    changed["tolerations"] = tuple(t for t in now.spec.tolerations or () if t not in known)
    return Pod(_metadata(old, now), msgspec.structs.replace(PodSpec(), **changed))


def _new_containers(
    old: Iterable[Container] | None, now: Iterable[Container] | None
) -> tuple[Container, ...]:
    known = {each.name: each for each in old or ()}
    return tuple(each for each in now or () if known.get(each.name) != each)


def _metadata(old: Pod, now: Pod) -> Metadata:
    labels, before = pods.labels(now), pods.labels(old)
    if labels.get(names.STRATEGY) == before.get(names.STRATEGY):
        labels = {key: value for key, value in labels.items() if key != names.STRATEGY}
    known = pods.annotations(old).items()
    annotations = dict(each for each in pods.annotations(now).items() if each not in known)
    return Metadata(labels=labels, annotations=annotations)
