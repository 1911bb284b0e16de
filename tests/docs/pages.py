"""The pages of the project, as Markdown tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("examples/**/*.md")])
_MARKDOWN = MarkdownIt("commonmark").enable("table")
_SHELLS = ("sh", "bash", "console")


@dataclass(frozen=True, slots=True)
class Command:
    """A command line that a page tells people to run; `line` is that of its code block."""

    page: str
    line: int
    text: str


@cache
def tokens(page: Path):
    return _MARKDOWN.parse(page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[str]:
    for token in tokens(page):
        for child in token.children or ():
            if child.type in ("link_open", "image"):
                yield str(child.attrs.get("href") or child.attrs["src"])


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them (github-slugger)."""
    found: dict[str, int] = {}
    all_tokens = tokens(page)
    made = set()
    for opening, inline in pairwise(all_tokens):
        if opening.type != "heading_open":
            continue
        text = "".join(each.content for each in inline.children or ())
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        count = found.get(slug, 0)
        found[slug] = count + 1
        made.add(f"{slug}-{count}" if count else slug)
    return made


def shell_lines() -> Iterator[Command]:
    """Every line of the shell blocks, where a backslash at the end goes on."""
    for page in (each for each in PAGES if each.name != "CHANGELOG.md"):  # it tells of what was
        for token in tokens(page):
            if token.type == "fence" and token.info.split(" ")[0] in _SHELLS:
                text = token.content.replace("\\\n", " ")
                for line in text.splitlines():
                    start = token.map[0] + 1 if token.map else 0
                    yield Command(str(page.relative_to(ROOT)), start, line.strip())


def commands() -> Iterator[Command]:
    """Every line of the shell blocks, and inline code."""
    yield from shell_lines()
    for page in (each for each in PAGES if each.name != "CHANGELOG.md"):
        for token in tokens(page):
            for child in token.children or ():
                if child.type == "code_inline":
                    start = token.map[0] + 1 if token.map else 0
                    yield Command(str(page.relative_to(ROOT)), start, child.content)
