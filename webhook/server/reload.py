"""A file that is parsed again when it changes, and keeps the last good content."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

T = TypeVar("T")

LOOK_SECONDS: Final = 1.0


Logger = Callable[..., object]
"""Writes a log line: a constant event, and its fields as keywords."""


class ReloadedFile(Generic[T]):
    """The parsed content of one file.

    Kubernetes updates a mounted ConfigMap by swapping a symlink, and editors write in place:
    both change what `stat` says, so a look a second is enough and misses nothing.
    """

    def __init__(self, path: Path, parse: Callable[[str], T], log: Logger) -> None:
        """Read the file. `log` gets `reloaded` and `reload_refused`.

        Raises:
            OSError: it cannot be read.
            ValueError: it is not UTF-8, or `parse` refuses it.
        """
        self._path, self._parse, self._log = path, parse, log
        self._seen = self._stamp()
        self.value = self._read()
        self.generation = 1
        self.problem: str | None = None

    def refresh(self) -> bool:
        """Read the file again if it changed, and return whether content is new."""
        seen = self._stamp()
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            self.value = self._read()
        except (OSError, ValueError) as error:
            self.problem = str(error)
            self._log("reload_refused", file=str(self._path), problem=self.problem)
            return False
        self.problem = None
        self.generation += 1
        self._log("reloaded", file=str(self._path), generation=self.generation)
        return True

    async def follow(self, apply: Callable[[T], Awaitable[None]]) -> None:
        """Apply the content whenever it changed, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            # In a thread, since a large YAML file takes seconds.
            if await asyncio.to_thread(self.refresh):
                await apply(self.value)

    def _read(self) -> T:
        try:
            text = self._path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{self._path}: not UTF-8 text at byte {error.start}") from None
        return self._parse(text)

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size
