"""What to write into pod templates so that they get what they need."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from webhook.cli.cluster.client import Object, metadata
from webhook.cli.measure.assess import Sized, owner_path
from webhook.core.api import mig, names
from webhook.core.integrations.field_path import FieldPath
from webhook.core.pools.catalog import GpuModel
from webhook.core.rightsizing.recommend import smallest_device
from webhook.core.rightsizing.recommendation import RecommendedAction

HYSTERESIS: Final = 0.1
"""An annotation that differs by less stays: what is written must not flap."""


@dataclass(frozen=True, slots=True)
class SizeChange:
    """Annotations to write into one template. The object stays as it is in the cluster."""

    sized: Sized
    annotations: Mapping[str, str]

    @property
    def place(self) -> FieldPath:
        """Where the template stands in its object."""
        return self.sized.row.result.template.place

    @property
    def root(self) -> Object:
        """The object that a person applied."""
        return self.sized.row.group.root


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A workload that no annotation helps, and why."""

    name: str
    why: str


def find_changes(
    workloads: Iterable[Sized], models: Mapping[str, GpuModel]
) -> Iterator[SizeChange | Unchanged]:
    """Yield what to write for each workload, or why nothing is written.

    | recommended | written |
    |---|---|
    | a size, and it was 10 % or nearer | nothing |
    | a size | gpu-memory, the peak and a fifth |
    | a MIG profile that the memory alone would not choose | mig-profile too |
    | anything else | nothing, and what a person must do |
    | anything, where a MIG device is asked by name | nothing: such a request is never changed |
    """
    for each in workloads:
        name, advice = owner_path(each.request), each.advice
        by_name = [
            r.resource for r in each.row.result.verdict.requests if mig.of_resource(r.resource)
        ]
        if advice.action in (
            RecommendedAction.LABEL,
            RecommendedAction.SIZE,
            RecommendedAction.RELEASE,
        ):
            yield Unchanged(name, f"{advice.action}: {advice.reason}")
        elif advice.action is RecommendedAction.CHANGE and advice.memory:
            annotations = dict(_annotations(each, models[each.need.product]))
            if by_name:
                text = f"it requests {by_name[0]} by name, which is never changed; "
                yield Unchanged(name, text + "request nvidia.com/gpu")
            elif annotations:
                yield SizeChange(each, annotations)


def _annotations(each: Sized, model: GpuModel) -> Iterator[tuple[str, str]]:
    request, advice = each.request, each.advice
    memory, written = advice.memory or 0, request.written_memory
    if written is None or abs(memory - written) > HYSTERESIS * written:
        yield names.GPU_MEMORY, f"{memory}Mi"
    if advice.profile is None:
        return
    chosen = smallest_device(model, memory, 0.0, None)
    if chosen is not None and chosen.profile == advice.profile:
        return
    if request.written_profile != advice.profile:
        yield names.MIG_PROFILE, advice.profile.name


def apply_change(change: SizeChange) -> tuple[Object, Object]:
    """Return the object before and after, without what the cluster keeps of it."""
    before = {key: value for key, value in change.root.items() if key != "status"}
    before["metadata"] = {
        key: value
        for key, value in metadata(before).items()
        if key in ("name", "namespace", "labels", "annotations")
    }
    after = copy.deepcopy(before)
    here: Any = after
    for step in change.place:
        here = here[step]
    data = here.setdefault("metadata", {})
    data["annotations"] = {**(data.get("annotations") or {}), **change.annotations}
    return before, after


def patch_of(change: SizeChange) -> Object | None:
    """Return a merge patch, None for a template in a list."""
    made: Object = {"metadata": {"annotations": dict(change.annotations)}}
    for step in reversed(change.place):
        if isinstance(step, int):
            return None
        made = {step: made}
    data = metadata(change.root)
    named = {"name": data.get("name"), "namespace": data.get("namespace")}
    whole = {"apiVersion": change.root.get("apiVersion"), "kind": change.root["kind"]}
    return {**whole, **made, "metadata": {**made.get("metadata", {}), **named}}
