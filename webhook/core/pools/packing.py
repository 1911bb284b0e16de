"""Sets that fit together: pods on a node's GPUs, memory on a GPU."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

_MOST: Final = 1000  # packings of a GPU, above which memory is rounded up


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
    """Return the ways to divide a time-sliced GPU, as the MiB of its places.

    Nothing limits what a time-sliced pod takes, so what they state has to fit together. A place
    serves what needs no more, so that one packing can stand for all that have less in each place.
    """
    found: list[tuple[int, ...]] = []
    for each in _fillings(sorted({0, *kinds}, reverse=True), places, memory):
        if not any(all(a >= b for a, b in zip(other, each, strict=True)) for other in found):
            found.append(each)
    return tuple(found)


def _fillings(kinds: Sequence[int], places: int, memory: int) -> Iterator[tuple[int, ...]]:
    """Yield packings, larger places first. The last of `kinds` is 0."""
    for index, kind in enumerate(kinds):
        if kind * places <= memory:
            yield (kind,) * places
            return
        if kind <= memory:
            rest = _fillings(kinds[index:], places - 1, memory - kind)
            yield from ((kind, *each) for each in rest)


def rounded_kinds(kinds: Iterable[int], places: int, memory: int) -> dict[int, int]:
    """Return what each memory need counts as, so that the packings stay few.

    Needs are rounded up to others of them. Where packings are few they stay as they are.
    """
    ordered = sorted(kinds)
    tops, step = ordered, 1
    while len(list(islice(_fillings([*tops[::-1], 0], places, memory), _MOST + 1))) > _MOST:
        step += 1
        tops = [ordered[min(i + step, len(ordered)) - 1] for i in range(0, len(ordered), step)]
    return {kind: next(top for top in tops if top >= kind) for kind in ordered}
