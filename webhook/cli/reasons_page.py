"""docs/reasons.md, which is shipped with the program, as values: one section a reason."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

from webhook.core.api.reasons import Reason

_SECTION: Final = re.compile(r"^### ([a-z_]+)\n", re.MULTILINE)
_HEADING: Final = re.compile(r"^## (.+)\n", re.MULTILINE)
_LINK: Final = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_CODES: Final = frozenset(each.value for each in Reason)
_EXAMPLE: Final = "- For example: "
_TO_DO: Final = "- What to do: "


@dataclass(frozen=True, slots=True)
class Section:
    """What the page says of one reason, as plain text; `group` is the heading above it."""

    code: Reason
    group: str
    meaning: str
    example: str
    to_do: str


def sections() -> Mapping[Reason, Section]:
    """Every reason's section, in the order of the page."""
    page = (resources.files("webhook") / "pages" / "reasons.md").read_text(encoding="utf-8")
    found: dict[Reason, Section] = {}
    group = ""
    for heading in re.split(r"^(?=## )", page, flags=re.MULTILINE):
        titled = _HEADING.match(heading)
        group = titled[1] if titled else group
        parts = _SECTION.split(heading)[1:]
        for code, text in zip(parts[::2], parts[1::2], strict=True):
            if code in _CODES:
                found[Reason(code)] = _section(Reason(code), group, text)
    return found


def _section(code: Reason, group: str, text: str) -> Section:
    plain = _LINK.sub(r"\1", text)
    paragraphs = [" ".join(part.split()) for part in plain.split("\n\n") if part.strip()]
    listed = [line for line in plain.splitlines() if line.startswith("- ")]
    return Section(
        code=code,
        group=group,
        meaning=" ".join(each for each in paragraphs if not each.startswith("- ")),
        example=_after(_EXAMPLE, listed),
        to_do=_after(_TO_DO, listed),
    )


def _after(start: str, lines: list[str]) -> str:
    return next((line.removeprefix(start) for line in lines if line.startswith(start)), "")
