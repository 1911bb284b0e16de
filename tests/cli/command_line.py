"""The `gpu-sharing` command for tests: in this process where that suffices, else as its own."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


def bound_memory() -> None:
    """Keep a command that goes astray from taking the machine with it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
