"""Every integration, found by its file, and what the others read of them."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any, Final

from webhook.core import integrations
from webhook.core.api.workload import Workload
from webhook.core.integrations import kubernetes
from webhook.core.integrations.field_path import PathPattern
from webhook.core.integrations.integration import Integration, WellKnownLabel, WorkloadResource
from webhook.core.integrations.templates import (
    KubernetesObject,
    PodTemplate,
    search_templates,
    stated_templates,
)

StatedPaths = Mapping[str, tuple[PathPattern, ...]]
"""Kind -> where its pods stand, as the policy states it."""

_NONE: Final[StatedPaths] = {}
_OWN_MODULES: Final = frozenset({"field_path", "integration", "registry", "templates"})


def load_integrations(package: ModuleType) -> tuple[Integration, ...]:
    """Returns what every module of a package exports as INTEGRATION, by the modules' names.

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


def well_known_labels() -> Iterator[tuple[WellKnownLabel, str]]:
    """Yields each label with its project, in the order of the workloads."""
    found = [(label, each.project) for each in INTEGRATIONS for label in each.well_known_labels]
    order = list(Workload)
    yield from sorted(found, key=lambda each: order.index(each[0].workload))


def resource_named(text: str) -> WorkloadResource | None:
    """Returns the resource of a kind, plural or short name, in any case."""
    wanted = text.lower().split(".", 1)[0]
    names = ((each, (each.kind.lower(), each.plural, *each.short_names)) for each in _ALL)
    return next((each for each, spellings in names if wanted in spellings), None)


def resource_of(subject: KubernetesObject) -> WorkloadResource | None:
    """Returns the resource of an object, by its kind and, where given, group."""
    kind, version = subject.get("kind"), subject.get("apiVersion")
    group = version.rpartition("/")[0] if isinstance(version, str) else None
    same = (each for each in _ALL if each.kind == kind and group in (None, each.group))
    return next(same, None)


def find_templates(subject: KubernetesObject, stated: StatedPaths = _NONE) -> Iterator[PodTemplate]:
    """Yields every pod template of an object, of resources known here or not.

    | the object's kind | where its pods stand |
    |---|---|
    | in `stated`, which the policy states | at those paths and nowhere else |
    | of an integration | where that finds them |
    | any other | whatever has a list of `containers` |

    The pods of an integration have the labels that its controller will add.
    """
    resource = resource_of(subject)
    patterns = stated.get(str(subject.get("kind", "")))
    if patterns is not None:
        found = stated_templates(subject, patterns)
    else:
        found = (resource.find_templates if resource else search_templates)(subject)
    added = _controller_labels(resource, subject) if resource else {}
    return (_labelled(each, added) for each in found) if added else found


def _controller_labels(resource: WorkloadResource, subject: KubernetesObject) -> dict[str, str]:
    metadata = subject.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    own = str(name or "unnamed")
    return {each.key: own if each.value is None else each.value for each in resource.pod_labels}


def _labelled(template: PodTemplate, added: Mapping[str, str]) -> PodTemplate:
    metadata: Any = template.pod.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    if not isinstance(labels, Mapping):  # left for decoding to refuse
        return template
    pod = {**template.pod, "metadata": {**metadata, "labels": {**labels, **added}}}
    return replace(template, pod=pod)
