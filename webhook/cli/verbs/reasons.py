"""`gpu-sharing reasons`: what each reason code means and what to do about it; asks no cluster."""

import argparse
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import groupby
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from webhook.cli.cluster import options, printing
from webhook.cli.cluster.printing import JSON, TABLE, YAML, put, structured
from webhook.cli.manifests import InputError
from webhook.core.api.reason import Reason, link
from webhook.core.checks.registry import REASONS

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
    """Print one reason or all."""
    chosen = list(REASONS.values()) if args.code is None else [known_reason(args.code)]
    if args.output in (JSON, YAML):
        records = [record(each) for each in chosen]
        print(structured(records, args.output))  # noqa: T201 - the command's output
    elif args.code is None:
        put(*_all(chosen))
    else:
        put(printing.pairs(_one(chosen[0])))
    return options.FINE


def known_reason(text: str) -> Reason:
    """Return the reason that a person names.

    Raises:
        InputError: there is none; the message names those that are spelled nearly so.
    """
    wanted = text.strip("[]").lower().replace("-", "_")
    if wanted in REASONS:
        return REASONS[wanted]
    near = get_close_matches(wanted, REASONS, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise InputError(f"there is no reason {text!r}{hint} (`gpu-sharing reasons` lists all)")


def record(reason: Reason) -> dict[str, Any]:
    """Return what tools get of one reason; the keys are an interface."""
    return {
        "reason": reason.code,
        "group": reason.group.value,
        "sentence": reason.sentence,
        "meaning": reason.meaning,
        "example": reason.example,
        "toDo": reason.to_do,
        "link": link(reason),
    }


def _all(reasons: Iterable[Reason]) -> Iterable[RenderableType]:
    for heading, members in groupby(reasons, key=lambda each: each.group):
        yield Text(heading.value, "bold")
        yield printing.below(printing.table(_COLUMNS, map(record, members)))
        yield Text()
    yield Text("One of them, with an example and what to do: gpu-sharing reasons CODE")


def _one(reason: Reason) -> Iterable[tuple[str, str]]:
    yield "Reason", reason.code
    yield "Group", reason.group.value
    yield "Meaning", reason.meaning
    yield "For example", reason.example
    yield "What to do", reason.to_do
    yield "Page", link(reason)
