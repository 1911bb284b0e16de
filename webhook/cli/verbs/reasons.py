"""`gpu-sharing reasons`: what each reason code means and what to do about it; asks no cluster."""

import argparse
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from webhook.cli import reasons_page
from webhook.cli.cluster import options, printing
from webhook.cli.cluster.printing import JSON, TABLE, YAML, put, structured
from webhook.cli.manifests import InputError
from webhook.cli.reasons_page import Section
from webhook.core.api.reasons import SENTENCES, Reason, link

_COLUMNS: Final = (("CODE", "reason"), ("WHAT IT SAYS", "sentence"))
EPILOG: Final = """\
Every decision has one of these codes: in a refusal in square brackets, in the log, in events and in
metrics. The page itself: docs/reasons.md

exit codes: 0 told, 2 there is no such code

examples:
  gpu-sharing reasons                              all of them
  gpu-sharing reasons tenant_needs_isolation       one, with an example and what to do
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "reasons",
        help="what a reason code means, and what to do about it",
        description="Explain the codes that stand in refusals, events, logs and metrics.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("code", nargs="?", metavar="CODE", help="one of them; else all")
    options.add_output(parser, TABLE, JSON, YAML)
    parser.set_defaults(run=options.told(run))


def run(args: argparse.Namespace) -> int:
    """Tell of one or of all."""
    found = reasons_page.sections()
    chosen = list(found.values()) if args.code is None else [found[code(args.code)]]
    if args.output in (JSON, YAML):
        records = [record(each) for each in chosen]
        print(structured(records, args.output))  # noqa: T201 - the command's output
    elif args.code is None:
        put(*_all(chosen))
    else:
        put(printing.pairs(_one(chosen[0])))
    return options.FINE


def code(text: str) -> Reason:
    """The reason that somebody means.

    Raises:
        InputError: there is none; the message names those that are spelled nearly so.
    """
    wanted = text.strip("[]").lower().replace("-", "_")
    if wanted in tuple(Reason):
        return Reason(wanted)
    near = get_close_matches(wanted, tuple(Reason), n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise InputError(f"there is no reason {text!r}{hint} (`gpu-sharing reasons` lists all)")


def record(section: Section) -> dict[str, Any]:
    """What tools get of one reason; the keys are an interface."""
    return {
        "reason": section.code.value,
        "group": section.group,
        "sentence": SENTENCES[section.code],
        "meaning": section.meaning,
        "example": section.example,
        "toDo": section.to_do,
        "link": link(section.code),
    }


def _all(sections: Iterable[Section]) -> Iterable[RenderableType]:
    groups: dict[str, list[Section]] = {}
    for each in sections:
        groups.setdefault(each.group, []).append(each)
    for heading, members in groups.items():
        yield Text(heading, "bold")
        yield printing.below(printing.table(_COLUMNS, map(record, members)))
        yield Text()
    yield Text("One of them, with an example and what to do: gpu-sharing reasons CODE")


def _one(section: Section) -> Iterable[tuple[str, str]]:
    yield "Reason", section.code.value
    yield "Group", section.group
    yield "In short", SENTENCES[section.code]
    yield "Meaning", section.meaning
    yield "For example", section.example
    yield "What to do", section.to_do
    yield "Page", link(section.code)
