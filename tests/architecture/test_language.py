"""Docstrings open with one plain sentence; the words of private metaphors are gone."""

import ast
import re

import pytest

from tests.architecture.source import ROOT, sources

MOST_WORDS = 15
THIRD_PERSON = re.compile(r"(Return|Yield|Write|Print|Parse|Refuse|Tell|Turn)s ")
METAPHORS = re.compile(
    r"\b(house|rooms?|strangers?|befalls?|foresee\w*|foretold|hindsight)\b", re.I
)


def first_sentences() -> list[tuple[str, str]]:
    found = []
    for source in sources():
        for node in (source.tree, *source.definitions()):
            text = ast.get_docstring(node)
            if text:
                line = getattr(node, "lineno", 1)
                opening = " ".join(text.split("\n\n")[0].split())
                found.append((f"{source.path}:{line}", opening))
    return found


def wrong(opening: str) -> str:
    """Why an opening is no plain sentence; empty where it is one."""
    if ";" in opening:
        return "a semicolon"
    if not opening.endswith((".", ":")):
        return "no full stop"
    words = len(re.sub(r"`[^`]*`", "X", opening.rstrip(".")).split())
    return f"{words} words" if words > MOST_WORDS and ". " not in opening else ""


def test_functions_say_what_to_do_in_the_imperative() -> None:
    docstrings = (
        (f"{source.path}:{node.lineno}", ast.get_docstring(node) or "")
        for source in sources()
        for node in source.definitions()
        if not isinstance(node, ast.ClassDef)
    )
    assert [entry for entry in docstrings if THIRD_PERSON.match(entry[1])] == []


def test_docstrings_open_with_one_plain_sentence() -> None:
    found = [f"{where} ({wrong(text)}): {text}" for where, text in first_sentences() if wrong(text)]
    assert found == []


@pytest.mark.parametrize("folder", ["webhook", "certs", "docs", "README.md", "pyproject.toml"])
def test_no_private_metaphors(folder: str) -> None:
    top = ROOT / folder
    paths = [top] if top.is_file() else [*top.rglob("*.py"), *top.rglob("*.md")]
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if METAPHORS.search(line)
    ]
    assert found == []
