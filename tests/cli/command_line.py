"""The `gpu-sharing` command for tests: in this process where that suffices, else as its own."""

import os
import resource
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NoReturn

from webhook.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
INVENTORY = str(EXAMPLES / "inventory.yaml")
DEADLINE = 60.0  # seconds a command may take on a machine under load
MEMORY = 2 * 2**30  # bytes of address space a command may take

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]
"""Runs a command and returns what it left behind."""


def command(*arguments: str, stdin: bytes = b"", **environment: str) -> Done:
    """Run `gpu-sharing` as a process with bounded time and memory."""
    done = subprocess.run(
        [sys.executable, "-m", "webhook.cli.main", *arguments],
        input=stdin,
        capture_output=True,
        timeout=DEADLINE,
        check=False,
        env=os.environ | environment,
        preexec_fn=bound_memory,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def forked(*arguments: str) -> Done:
    """Run `gpu-sharing` in a fork of this process, which imports what it needs."""
    main.parser(arguments[0])  # imports the verb here, once for all of its forks
    with TemporaryFile() as out, TemporaryFile() as err, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads of xdist
        child = os.fork()
        if child == 0:
            _become(arguments, out.fileno(), err.fileno())
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = [os.pread(each.fileno(), 1 << 20, 0).decode() for each in (out, err)]
    return Done(code, *texts)


def _become(arguments: tuple[str, ...], out: int, err: int) -> NoReturn:
    """Be the command, and end with its code or by the alarm."""
    signal.alarm(int(DEADLINE))
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    sys.argv = ["gpu-sharing", *arguments]
    code: object = 1
    try:
        code = main.main()
    except SystemExit as ended:
        code = ended.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


def bound_memory() -> None:
    """Keep a command that goes astray from taking the machine with it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
