"""One long-running program of a cluster: its log, its end, and what it said last."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.cluster.children import start_child
from tests.e2e.cluster.errors import NotReadyError
from tests.e2e.cluster.sandbox import Sandbox
from tests.e2e.cluster.waiting import until

LAST_LINES = 15


@dataclass(slots=True)
class Service:
    """A program that runs inside the namespaces, restartable with the same command."""

    name: str
    sandbox: Sandbox
    command: Sequence[str | Path]
    _process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What it printed, over all its starts."""
        return self.sandbox.state / "logs" / f"{self.name}.log"

    @property
    def pid(self) -> int:
        """The process of nsenter, whose child is the program."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it; nsenter stands between it and us, and ends with it."""
        self._process = start_child(
            self.sandbox.state,
            self.sandbox.inside(self.command),
            log=self.log,
        )

    def wait_until(self, condition: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Wait for something this program brings about; its end or its silence is an error."""

        def settled() -> bool:
            return condition() or self._ended()

        try:
            until(settled, seconds=seconds, what=what)
        except NotReadyError as error:
            raise NotReadyError(f"{error}\n{self.last_words()}") from error
        if self._ended():
            raise NotReadyError(f"{self.name} ended before {what}\n{self.last_words()}")

    def stop(self, *, seconds: float = 30) -> None:
        """Ask it to end, and after the time given end it."""
        if self._process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            self._signal(number)
            with contextlib.suppress(NotReadyError):
                until(self._group_empty, seconds=seconds, what=self.name)
                self._process = None
                return

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"--- end of {self.log} ---\n" + "\n".join(lines[-LAST_LINES:])

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _signal(self, number: int) -> None:
        """Signal the group: nsenter does not pass signals on to the program."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _group_empty(self) -> bool:
        assert self._process is not None
        self._process.poll()
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return True
        return False
