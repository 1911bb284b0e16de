"""What this webhook knows of a project whose objects make pods."""

from collections.abc import Mapping

from msgspec import Struct, field

from webhook.core.api.resource import ApiResource
from webhook.core.api.workload import Workload
from webhook.core.integrations.field_path import PathPattern
from webhook.core.integrations.templates import TemplateFinder, search_templates


class PodLabel(Struct, frozen=True):
    """A label that a controller puts on pods, by default with its object's name.

    `workload` is what the label says that the pod is for, None where it says nothing.
    """

    key: str
    workload: Workload | None = None
    value: str | None = None


class WellKnownLabel(Struct, frozen=True):
    """A pod label that says what the pod is for, by default with any value."""

    label: str
    workload: Workload
    value: str | None = None


class KnownProgram(Struct, frozen=True):
    """What containers run, by a regular expression, and what it says their pod is for.

    `command` is looked for in command and arguments. `image` is looked for in the image where the
    container names no command, so that the image's own program runs. None: it is not looked for.
    """

    workload: Workload
    command: str | None = None
    image: str | None = None


class WorkloadResource(ApiResource, frozen=True):
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
    find_templates: TemplateFinder = search_templates
    embeds: tuple[PathPattern, ...] = ()
    pod_labels: tuple[PodLabel, ...] = ()
    copies: frozenset[str] = frozenset()
    owns: "tuple[WorkloadResource, ...]" = ()
    runs: bool = True
    group_sizes: Mapping[str, str] = field(default_factory=dict)


class Integration(Struct, frozen=True):
    """A project's resources that make pods, and what of a pod tells its workload.

    `well_known_labels` are those besides the `pod_labels` of its resources. `model_keys` are labels
    and annotations of pods that name the model that they serve.
    """

    project: str
    resources: tuple[WorkloadResource, ...] = ()
    well_known_labels: tuple[WellKnownLabel, ...] = ()
    programs: tuple[KnownProgram, ...] = ()
    model_keys: tuple[str, ...] = ()
