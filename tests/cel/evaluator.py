"""Judging admission expressions as the API server does, with the program `cel`.

with Evaluator(rules) as evaluator:
    [judgement] = evaluator.judge([Case(pod)])

The program is built by `make e2e` and kept in the cache. `make test` uses it if it is there and
never builds it: a build from nothing computes for 113 s, which is a minute on two idle cores
and took three on busy ones.
"""

import json
import os
import subprocess
import threading
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from tests.cel.protocol import Case, Compiled, Json, Judgement, Rules
from tests.e2e.cluster.build import Builder, builder
from tests.e2e.cluster.settings import NEWEST, cache_directory
from tests.e2e.cluster.toolchain import present_go

PROGRAM = "cel"
WAITS = "waits for `make e2e`, which builds the program that judges expressions"


def available() -> str | None:
    """Why the program cannot run; None if it can."""
    if _may_build():
        return None
    go = present_go(cache_directory())
    if go is None:
        return f"{WAITS}: no Go >= 1.26 here"
    found = Builder(NEWEST, cache_directory(), go).find(PROGRAM)
    return None if found else f"{WAITS}: it was not built yet"


class EvaluatorError(Exception):
    """The program cannot judge; the message says why."""


class Evaluator:
    """The program, running with one set of rules; judges any number of cases."""

    compiled: Compiled
    """What the API server says of the rules themselves."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def __enter__(self) -> "Evaluator":
        """Start the program and compile the rules."""
        with ExitStack() as stack:
            self._process = stack.enter_context(
                subprocess.Popen(
                    [_program()],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    env={"GOGC": "400"} | os.environ,  # most of a start is garbage of the compiler
                )
            )
            self._write([self._rules.to_json()])
            self.compiled = Compiled.from_json(self._read())
            self._ending = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the program by the end of its input."""
        self._ending.close()

    def judge(self, cases: Iterable[Case]) -> list[Judgement]:
        """The judgement of each case, in their order."""
        if self.compiled.errors:
            raise EvaluatorError(f"these do not compile: {dict(self.compiled.errors)}")
        asked = [case.to_json() for case in cases]
        # The program stops reading while nobody reads its answers, so both go on at once.
        writer = threading.Thread(target=self._write, args=(asked,))
        writer.start()
        answers = [self._read() for _ in asked]
        writer.join()
        return [Judgement.from_json(answer) for answer in answers]

    def _write(self, lines: list[Json]) -> None:
        """Write all lines; a program that ended is noticed where its answers are read."""
        with suppress(BrokenPipeError):
            stdin = _stream(self._process.stdin)
            for line in lines:
                stdin.write(json.dumps(line) + "\n")
            stdin.flush()

    def _read(self) -> Json:
        """The next answer."""
        line = _stream(self._process.stdout).readline()
        if not line:
            raise EvaluatorError("the program ended; what it says is on stderr")
        answer: Json = json.loads(line)
        return answer


def _stream(stream: IO[str] | None) -> IO[str]:
    """A stream that was asked for, and so is there."""
    assert stream is not None
    return stream


def _may_build() -> bool:
    """Whether this is `make e2e`."""
    return os.environ.get("GPU_SHARING_E2E_RUN") == "1"


def _program() -> Path:
    """The path of the program, after building it if this run may."""
    reason = available()
    if reason:
        raise EvaluatorError(reason)
    return builder(NEWEST).paths([PROGRAM])[PROGRAM]
