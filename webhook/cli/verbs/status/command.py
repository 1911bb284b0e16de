"""`gpu-sharing status`: is the webhook well, what does the cluster offer, who uses it."""

import argparse
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from webhook.cli.cluster import options, printing
from webhook.cli.cluster.client import Access, Lacking, Unavailable
from webhook.cli.cluster.options import Install
from webhook.cli.cluster.printing import JSON, TABLE, YAML, below, progress, put, structured
from webhook.cli.verbs.status import installed, metrics
from webhook.cli.verbs.status import namespaces as people
from webhook.cli.verbs.status.metrics import Pages
from webhook.cli.verbs.status.section import Part, looked

EPILOG: Final = """\
Every part is looked at with your own rights; what you may not see is said in its place, with the
right that is missing. The chart's `people.viewers` has all of them.

exit codes: 0 all is well, as far as you may see, 1 something is wrong, 2 nothing could be seen

examples:
  gpu-sharing status
  gpu-sharing status -o json
  gpu-sharing status --install my-namespace/my-release
"""
_OF_METRICS: Final = (
    ("certificate", "Certificate"), ("policy", "Policy"), ("inventory", "Inventory"),
    ("undecided", "Undecided pods"), ("counts", "Refusals since the replicas started"),
)  # fmt: skip


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "status",
        help="is the webhook well, what do the nodes offer, who opted in, who was refused",
        description="Show how the webhook is, what the cluster offers, and who uses it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_output(parser, TABLE, JSON, YAML)
    options.add_cluster(parser)
    parser.set_defaults(run=options.told(run))


def run(args: argparse.Namespace) -> int:
    """Look at everything and tell; see the exit codes above."""
    with options.opened(args) as access, progress("looking at the webhook …"):
        parts = tuple(_parts(access, args.install))
    if args.output in (JSON, YAML):
        print(structured(record(parts), args.output))  # noqa: T201 - the command's output
    else:
        put(*_screen(parts))
    if all(each.unseen for each in parts):
        return options.FAILED
    return options.FOUND if any(each.wrong for each in parts) else options.FINE


def _parts(access: Access, where: Install) -> Iterator[Part]:
    now = datetime.now(UTC)
    yield _first(access, where)
    look: Callable[[], Part] = partial(installed.webhooks, access, where)
    yield looked("webhooks", "Webhooks (failurePolicy)", look)
    yield from _of_metrics(access, where, now.timestamp())
    yield looked("namespaces", "Namespaces", partial(people.namespaces, access))
    yield looked("refusals", "Refusals of the last hour", partial(people.refusals, access, now))


def _first(access: Access, where: Install) -> Part:
    """The install; if it is not there, or the cluster does not answer, there is no more to see."""
    try:
        return installed.install(access, where)
    except Lacking as lacking:
        return Part("install", "Install", unseen=str(lacking), missing=(lacking.right,))


def _of_metrics(access: Access, where: Install, now: float) -> Iterator[Part]:
    try:
        pages = metrics.fetch(access, where)
    except Unavailable as error:
        missing = (error.right,) if isinstance(error, Lacking) else ()
        for key, title in _OF_METRICS:
            yield Part(key, title, unseen=str(error), missing=missing)
        return
    yield from _told(pages, now)


def _told(pages: Pages, now: float) -> Iterator[Part]:
    yield metrics.certificate(pages, now)
    yield metrics.policy(pages)
    yield metrics.inventory(pages)
    yield metrics.undecided(pages)
    yield metrics.counts(pages)


def record(parts: Iterable[Part]) -> dict[str, Any]:
    """What tools get; the keys are an interface.

    A part that cannot be seen is null, and so is `well` then, unless something is wrong.
    """
    kept = tuple(parts)
    missing = dict.fromkeys(right for each in kept for right in each.missing)
    wrong = [text for each in kept for text in each.wrong]
    well = None if any(each.unseen for each in kept) else True
    return {
        "well": False if wrong else well,
        "wrong": wrong,
        **{each.key: each.data for each in kept},
        "notes": [text for each in kept for text in each.notes],
        "missing": [right.record for right in missing],
    }


def _screen(parts: tuple[Part, ...]) -> Iterator[RenderableType]:
    for title, group in _grouped(parts):
        yield Text(title, "bold")
        for shown in (
            *group.shown,
            *((f"cannot be seen: {group.unseen}",) if group.unseen else ()),
        ):
            yield below(shown)
        for note in group.notes:
            yield below(printing.note(note))
        for text in group.wrong:
            yield below(Text.assemble(("wrong: ", "bold red"), (printing.safe(text), "red")))
        yield Text()
    yield from _last(parts)


def _grouped(parts: tuple[Part, ...]) -> Iterator[tuple[str, Part]]:
    """Parts that cannot be seen for one reason stand together, so that it is said once."""
    unseen: dict[str, list[Part]] = {}
    for each in parts:
        if each.unseen:
            unseen.setdefault(each.unseen, []).append(each)
        else:
            yield each.title, each
    for members in unseen.values():
        yield ", ".join(each.title for each in members), members[0]


def _last(parts: tuple[Part, ...]) -> Iterator[RenderableType]:
    wrong = [text for each in parts for text in each.wrong]
    unseen = sum(bool(each.unseen) for each in parts)
    if wrong:
        yield Text(
            f"Not well: {len(wrong)} {'things are' if wrong[1:] else 'thing is'} wrong:", "bold red"
        )
        yield from (printing.item(text) for text in wrong)
    elif unseen == len(parts):
        yield Text("Nothing could be seen.", "bold yellow")
    elif unseen:
        seen = f"{len(parts) - unseen} of {len(parts)} parts could be seen"
        yield Text(f"Nothing is wrong in what you may see: {seen}.", "bold yellow")
    else:
        yield Text("All is well.", "bold green")
