"""Sets that fit together: pods on a node's GPUs, memory on a GPU."""

import math
from collections.abc import Iterable, Iterator
from typing import Final

_MOST: Final = 500  # packings of a GPU, above which memory is rounded up


def whole_gpu_packings(sizes: Iterable[int], gpus: int) -> Iterator[tuple[int, ...]]:
    """Yield every multiset of pods of several whole GPUs that a node has space for.

    The empty one too: then all of its GPUs are given one by one.
    """
    ordered = sorted(sizes)
    pending: list[tuple[int, ...]] = [()]
    while pending:
        packed = pending.pop()
        yield packed
        pending += [
            (*packed, size)
            for size in ordered
            if size >= (packed[-1] if packed else 0) and sum(packed) + size <= gpus
        ]


def memory_packings(kinds: Iterable[int], places: int, memory: int) -> tuple[tuple[int, ...], ...]:
    """Return the fullest multisets of memory needs (MiB) that fit on one time-sliced GPU.

    Nothing limits what a time-sliced pod takes, so what they state has to fit together.
    """
    ordered = sorted(kinds)
    found: list[tuple[int, ...]] = []
    pending: list[tuple[int, ...]] = [()]
    while pending:
        packed = pending.pop()
        more = [
            (*packed, kind)
            for kind in ordered
            if kind >= (packed[-1] if packed else 0)
            and len(packed) < places
            and sum(packed) + kind <= memory
        ]
        pending += more
        smallest = ordered[0]
        if packed and (len(packed) == places or sum(packed) + smallest > memory):
            found.append(packed)
    return tuple(found)


def rounded_kinds(kinds: Iterable[int], places: int) -> dict[int, int]:
    """Return what each memory need counts as, so that the packings stay few.

    Needs are rounded up to others of them. Where they are few they stay as they are.
    """
    ordered = sorted(kinds)
    count = len(ordered)
    while count > 1 and math.comb(count + places, places) > _MOST:
        count -= 1
    step = math.ceil(len(ordered) / count) if ordered else 1
    tops = [ordered[min(i + step, len(ordered)) - 1] for i in range(0, len(ordered), step)]
    return {kind: next(top for top in tops if top >= kind) for kind in ordered}
