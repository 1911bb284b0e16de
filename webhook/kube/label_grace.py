"""Keeps the offers of nodes whose GPU labels vanish for a while.

Restarts of GPU Operator, GPU Feature Discovery and the device plugin take labels away or set
allocatable to 0 for some minutes. Pods admitted meanwhile should not be refused for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

from webhook.process.cooperative import in_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")


class Patience(Struct, Generic[T], frozen=True):
    """How long a loss is overlooked: `offers` returns whether a value gives anything."""

    offers: Callable[[T], bool]
    seconds: float = 300.0


class KeptNode(Struct, Generic[T], frozen=True, gc=False):
    """The last known value of a node, and when it stopped offering."""

    value: T
    lost_at: float | None = None


async def retain(
    previous: Mapping[str, KeptNode[T]],
    current: Mapping[str, T | None],
    *,
    now: float,
    patience: Patience[T],
) -> Mapping[str, KeptNode[T]]:
    """Return the values to go by.

    `now` is in the seconds of the earlier calls. The loss is dated by the first call that sees
    it, so calls may be as rare as changes are.

    the node now             before it offered              before it did not
    offers something         taken at once                  taken at once
    offers nothing, or None  old value, for the patience    taken (None: left out)
    deleted                  left out                       left out
    """
    kept: dict[str, KeptNode[T]] = {}
    async for name, value in in_turns(current.items()):
        entry = previous.get(name)
        # `offers` is not asked again for by far the most: 5,000 unchanged nodes.
        if entry is None or entry.value is not value or entry.lost_at is not None:
            entry = _entry(entry, value, now=now, patience=patience)
        if entry is not None:
            kept[name] = entry
    return kept


def overdue(kept: Mapping[str, KeptNode[T]], *, now: float, patience: Patience[T]) -> bool:
    """Return whether `retain` would let go of something by the time alone."""
    return any(_over(entry, now, patience) for entry in kept.values())


def _entry(
    before: KeptNode[T] | None, value: T | None, *, now: float, patience: Patience[T]
) -> KeptNode[T] | None:
    if before is None or (value is not None and patience.offers(value)):
        return None if value is None else KeptNode(value)
    if patience.offers(before.value):
        lost = before if before.lost_at is not None else KeptNode(before.value, lost_at=now)
        if not _over(lost, now, patience):
            return lost
    return None if value is None else KeptNode(value)


def _over(entry: KeptNode[T], now: float, patience: Patience[T]) -> bool:
    return entry.lost_at is not None and now - entry.lost_at >= patience.seconds
