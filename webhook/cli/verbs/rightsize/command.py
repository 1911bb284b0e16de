"""The command `gpu-sharing rightsize`."""

import argparse
from collections.abc import Iterable, Iterator
from typing import Any, Final

from webhook.cli import output
from webhook.cli.cluster import flags
from webhook.cli.cluster.flags import Commands, Verb
from webhook.cli.forecast.collect import collect
from webhook.cli.measure.assess import owner_path, owner_record
from webhook.cli.measure.flags import add_measure_flags, read_assessment
from webhook.cli.output import DIFF, JSON, PATCH, YAML, Rendering
from webhook.cli.pool_data import load_catalog
from webhook.cli.text import Paragraph, Text
from webhook.cli.verbs.rightsize.changes import (
    SizeChange,
    Unchanged,
    apply_change,
    find_changes,
    patch_of,
)
from webhook.core.pools.catalog import find_model

VERB: Final = Verb(
    "rightsize",
    "Print what to write into pod templates so that they get what they use.",
    """\
The recommendations of `gpu-sharing audit --prometheus` as annotations of the owners' templates. The
memory is the peak of the window and a fifth, and never less than what is written; what differs by
less than a tenth stays. Nothing is applied.

exit codes: 0 nothing to change, 1 something is, 2 the cluster or Prometheus could not be read

examples:
  gpu-sharing rightsize --prometheus http://localhost:9090            the changes as a diff
  gpu-sharing rightsize --prometheus http://localhost:9090 -o patch   for a pull request
  gpu-sharing rightsize --prometheus http://localhost:9090 -n shop --window 14d
""",
)


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = flags.add_verb(commands, VERB, run)
    parser.add_argument("-n", "--namespace", metavar="NAME", help="only this one; else all")
    flags.add_source_flags(parser)
    add_measure_flags(parser, required=True)
    flags.add_output_flag(parser, DIFF, PATCH, JSON, YAML)
    flags.add_cluster_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Read, measure and print. See the exit codes above."""
    with flags.open_cluster(args) as client:
        found = collect(client, args)
    use = read_assessment(found, args)
    products = {each.need.product for each in use.workloads}
    models = {product: find_model(load_catalog(), product) for product in products}
    said = tuple(find_changes(use.workloads, models))
    changes = [each for each in said if isinstance(each, SizeChange)]
    rest = [each for each in said if isinstance(each, Unchanged)]
    output.show(_rendering(changes, rest), args.output)
    return flags.FOUND if changes else flags.FINE


def _rendering(changes: list[SizeChange], rest: list[Unchanged]) -> Rendering:
    notes = tuple(f"{each.name}: {each.why}" for each in rest)
    return Rendering(
        record={"changes": [_record(each) for each in changes], "notes": list(notes)},
        screen=tuple(_screen(changes, notes)),
        notes=notes,
        texts={PATCH: lambda: "\n---\n".join(_patches(changes))},
    )


def _record(each: SizeChange) -> dict[str, Any]:
    return {
        **owner_record(each.sized.request),
        "annotations": dict(each.annotations),
        "reason": each.sized.advice.reason,
        "confidence": each.sized.advice.confidence.value,
        "savedGpus": round(each.sized.saved, 3),
        "patch": patch_of(each),
    }


def _screen(changes: Iterable[SizeChange], notes: Iterable[str]) -> Iterator[Paragraph]:
    for each in changes:
        title = f"{owner_path(each.sized.request)} ({each.sized.advice.confidence} confidence)"
        yield Text((title, "bold"))
        yield output.indented(each.sized.advice.reason)
        yield output.coloured_diff(output.diff(*apply_change(each)))
        yield Text()
    if not changes:
        yield Text("nothing to change")
    yield from map(output.note, notes)


def _patches(changes: Iterable[SizeChange]) -> Iterator[str]:
    """Each as YAML with the reason in a comment."""
    for each in changes:
        head = f"# {owner_path(each.sized.request)}: {each.sized.advice.reason}"
        patch = patch_of(each)
        if patch is None:
            yield f"{head}\n# no merge patch reaches {each.sized.request.template}: see -o diff"
        else:
            yield f"{head}\n{output.structured(patch, YAML)}"
