"""What a command prints while something takes long."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def progress(text: str) -> Iterator[Callable[[str], None]]:
    """Print what takes long, on standard error and only on a terminal.

    Yields what prints the next step.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(text) as status:
        yield status.update
