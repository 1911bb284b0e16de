"""A thread that calls one function after changes, many changes at a time; it knows no cluster."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from webhook.kube.clock import Runtime


class Settler:
    """Calls `act` soon after `mark`, at most every `pace.settle` and at least every `pace.tick`.

    After a call that raised it goes on, tells "publish failed", and the next tick tries again.
    """

    def __init__(self, name: str, act: Callable[[], None], runtime: Runtime) -> None:
        self._name = name
        self._act = act
        self._runtime = runtime
        self._marked = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"settle-{name}", daemon=True)

    def start(self) -> None:
        """Start the thread; once in a life."""
        self._thread.start()

    def mark(self) -> None:
        """Say that something changed; returns at once."""
        self._marked.set()

    def stop(self, *, within: float) -> None:
        """End the thread and wait for that, at most `within` seconds."""
        self._stop.set()
        self._marked.set()
        if self._thread.ident is not None:
            self._thread.join(within)

    def _run(self) -> None:
        while True:
            self._marked.wait(self._runtime.pace.tick)
            if self._stop.is_set():
                return
            # Cleared before the call: a change during it marks anew and is not lost.
            self._marked.clear()
            self._call()
            self._stop.wait(self._runtime.pace.settle)

    def _call(self) -> None:
        try:
            self._act()
        except Exception as error:  # a thread that dies would leave the world as it is, silently
            self._runtime.told("publish failed", resource=self._name, error=repr(error))
