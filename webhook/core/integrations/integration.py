"""What this webhook knows of a project whose objects make pods."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from webhook.core.api.resource import ApiResource
from webhook.core.api.workload import Workload
from webhook.core.integrations.field_path import PathPattern
from webhook.core.integrations.templates import TemplateFinder, search_templates


@dataclass(frozen=True, slots=True)
class PodLabel:
    """A label that a controller puts on pods, by default its object's name."""

    key: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class WellKnownLabel:
    """A pod label that says what the pod is for, by default with any value."""

    label: str
    workload: Workload
    value: str | None = None


@dataclass(frozen=True, slots=True)
class KnownProgram:
    """What containers run, by a regular expression, and what it says their pod is for.

    `command` is looked for in command and arguments. `image` is looked for in the image where the
    container names no command, so that the image's own program runs. None: it is not looked for.
    """

    workload: Workload
    command: str | None = None
    image: str | None = None


@dataclass(frozen=True, slots=True)
class WorkloadResource(ApiResource):
    """An API resource whose objects make pods.

    | field | meaning |
    |---|---|
    | `find_templates` | where the pods stand in an object; else whatever has `containers` |
    | `embeds` | where whole objects stand, of resources known here, that make the pods |
    | `pod_labels` | what the controller adds to the labels of the template |
    | `copies` | `labels`, `annotations`: what it copies of the object's own metadata to its pods |
    | `owns` | what stands between an object and its pods, from the top |
    | `runs` | false: pods are made of it by another object that names or owns it |
    | `group_sizes` | step to a worker template -> field beside it that counts leader and workers |
    """

    version: str = ""
    find_templates: TemplateFinder = field(default=search_templates, kw_only=True)
    embeds: tuple[PathPattern, ...] = field(default=(), kw_only=True)
    pod_labels: tuple[PodLabel, ...] = field(default=(), kw_only=True)
    copies: frozenset[str] = field(default=frozenset(), kw_only=True)
    owns: "tuple[WorkloadResource, ...]" = field(default=(), kw_only=True)
    runs: bool = field(default=True, kw_only=True)
    group_sizes: Mapping[str, str] = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True, slots=True)
class Integration:
    """A project's resources that make pods, and what of a pod tells its workload.

    `model_keys` are labels and annotations of pods that name the model that they serve.
    """

    project: str
    resources: tuple[WorkloadResource, ...] = ()
    well_known_labels: tuple[WellKnownLabel, ...] = ()
    programs: tuple[KnownProgram, ...] = ()
    model_keys: tuple[str, ...] = ()
