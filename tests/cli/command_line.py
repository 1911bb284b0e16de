"""The `gpu-sharing` command for tests: in this process where that suffices, else as its own."""

import json
import os
import resource
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import ExitStack
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


def record(done: Done) -> Json:
    """The record that a command printed."""
    found: Json = json.loads(done.out)
    return found


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


def forked(*arguments: str, stdin: bytes = b"") -> Done:
    """Run `gpu-sharing` in a fork of this process, which imports what it needs."""
    main.parser(arguments[0])  # imports the verb here, once for all of its forks
    with ExitStack() as stack:
        files = [stack.enter_context(TemporaryFile()) for _ in range(3)]
        files[0].write(stdin)
        files[0].seek(0)
        child = _fork()
        if child == 0:
            _become(arguments, [each.fileno() for each in files])
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out, err = (os.pread(each.fileno(), 1 << 20, 0).decode() for each in files[1:])
    return Done(code, out, err)


def _fork() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside the threads of xdist
        return os.fork()


def _become(arguments: tuple[str, ...], files: list[int]) -> NoReturn:
    """Be the command, and end with its code or by the alarm."""
    signal.alarm(int(DEADLINE))
    bound_memory()
    for number, file in enumerate(files):
        os.dup2(file, number)
    sys.stdin, sys.stdout, sys.stderr = (open(n, m, closefd=False) for n, m in enumerate("rww"))  # noqa: SIM115
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
