"""Every integration, found by its file, and what the others read of them."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, Final

from msgspec.structs import replace

from webhook.core import integrations
from webhook.core.api.workload import Workload
from webhook.core.integrations import kubernetes
from webhook.core.integrations.field_path import PathPattern, follow_pattern
from webhook.core.integrations.integration import (
    Integration,
    KnownProgram,
    WellKnownLabel,
    WorkloadResource,
)
from webhook.core.integrations.templates import (
    KubernetesObject,
    PodTemplate,
    search_templates,
    stated_templates,
)

StatedPaths = Mapping[tuple[str | None, str], tuple[PathPattern, ...]]
"""Group and kind -> where its pods stand, as the policy states it.

No group: any but Kubernetes' own.
"""

_NONE: Final[StatedPaths] = {}
_OWN_MODULES: Final = frozenset({"field_path", "integration", "registry", "templates"})


def load_integrations(package: ModuleType) -> tuple[Integration, ...]:
    """Return what every module of a package exports as INTEGRATION, by the modules' names.

    Raises:
        TypeError: a module exports none; the message names its file.
    """
    found = []
    for name in sorted(each.name for each in pkgutil.iter_modules(package.__path__)):
        if name not in _OWN_MODULES:
            module = importlib.import_module(f"{package.__name__}.{name}")
            integration = getattr(module, "INTEGRATION", None)
            if not isinstance(integration, Integration):
                raise TypeError(f"{module.__file__}: INTEGRATION is missing, or no Integration")
            found.append(integration)
    return tuple(found)


INTEGRATIONS: Final = load_integrations(integrations)
BUILT_IN: Final = kubernetes.INTEGRATION.resources
CUSTOM: Final = tuple(
    resource
    for each in INTEGRATIONS
    if each is not kubernetes.INTEGRATION
    for resource in each.resources
)
"""Custom resources that make pods."""

_ALL: Final = (*BUILT_IN, *CUSTOM)
_BY_GROUP_KIND: Final = {(each.group, each.kind): each for each in _ALL}


def well_known_labels() -> Iterator[tuple[WellKnownLabel, str]]:
    """Yield each label with its project, in the order of the workloads."""
    found = [(label, each.project) for each in INTEGRATIONS for label in _known_labels(each)]
    order = list(Workload)
    yield from sorted(found, key=lambda each: order.index(each[0].workload))


def _known_labels(of: Integration) -> Iterator[WellKnownLabel]:
    labels = dict.fromkeys(label for each in of.resources for label in each.pod_labels)
    for each in labels:
        if each.workload:
            yield WellKnownLabel(each.key, each.workload, each.value)
    yield from of.well_known_labels


def programs() -> Iterator[tuple[KnownProgram, str]]:
    """Yield each program with its project, in the order of the integrations."""
    yield from ((program, each.project) for each in INTEGRATIONS for program in each.programs)


MODEL_KEYS: Final = tuple(key for each in INTEGRATIONS for key in each.model_keys)
"""Labels and annotations of pods that name the model that they serve."""


def resource_named(text: str) -> WorkloadResource | None:
    """Return the resource of a kind, plural or short name, in any case.

    `pytorchjobs.training.kubedl.io` names the group too, without which the first of a name counts.
    """
    wanted, _, group = text.lower().partition(".")
    found = [
        each
        for each in _ALL
        if wanted in (each.kind.lower(), each.plural, *each.short_names)
        and (not group or group in (each.group, f"{each.version}.{each.group}"))
    ]
    return found[0] if found else None


def resource_of(subject: KubernetesObject) -> WorkloadResource | None:
    """Return the resource of an object, by its kind and, where given, group."""
    kind, group = subject.get("kind"), _group_of(subject)
    if not isinstance(kind, str):
        return None
    if group is not None:
        return _BY_GROUP_KIND.get((group, kind))
    return next((each for each in _ALL if each.kind == kind), None)


def _group_of(subject: KubernetesObject) -> str | None:
    version = subject.get("apiVersion")
    return version.rpartition("/")[0] if isinstance(version, str) else None


def find_templates(subject: KubernetesObject, stated: StatedPaths = _NONE) -> Iterator[PodTemplate]:
    """Yield every pod template of an object, of resources known here or not.

    | the object | where its pods stand |
    |---|---|
    | its group and kind are in `stated`, which the policy states | there and nowhere else |
    | its kind is in `stated` without a group, and it is none of Kubernetes' own | the same |
    | of an integration | where that finds them, or where the objects embedded in it have them |
    | any other | whatever has a list of `containers` |

    The pods of an integration have what its controller copies and adds.
    """
    resource, kind = resource_of(subject), str(subject.get("kind", ""))
    patterns = stated.get((_group_of(subject), kind))
    if patterns is None and resource not in BUILT_IN:
        patterns = stated.get((None, kind))
    if patterns is not None:
        found = stated_templates(subject, patterns)
    elif resource is not None and resource.embeds:
        found = _embedded(subject, resource, stated)
    else:
        found = (resource.find_templates if resource else search_templates)(subject)
    return (_as_made(each, subject, resource) for each in found) if resource else found


def _embedded(
    subject: KubernetesObject, resource: WorkloadResource, stated: StatedPaths
) -> Iterator[PodTemplate]:
    for pattern in resource.embeds:
        for place, inner in follow_pattern(subject, pattern):
            if isinstance(inner, Mapping):
                for each in find_templates(inner, stated):
                    yield replace(each, place=(*place, *each.place))


def _as_made(
    template: PodTemplate, subject: KubernetesObject, resource: WorkloadResource
) -> PodTemplate:
    """Return a template with the metadata that the controller copies and adds."""
    if not resource.pod_labels and not resource.copies:
        return template
    own, metadata = subject.get("metadata"), template.pod.get("metadata")
    owner: KubernetesObject = own if isinstance(own, Mapping) else {}
    name = str(owner.get("name") or "unnamed")
    added = {each.key: each.value or name for each in resource.pod_labels}
    made: dict[str, Any] = dict(metadata) if isinstance(metadata, Mapping) else {}
    for key in ("labels", "annotations"):
        copied, present = owner.get(key) if key in resource.copies else None, made.get(key) or {}
        if isinstance(present, Mapping):  # anything else is left for decoding to refuse
            more = added if key == "labels" else {}
            made[key] = {**(copied if isinstance(copied, Mapping) else {}), **present, **more}
    return replace(template, pod={**template.pod, "metadata": made})
