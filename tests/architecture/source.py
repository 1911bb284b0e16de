"""The project's own source as syntax trees, for tests on its names and sentences."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Source:
    """One file: its path from the root, its lines and its tree."""

    path: str
    text: str
    tree: ast.Module

    def definitions(self) -> Iterator[Definition]:
        """Yield every function and class, nested ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, Definition):
                yield node


@cache
def sources() -> tuple[Source, ...]:
    """Every file of the two packages, in order."""
    paths = sorted(path for name in ("webhook", "certs") for path in (ROOT / name).rglob("*.py"))
    return tuple(
        Source(str(path.relative_to(ROOT)), text, ast.parse(text))
        for path in paths
        for text in (path.read_text(encoding="utf-8"),)
    )
