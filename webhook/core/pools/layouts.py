"""Layouts: the sets of MIG devices that one GPU can be cut into."""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from webhook.core.pools.catalog import GpuModel, MigDevice

Layout = Mapping[str, int]
"""How many devices of each profile."""


def all_layouts(model: GpuModel) -> tuple[Layout, ...]:
    """Return every layout by placement (MIG User Guide): 78 for a GPU of 7 slices.

    The driver needs free memory slots at a start that the profile allows, so 3g and 3g leave no
    space for 1g although one compute slice is idle.
    """
    return _layouts(model.devices)


@lru_cache(maxsize=64)  # of few products, and asked for each node and each layout
def _layouts(devices: tuple[MigDevice, ...]) -> tuple[Layout, ...]:
    found: set[tuple[str, ...]] = set()
    pending: list[tuple[int, tuple[str, ...]]] = [(0, ())]
    seen = set(pending)
    while pending:
        slot, placed = pending.pop()
        found.add(tuple(sorted(placed)))
        places = ((each, start) for each in devices for start in each.starts)
        for device, start in (place for place in places if place[1] >= slot):
            step = start + device.size, tuple(sorted((*placed, device.profile.name)))
            if step not in seen:
                seen.add(step)
                pending.append(step)
    return tuple(dict(Counter(each)) for each in sorted(found) if each)


def maximal_layouts(model: GpuModel) -> tuple[Layout, ...]:
    """Return the layouts to which nothing can be added, 28 of 7 slices."""
    every = all_layouts(model)
    return tuple(
        each for each in every if not any(each != other and holds(other, each) for other in every)
    )


def holds(layout: Layout, wanted: Layout) -> bool:
    """Whether a layout has all devices of another."""
    return all(layout.get(profile, 0) >= count for profile, count in wanted.items())
