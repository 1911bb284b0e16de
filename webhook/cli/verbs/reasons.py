"""`gpu-sharing reasons`: what each reason code means, and what to do about it."""

import argparse
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from webhook.cli import output
from webhook.cli.cluster import flags
from webhook.cli.cluster.flags import Commands, Verb
from webhook.cli.output import JSON, TABLE, YAML, Rendering
from webhook.cli.reason_codes import known_reason
from webhook.cli.text import Paragraph, Text
from webhook.core.api.reason import Reason
from webhook.core.checks.registry import REASONS

_COLUMNS: Final = (("CODE", "reason"), ("WHAT IT SAYS", "sentence"))
VERB: Final = Verb(
    "reasons",
    "Explain the codes that stand in refusals, events, logs and metrics.",
    """\
Every decision has one of these codes: in a refusal in square brackets, in the log, in events and in
metrics. The page itself: docs/reasons.md

exit codes: 0 shown, 2 there is no such code

examples:
  gpu-sharing reasons                              all of them
  gpu-sharing reasons tenant_needs_isolation       one, with an example and what to do
""",
)


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = flags.add_verb(commands, VERB, run)
    parser.add_argument("code", nargs="?", metavar="CODE", help="one of them; else all")
    flags.add_output_flag(parser, TABLE, JSON, YAML)


def run(args: argparse.Namespace) -> int:
    """Print one reason or all."""
    if args.code is None:
        records = [record_of(each) for each in REASONS.values()]
        output.show(Rendering(records, tuple(_all())), args.output)
    else:
        reason = known_reason(args.code)
        rendering = Rendering([record_of(reason)], (output.pairs(_one(reason)),))
        output.show(rendering, args.output)
    return flags.FINE


def record_of(reason: Reason) -> dict[str, Any]:
    """Return what tools get of one reason. The keys are an interface."""
    return {
        "reason": reason.code,
        "group": reason.group.value,
        "sentence": reason.sentence,
        "meaning": reason.meaning,
        "example": reason.example,
        "toDo": reason.to_do,
    }


def _all() -> Iterator[Paragraph]:
    for heading, members in groupby(REASONS.values(), key=lambda each: each.group):
        yield Text((heading.value, "bold"))
        yield output.indented(output.table(_COLUMNS, map(record_of, members)))
        yield Text()
    yield Text("One of them, with an example and what to do: gpu-sharing reasons CODE")


def _one(reason: Reason) -> Iterator[tuple[str, str]]:
    yield "Reason", reason.code
    yield "Group", reason.group.value
    yield "Meaning", reason.meaning
    yield "For example", reason.example
    yield "What to do", reason.to_do
