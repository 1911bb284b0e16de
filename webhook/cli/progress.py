"""What a command prints while something takes long."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_CLEARED = "\r\x1b[2K"  # the line of a terminal


@contextmanager
def progress(text: str) -> Iterator[Callable[[str], None]]:
    """Print what takes long, on standard error and only on a terminal.

    Yields what prints the next step.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    try:
        _tell(text)
        yield _tell
    finally:
        print(end=_CLEARED, file=sys.stderr, flush=True)  # noqa: T201 - the command's output


def _tell(text: str) -> None:
    print(end=f"{_CLEARED}{text} ", file=sys.stderr, flush=True)  # noqa: T201 - the command's output
