"""GPUs that an object names beside its pods, as a net under the integrations."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from webhook.core.api import names, vocabulary
from webhook.core.checks.foreign_resources import is_foreign
from webhook.core.gpu.resources import is_gpu
from webhook.core.integrations import registry
from webhook.core.integrations.field_path import FieldPath, dotted
from webhook.core.integrations.templates import KubernetesObject, PodTemplate, list_at, mapping_at

_MOST_VALUES: Final = 50_000
_MOST_MENTIONS: Final = 20
_LONGEST_TEXT: Final = 200_000
_LONGEST_PATH: Final = 160
_AMOUNTS: Final = frozenset({"limits", "requests"})
_WORDS: Final = frozenset(
    {"gpu", "gpus"}
)  # in lists of amounts of projects with words of their own
_NOT_AMOUNTS: Final = frozenset(
    {"labels", "annotations", "matchLabels", "matchExpressions", "nodeSelector", "affinity",
     "tolerations", "taints", "status", "openAPIV3Schema", "apiVersion", "image"}
)  # fmt: skip
_RESOURCE: Final = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}/[A-Za-z0-9._-]{1,63}")
_IN_TEXT: Final = re.compile(
    r"(nvidia\.com/(?:gpu(?:\.shared)?|mig-[\w.-]+))[\"']?\s*:\s*[\"']?[\d$<{]"
)
_NO_PODS: Final = re.compile(
    r"(?:.*\.)?kueue\.x-k8s\.io|karpenter\..*|resource\.k8s\.io|scheduling\..*|policy|autoscaling.*"
    r"|kyverno\.io|policies\.kyverno\.io|.*\.gatekeeper\.sh|admissionregistration\.k8s\.io"
    r"|apiextensions\.k8s\.io|monitoring\.coreos\.com|operators\.coreos\.com|rbac\..*"
    r"|(.*\.)?cluster\.x-k8s\.io|cloud\.google\.com|nfd\..*|gpu-sharing\.io|topology\..*"
)
"""Groups of quotas, nodes, rules and schemas: they name GPUs and make no pod of what they name."""


class Mention(Struct, frozen=True):
    """A name of a GPU in an object, and where it stands."""

    path: str
    name: str

    def text(self, longest: int = _LONGEST_PATH) -> str:
        """Return what people read after the name of the object."""
        return (
            f"{self.path[:longest]} names {self.name}, but no pod is found there, so it was not "
            "reviewed; say where the pods stand: podTemplates in the policy"
        )


def stray_keys(subject: Mapping[str, Any], templates: Iterable[PodTemplate]) -> tuple[str, ...]:
    """Return a warning for each key of ours that does not reach the pods."""
    resource = registry.resource_of(subject)
    copied = resource.copies if resource else frozenset[str]()
    place = next((each.path for each in templates), "")
    if not place:  # no pod, or one that is the object itself
        return ()
    where = (
        f"{place[:_LONGEST_PATH]}.metadata"
        if resource in registry.BUILT_IN
        else place[:_LONGEST_PATH]
    )
    return vocabulary.stray_keys(subject.get("metadata"), copied, where)


def unread_mentions(
    subject: KubernetesObject, templates: Iterable[PodTemplate]
) -> tuple[Mention, ...]:
    """Return what names a GPU in an object outside the pods found in it.

    | there | a mention |
    |---|---|
    | a key that is a GPU's resource name, or that of another plugin's share | yes |
    | `gpu` in `limits` or `requests` | yes, of nvidia.com/gpu |
    | a text that is such a name, or has `nvidia.com/gpu: 1` in it, but not in a pod found | yes |
    | a label, an annotation, a selector, a taint or a toleration | no |
    | any in an object that describes quotas, nodes or rules | no |

    What a pod got in an integration's words counts as read, once for each pod that got it.
    """
    if not _may_make_pods(subject):
        return ()
    pods = list(templates)
    amounts = [at for each in pods for at in _amounts(each.pod.get("spec"))]
    read, own = {id(at) for at in amounts}, set[int]()
    found = list(_mentions(subject, _Reading(read, own, tuple(each.place for each in pods))))
    made = [at for at in amounts if id(at) not in own]
    given = Counter(name for at in made for name in at if _is_name(name))
    left: list[Mention] = []
    for each in found:
        if given[each.name] > 0:
            given[each.name] -= 1
        else:
            left.append(each)
    return tuple(left[:_MOST_MENTIONS])


class _Reading(Struct, frozen=True):
    """What a walk skips, by identity, what it passed, and where pods stand."""

    read: set[int]
    passed: set[int]
    places: tuple[FieldPath, ...]

    def in_pod(self, path: FieldPath) -> bool:
        """Tell whether a path is below a pod that was found."""
        return any(path[: len(place)] == place for place in self.places)


def _may_make_pods(subject: KubernetesObject) -> bool:
    version, kind = subject.get("apiVersion"), subject.get("kind")
    group, core, _ = version.rpartition("/") if isinstance(version, str) else ("", "", "")
    if not core:
        return kind in ("ConfigMap", "Pod", "PodTemplate", "ReplicationController")
    return _NO_PODS.fullmatch(group) is None


def _amounts(spec: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the `limits` and `requests` of a pod's containers."""
    for key in ("containers", "initContainers"):
        for each in list_at(spec, key):
            resources = mapping_at(each, "resources")
            yield from (at for at in resources.values() if isinstance(at, Mapping))


def _mentions(subject: KubernetesObject, reading: _Reading) -> Iterator[Mention]:
    """Yield every mention, depth first, of very large objects those at the beginning."""
    pending: list[tuple[FieldPath, Any]] = [((key,), subject[key]) for key in reversed([*subject])]
    left = _MOST_VALUES
    while pending and left:
        path, here = pending.pop()
        left -= 1
        reading.passed.add(id(here))
        if id(here) in reading.read or path[-1] in _NOT_AMOUNTS:
            continue
        if isinstance(here, Mapping):
            for key in here:
                if _is_name(key) or (key in _WORDS and path[-1] in _AMOUNTS):
                    name = key if _is_name(key) else names.GPU
                    yield Mention(dotted((*path, key)), name)
            pending += [((*path, key), here[key]) for key in reversed([*here])]
        elif isinstance(here, list):
            pending += [((*path, index), each) for index, each in reversed([*enumerate(here)])]
        elif isinstance(here, str) and not reading.in_pod(path):
            name = _named_in(here)
            if name:
                yield Mention(dotted(path), name)


def _is_name(key: Any) -> bool:
    if not isinstance(key, str) or not _RESOURCE.fullmatch(key):
        return False
    return is_gpu(key) or is_foreign(key)


def _named_in(text: str) -> str | None:
    if _is_name(text):
        return text
    found = _IN_TEXT.search(text[:_LONGEST_TEXT]) if names.NVIDIA in text else None
    return found[1] if found else None
