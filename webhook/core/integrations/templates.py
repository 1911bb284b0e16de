"""Pod templates in Kubernetes objects, by the ways in which projects write them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeGuard

from msgspec import Struct

from webhook.core.integrations.field_path import FieldPath, PathPattern, dotted, follow_pattern

KubernetesObject = Mapping[str, Any]

_OF_CONTAINER: Final = (
    "resources", "env", "envFrom", "command", "args", "securityContext", "volumeMounts",
)  # fmt: skip


class PodTemplate(Struct, frozen=True):
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
    """Yield whatever below `spec` has a list of `containers`.

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
    subject: KubernetesObject, patterns: tuple[PathPattern, ...], mains: tuple[str, ...] = ()
) -> Iterator[PodTemplate]:
    """Yield what stands at these places of an object, each place once.

    | there | the pod |
    |---|---|
    | a mapping with a `spec` | that spec, with the `metadata` beside it |
    | a mapping with a container at a key of `mains` | the rest as its spec, with that container |
    | another mapping without `containers`, where `mains` are given | none |
    | a mapping with `resources` and no `containers` | one container, and the rest as its spec |
    | another mapping | that as its spec, with `labels` and `annotations` of its own |
    | null | none |
    | anything else | left as it is: decoding it will say what is wrong |
    """
    found = dict(place for pattern in patterns for place in follow_pattern(subject, pattern))
    for place, at in found.items():
        if isinstance(at, Mapping):
            if not mains or any(key in at for key in (*mains, "containers")):
                yield PodTemplate(place, _pod_at(at, mains))
        elif at is not None:
            yield PodTemplate(place, {"spec": at})


def _pod_at(at: KubernetesObject, mains: tuple[str, ...]) -> dict[str, Any]:
    if isinstance(at.get("spec"), Mapping):
        return pod_of(at.get("metadata"), at["spec"])
    keys = [key for key in mains if isinstance(at.get(key), Mapping)]
    if keys:
        return with_containers(at, [container_of(key, at[key]) for key in keys])
    if "containers" not in at and isinstance(at.get("resources"), Mapping):
        return with_containers(at, [container_of("main", at)])
    return pod_of(at, at)


def with_containers(spec: KubernetesObject, more: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the Pod of a spec that has some of its containers elsewhere."""
    present = spec.get("containers") or []
    listed = [*more, *present] if isinstance(present, list) else present
    return pod_of(spec, {**spec, "containers": listed})


def is_pod_spec(value: Any) -> TypeGuard[KubernetesObject]:
    """Tell whether a value has a list of `containers`."""
    containers = value.get("containers") if isinstance(value, Mapping) else None
    return isinstance(containers, list) and all(isinstance(c, Mapping) for c in containers)


def mapping_at(at: Any, key: str) -> KubernetesObject:
    """Return the mapping at a key, an empty one where there is none."""
    found = at.get(key) if isinstance(at, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def list_at(at: Any, key: str) -> list[Any]:
    """Return the list at a key, an empty one where there is none."""
    found = at.get(key) if isinstance(at, Mapping) else None
    return found if isinstance(found, list) else []


def container_of(name: str, parts: KubernetesObject) -> dict[str, Any]:
    """Return a container with what these parts say of it.

    An image may be a mapping with `repository`, as the NIM Operator's is.
    """
    made = {"name": name} | {key: parts[key] for key in _OF_CONTAINER if key in parts}
    image = parts.get("image")
    if isinstance(image, Mapping):
        image = image.get("repository")
    return made | ({"image": image} if isinstance(image, str) else {})


def pod_of(metadata: Any, spec: KubernetesObject) -> dict[str, Any]:
    """Return the Pod with this spec, and the labels and annotations of this metadata."""
    given = metadata if isinstance(metadata, Mapping) else {}
    labels, annotations = given.get("labels") or {}, given.get("annotations") or {}
    return {"metadata": {"labels": labels, "annotations": annotations}, "spec": spec}
