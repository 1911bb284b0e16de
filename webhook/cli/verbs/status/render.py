"""The sections of the status as a person reads them, and as tools do."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from webhook.cli import output
from webhook.cli.output import Rendering
from webhook.cli.text import Paragraph, Text
from webhook.cli.verbs.status.section import Section


def render(sections: Mapping[str, Section]) -> Rendering:
    """Return every section, and what is wrong in all of them."""
    return Rendering(_record(sections), tuple(_screen(sections.values())))


def _record(sections: Mapping[str, Section]) -> dict[str, Any]:
    """What tools get. The keys are an interface.

    A section that cannot be seen is null, and so is `well` then, unless something is wrong.
    """
    kept = sections.values()
    missing = dict.fromkeys(one for each in kept for one in each.missing)
    wrong = [text for each in kept for text in each.wrong]
    well = None if any(each.unseen for each in kept) else True
    return {
        "well": False if wrong else well,
        "wrong": wrong,
        **{key: each.data for key, each in sections.items()},
        "notes": [text for each in kept for text in each.notes],
        "missing": [each.record for each in missing],
    }


def _screen(parts: Collection[Section]) -> Iterator[Paragraph]:
    for title, group in _grouped(parts):
        yield Text((title, "bold"))
        for shown in (
            *group.shown,
            *((f"cannot be seen: {group.unseen}",) if group.unseen else ()),
        ):
            yield output.indented(shown)
        for note in group.notes:
            yield output.indented(output.note(note))
        for text in group.wrong:
            yield output.indented(Text(("wrong: ", "bold red"), (output.safe(text), "red")))
        yield Text()
    yield from _last(parts)


def _grouped(parts: Collection[Section]) -> Iterator[tuple[str, Section]]:
    """Sections that cannot be seen for one reason stand together."""
    unseen: dict[str, list[Section]] = {}
    for each in parts:
        if each.unseen:
            unseen.setdefault(each.unseen, []).append(each)
        else:
            yield each.title, each
    for members in unseen.values():
        yield ", ".join(each.title for each in members), members[0]


def _last(parts: Collection[Section]) -> Iterator[Paragraph]:
    wrong = [text for each in parts for text in each.wrong]
    unseen = sum(bool(each.unseen) for each in parts)
    if wrong:
        things = "things are" if wrong[1:] else "thing is"
        yield Text((f"Not well: {len(wrong)} {things} wrong:", "bold red"))
        yield from (output.item(text) for text in wrong)
    elif unseen == len(parts):
        yield Text(("Nothing could be seen.", "bold yellow"))
    elif unseen:
        seen = f"{len(parts) - unseen} of {len(parts)} parts could be seen"
        yield Text((f"Nothing is wrong in what you may see: {seen}.", "bold yellow"))
    else:
        but = " But see the notes above." if any(each.notes for each in parts) else ""
        yield Text(("All is well.", "bold green"), but)
