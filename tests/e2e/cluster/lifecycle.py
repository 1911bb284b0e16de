"""The life of a cluster: from a `with` to its end, whatever ends it."""

import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from tests.e2e.cluster import state
from tests.e2e.cluster.cluster import Cluster
from tests.e2e.cluster.settings import Options, from_environment
from tests.e2e.cluster.starting import start
from tests.e2e.cluster.waiting import tell


@contextlib.contextmanager
def running(options: Options | None = None) -> Iterator[Cluster]:
    """A cluster for the time of a `with`; everything of it is gone afterwards.

    SIGTERM becomes SystemExit within, so that it ends the `with` like any exception.
    """
    with termination_as_exit():
        clean_leftovers()
        directory = state.new_state()
        try:
            yield start(directory, options or from_environment())
        finally:
            with _undisturbed():
                stop(directory)


@contextlib.contextmanager
def staying() -> Iterator[Cluster]:
    """A cluster that stays after the `with`, until `down`; it goes only if the block fails."""
    with termination_as_exit():
        clean_leftovers()
        directory = state.new_state()
        try:
            yield start(directory, from_environment(detached=True))
        except BaseException:
            with _undisturbed():
                stop(directory)
            raise


def stop(directory: Path) -> None:
    """Remove a cluster; GPU_SHARING_E2E_LOGS names a directory that keeps its logs."""
    kept = os.environ.get("GPU_SHARING_E2E_LOGS")
    if kept:
        shutil.copytree(directory / "logs", Path(kept) / directory.name, dirs_exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(directory / "audit.log", Path(kept) / directory.name)
    state.remove(directory)


def clean_leftovers() -> None:
    """Remove what clusters left behind whose owners were killed."""
    for directory in state.leftovers():
        tell(f"removing what was left of {directory.name}")
        state.remove(directory)


@contextlib.contextmanager
def termination_as_exit() -> Iterator[None]:
    """Within, SIGTERM raises SystemExit; signals are the main thread's only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Within, a second Ctrl-C or SIGTERM does not interrupt the clearing up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
