"""Pod templates in Kubernetes objects, by the ways in which projects write them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from webhook.core.integrations.field_path import FieldPath, PathPattern, dotted, follow_pattern

KubernetesObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PodTemplate:
    """A pod template's place in its object, and the Pod made of it."""

    place: FieldPath
    pod: dict[str, Any]

    @property
    def path(self) -> str:
        """The place as people read it."""
        return dotted(self.place)


TemplateFinder = Callable[[KubernetesObject], Iterator[PodTemplate]]
"""Yields the pod templates of an object."""


def search_templates(subject: KubernetesObject) -> Iterator[PodTemplate]:
    """Yields whatever below `spec` has a list of `containers`.

    `metadata` beside a pod's `spec` is the pod's. Most projects' objects look so: PyTorchJob,
    RayCluster, JobSet, LeaderWorkerSet, Notebook. Depth first, without recursion.
    """
    pending: list[tuple[FieldPath, Any]] = [(("spec",), subject.get("spec"))]
    while pending:
        place, here = pending.pop()
        if isinstance(here, Mapping):
            spec = here.get("spec")
            if is_pod_spec(spec):
                yield PodTemplate(place, pod_of(here.get("metadata"), spec))
            elif is_pod_spec(here):
                yield PodTemplate(place, pod_of(here, here))
            else:
                pending.extend(((*place, key), here[key]) for key in reversed(list(here)))
        elif isinstance(here, list):
            numbered = reversed(list(enumerate(here)))
            pending.extend(((*place, index), value) for index, value in numbered)


def stated_templates(
    subject: KubernetesObject, patterns: tuple[PathPattern, ...]
) -> Iterator[PodTemplate]:
    """Yields what stands at these places of an object, each place once.

    | there | the pod |
    |---|---|
    | a mapping with a `spec` | that spec, with the `metadata` beside it |
    | a mapping with `resources` and no `containers` | one container, and the rest as its spec |
    | another mapping | that as its spec, with `labels` and `annotations` of its own |
    | null | none |
    | anything else | left as it is: decoding it will say what is wrong |
    """
    found = dict(place for pattern in patterns for place in follow_pattern(subject, pattern))
    for place, at in found.items():
        if isinstance(at, Mapping):
            yield PodTemplate(place, _pod_at(at))
        elif at is not None:
            yield PodTemplate(place, {"spec": at})


def _pod_at(at: KubernetesObject) -> dict[str, Any]:
    if isinstance(at.get("spec"), Mapping):
        return pod_of(at.get("metadata"), at["spec"])
    if "containers" not in at and isinstance(at.get("resources"), Mapping):
        return pod_of(at, {**at, "containers": [container_of("main", at)]})
    return pod_of(at, at)


def is_pod_spec(value: Any) -> TypeGuard[KubernetesObject]:
    """Tells whether a value has a list of `containers`."""
    containers = value.get("containers") if isinstance(value, Mapping) else None
    return isinstance(containers, list) and all(isinstance(c, Mapping) for c in containers)


def container_of(name: str, parts: KubernetesObject) -> dict[str, Any]:
    """Returns a container with what these parts say of its GPUs."""
    return {"name": name} | {key: parts[key] for key in ("resources", "env") if key in parts}


def pod_of(metadata: Any, spec: KubernetesObject) -> dict[str, Any]:
    """Returns the Pod with this spec, and the labels and annotations of this metadata."""
    given = metadata if isinstance(metadata, Mapping) else {}
    labels, annotations = given.get("labels") or {}, given.get("annotations") or {}
    return {"metadata": {"labels": labels, "annotations": annotations}, "spec": spec}
