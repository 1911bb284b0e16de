"""Pods that are created all the time while something happens, and what became of them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.e2e.user import User, pod


@dataclass
class Traffic:
    """What became of pods that were created all the time."""

    rewritten: int = 0
    wrong: list[str] = field(default_factory=list)
    """What was printed of each pod that was refused, or let in as it is."""
    unsafe: int = 0
    """Pods that were let in as they are."""


@contextmanager
def traffic(user: User, namespace: str) -> Iterator[Traffic]:
    """Create pods, as a dry run, again and again while the block runs."""
    seen, stop = Traffic(), threading.Event()

    def create() -> None:
        while not stop.is_set():
            flags = ("--dry-run=server", "-o", "json")
            let_in, printed = user.create(namespace, pod("busy", "inference"), *flags)
            if let_in and "nvidia.com/mig-1g.5gb" in printed:
                seen.rewritten += 1
            else:
                seen.wrong.append(printed)
                seen.unsafe += let_in

    threads = [threading.Thread(target=create) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join()
