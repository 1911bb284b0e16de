"""What to give a workload, by a table."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from webhook.core.api.mig import Profile
from webhook.core.api.workload import Workload
from webhook.core.gpu.strategies import Strategy
from webhook.core.pools.catalog import GpuModel, MigDevice
from webhook.core.rightsizing.need import LEAST_POINTS, Need
from webhook.core.rightsizing.recommendation import (
    Case,
    Confidence,
    Recommendation,
    RecommendedAction,
)
from webhook.core.rightsizing.values import ReservingServer

_SEVERAL: Final = 0.5
"""A share is for pods of which two or more fit on one GPU."""
_SAME: Final = 0.1
"""What differs by less is the same: a recommendation must not flap."""


def recommend(case: Case) -> Recommendation:
    """Return what to do with a workload whose devices were its own.

    The first that applies:

    | the workload | recommendation |
    |---|---|
    | trains | keep whole GPUs |
    | has less data than 24 hours or 100 points | wait, and what is missing |
    | was idle all the time | release it |
    | is no tenant's, and not said to be anything | label it |
    | requests several GPUs in a pod | keep them |
    | reserves memory and names no model, or has none that was measured | say its memory |
    | a tenant's, or inference on a GPU with MIG | the smallest MIG device that is enough |
    | inference on another GPU | MPS, where its share of the memory is enough |
    | dev | time-slicing, where two or more fit |
    | none of these is enough | a whole GPU |

    A person's annotations are a floor: memory and profile are never below them.
    """
    found = _without_sizes(case) or next(_smaller(case), None) or _whole(case)
    if found.action is not RecommendedAction.CHANGE or found.gpus is None or not case.request.pods:
        return found
    if abs(found.gpus - case.request.held / case.request.pods) > _SAME * found.gpus:
        return found
    if found.strategy is not Strategy.EXCLUSIVE:
        found = replace(found, reason=f"it has what it needs: {found.reason}")
    return replace(found, action=RecommendedAction.KEEP)


def _without_sizes(case: Case) -> Recommendation | None:
    """What is said before any device is looked for, None where one must be."""
    request, need = case.request, case.need
    if request.workload is Workload.TRAINING:
        return Recommendation(
            RecommendedAction.KEEP, "training never shares", Confidence.HIGH, request.strategy
        )
    if not need.is_enough:
        return Recommendation(RecommendedAction.WAIT, need.missing)
    if need.idle:
        text = f"it was never 5 % active in {need.hours:.0f} hours; nobody uses what it holds"
        return Recommendation(RecommendedAction.RELEASE, text, Confidence.HIGH, gpus=0.0)
    return _unsaid(case)


def _unsaid(case: Case) -> Recommendation | None:
    request, need = case.request, case.need
    if request.workload is Workload.UNCLASSIFIED and request.tenant is None:
        text = f"nothing says what it is for ({_measured(need)})"
        return Recommendation(RecommendedAction.LABEL, text, Confidence.HIGH)
    if request.gpus > 1:
        text = f"it requests {request.gpus} GPUs in a pod, and shares add no compute"
        return Recommendation(RecommendedAction.KEEP, text, Confidence.MEDIUM, request.strategy)
    if need.memory is None and request.written_memory is None:
        return Recommendation(RecommendedAction.SIZE, _unknown_memory(need), Confidence.LOW)
    return None


def _smaller(case: Case) -> Iterator[Recommendation]:
    request, need, model = case.request, case.need, case.model
    if request.workload is Workload.DEV:
        yield from _share(case, Strategy.TIME_SLICING, case.replicas.time_slicing)
        return
    device = smallest_device(model, case.memory, case.compute, request.written_profile)
    if device is not None:
        part = share_of(device, model)
        text = f"{device.profile.name} has {device.memory} MiB; {_measured(need)}"
        yield Recommendation(
            RecommendedAction.CHANGE,
            text,
            _confidence(need),
            Strategy.MIG,
            device.profile,
            case.memory,
            part,
        )
    elif not model.devices and request.tenant is None and request.workload is Workload.INFERENCE:
        yield from _share(case, Strategy.MPS, case.replicas.mps)


def _whole(case: Case) -> Recommendation:
    text = f"nothing smaller is enough ({_measured(case.need)})"
    return Recommendation(
        RecommendedAction.CHANGE,
        text,
        _confidence(case.need),
        Strategy.EXCLUSIVE,
        memory=case.memory,
        gpus=float(case.request.gpus),
    )


def smallest_device(
    model: GpuModel, memory: int, compute: float, floor: Profile | None
) -> MigDevice | None:
    """Return the smallest MIG device that is enough, None if none is.

    `memory` is in MiB, `compute` a share of the GPU.


    It is never less than a profile that a person wrote, in slices or in GB. A device that is the
    whole GPU is none: it is a GPU without peer-to-peer.
    """
    enough = [
        each
        for each in model.devices
        if each.memory >= memory
        and each.profile.slices / model.slices >= compute
        and each.profile.slices < model.slices
        and (floor is None or (each.profile.slices, each.profile.gb) >= (floor.slices, floor.gb))
        and (floor is None or each.profile.gb >= floor.gb)
    ]
    return min(enough, key=lambda each: (share_of(each, model), each.memory), default=None)


def share_of(device: MigDevice, model: GpuModel) -> float:
    """Return which part of a GPU a MIG device is, of slices or slots."""
    return max(device.profile.slices / model.slices, device.size / model.slots)


def _share(case: Case, strategy: Strategy, places: int) -> Iterator[Recommendation]:
    """MPS divides the memory by its replicas. Time-slicing does not divide it."""
    model = case.model
    if not model.memory:
        return
    memory = case.memory / model.memory
    part = max(memory, case.compute, 1 / places)
    limit = 1 / places if strategy.traits.divides_memory else _SEVERAL
    if part <= _SEVERAL and memory <= limit:
        text = f"one of {places} shares of a {model.product}; {_measured(case.need)}"
        sure = _confidence(case.need)
        sure = Confidence.MEDIUM if sure is Confidence.HIGH else sure
        yield Recommendation(
            RecommendedAction.CHANGE, text, sure, strategy, None, case.memory, part
        )


def _measured(need: Need) -> str:
    parts = []
    if need.p95 is not None:
        parts.append(f"active {need.p95:.0%} (p95)")
    if need.reservation is not None:
        parts.append(f"memory reserved by {need.reservation.server}")
        if need.memory is not None and need.by_model:
            parts.append(f"{need.memory} MiB estimated from the model that it serves")
    elif need.peak is not None:
        parts.append(f"memory up to {need.peak:.0f} MiB")
    return ", ".join(parts) + f", in {need.hours:.0f} hours"


def _unknown_memory(need: Need) -> str:
    found = need.reservation
    if found is None:
        return "its memory was not measured; write gpu-sharing.io/gpu-memory"
    seen = f"measured {need.peak:.0f} MiB is" if need.peak is not None else "its memory is"
    return (
        f"{seen} a reservation ({found.server}, {found.setting}) and says nothing of need; write "
        f"gpu-sharing.io/gpu-memory from the size of the model and its KV cache"
    )


def _confidence(need: Need) -> Confidence:
    """Return how sure the need is.

    | compute known | memory reserved | at least a week | confidence |
    |---|---|---|---|
    | no | - | - | low |
    | yes | estimated from the model | - | low |
    | yes | yes | - | medium |
    | yes | no | no | medium |
    | yes | no | yes | high |
    """
    if need.compute is None or (need.memory is not None and need.by_model):
        return Confidence.LOW
    week = need.hours >= 6 * 24 and need.points >= 6 * LEAST_POINTS
    if need.reservation is not None and need.reservation.server is not ReservingServer.UNKNOWN:
        return Confidence.MEDIUM
    return Confidence.HIGH if week and need.reservation is None else Confidence.MEDIUM
