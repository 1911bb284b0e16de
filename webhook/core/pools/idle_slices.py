"""Slices of cut GPUs that nothing uses although a device would fit there."""

from collections.abc import Mapping
from functools import lru_cache
from itertools import count as count_up

from webhook.core.pools.catalog import GpuModel
from webhook.core.pools.layouts import maximal_layouts

_MOST_GPUS = 16
Counts = tuple[int, ...]
"""How many devices of each profile, in the order of the model."""


def idle_slices(model: GpuModel, devices: Mapping[str, int], gpus: int) -> str:
    """Return the devices that fit besides those of a node, in words.

    Which GPU has which device is not known: nothing is idle where the devices can be those of
    GPUs that are each full. Devices with attributes count as the plain ones of their size.
    """
    known = sorted(model.devices, key=lambda each: (each.profile.slices, each.memory))
    names = [each.profile.name for each in known]
    have = dict.fromkeys(names, 0)
    for profile, count in devices.items():
        plain = profile.partition("gb")[0] + "gb"
        have[plain] = have.get(plain, 0) + count
    if not 0 < gpus <= _MOST_GPUS or len(have) > len(names):
        return ""
    layouts = maximal_layouts(model)
    shapes = tuple(tuple(each.get(name, 0) for name in names) for each in layouts)
    wanted = tuple(have.values())
    if _are_full(shapes, wanted, gpus) or not _fit(shapes, wanted, gpus):
        return ""
    for index, name in enumerate(names):
        most = next(n for n in count_up() if not _fit(shapes, _plus(wanted, index, n + 1), gpus))
        if most:
            return f"{most} x {name}"
    return ""


@lru_cache(maxsize=10_000)
def _are_full(shapes: tuple[Counts, ...], left: Counts, gpus: int) -> bool:
    """Whether the devices are just those of so many full GPUs."""
    if gpus == 0:
        return not any(left)
    return any(
        _are_full(shapes, _minus(left, each), gpus - 1)
        for each in shapes
        if all(a >= b for a, b in zip(left, each, strict=True))
    )


@lru_cache(maxsize=10_000)
def _fit(shapes: tuple[Counts, ...], left: Counts, gpus: int) -> bool:
    """Whether so many GPUs can have the devices."""
    if gpus == 0 or not any(left):
        return not any(left)
    return any(_fit(shapes, _minus(left, each), gpus - 1) for each in shapes)


def _minus(left: Counts, taken: Counts) -> Counts:
    return tuple(max(a - b, 0) for a, b in zip(left, taken, strict=True))


def _plus(counts: Counts, index: int, more: int) -> Counts:
    return tuple(each + (more if i == index else 0) for i, each in enumerate(counts))
