"""Processes of our servers for tests: forks of one that has imported them, which takes a tenth."""

import multiprocessing
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import IO

from webhook.cli import main

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["pytest", "webhook.cli.verbs.serve", "webhook.kube.client"])


class Fork:
    """Runs a function of a module in a group of its own; what `subprocess.Popen` has otherwise."""

    def __init__(
        self,
        target: Callable[..., object],
        *arguments: object,
        stdout: IO[bytes],
        stderr: IO[bytes] | None = None,
        **environment: str,
    ) -> None:
        paths = (stdout.name, (stderr or stdout).name)
        told = (target, arguments, paths, os.environ | environment)
        self._process = FORKS.Process(target=_become, args=told)
        self._process.start()
        self.pid, self.kill = self._process.pid, self._process.kill

    @property
    def returncode(self) -> int | None:
        """Its exit code once it has ended, less than 0 after a signal."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Look whether it has ended; return its exit code."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return its exit code."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)


def fork_command(command: list[str], **streams: IO[bytes]) -> Fork:
    """Run `python -m webhook.cli.main …`."""
    return Fork(_command, command[2:], **streams)


def _become(target, arguments, paths, environment) -> None:
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(paths, 1):
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    warnings.resetwarnings()
    target(*arguments)


def _command(words: list[str]) -> None:
    sys.argv = words
    sys.exit(main.main())
