"""A file that is parsed again when it changes, and keeps the last good content."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final, Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")

LOOK_SECONDS: Final = 1.0


Logger = Callable[..., object]
"""Writes a log line: a constant event, and its fields as keywords."""


class Source(StrEnum):
    """Where the content in force comes from."""

    FILE = "file"
    LAST_GOOD = "last_good"
    BUILT_IN = "built_in"


class Fallback(Struct, frozen=True):
    """What a process starts from where its file is wrong.

    That is the last good text, else `built_in`. `copy` is the file that keeps the last good
    text over a restart, None for none.
    """

    built_in: str
    copy: Path | None = None

    def texts(self) -> Iterator[tuple[Source, str]]:
        """Yield what there is to start from, best first."""
        if self.copy is not None and self.copy.is_file():
            yield Source.LAST_GOOD, self.copy.read_text(encoding="utf-8", errors="replace")
        yield Source.BUILT_IN, self.built_in

    def keep(self, text: str) -> None:
        """Keep a text that was found good. Raises OSError."""
        if self.copy is not None:
            beside = self.copy.with_suffix(".new")
            beside.write_text(text, encoding="utf-8")
            beside.replace(self.copy)


class ReloadedFile(Generic[T]):
    """The parsed content of one file.

    Kubernetes updates a mounted ConfigMap by swapping a symlink, and editors write in place:
    both change what `stat` says, so a look a second is enough and misses nothing.
    """

    def __init__(
        self, path: Path, parse: Callable[[str], T], log: Logger, fallback: Fallback | None = None
    ) -> None:
        """Read the file. `log` gets `reloaded`, `reload_refused` and `refused_at_start`.

        Raises:
            OSError: it cannot be read.
            ValueError: without a `fallback`, it is not UTF-8, or `parse` refuses it.
        """
        self._path, self._parse, self._log, self._fallback = path, parse, log, fallback
        self._seen = self._stamp()
        self.generation = 1
        self.problem: str | None = None
        self.source = Source.FILE
        try:
            self.value = self._read()
        except ValueError as error:
            if fallback is None:
                raise
            self.problem = str(error)
            self.source, self.value = self._start_from(fallback)
            told = {"file": str(path), "problem": self.problem, "instead": self.source.value}
            log("refused_at_start", **told)

    def _start_from(self, fallback: Fallback) -> tuple[Source, T]:
        for source, text in fallback.texts():
            try:
                return source, self._parse(text)
            except ValueError:
                continue
        raise ValueError("the built-in text is wrong")

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
        self.problem, self.source = None, Source.FILE
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
        text = _read_text(self._path)
        value = self._parse(text)
        if self._fallback is not None:
            try:
                self._fallback.keep(text)
            except OSError as error:
                self._log("not_kept", file=str(self._fallback.copy), problem=str(error))
        return value

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text at byte {error.start}") from None
