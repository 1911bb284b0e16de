"""`gpu-sharing logs`: the audit trail of all replicas as one, or events where it cannot be read."""

import argparse
from collections.abc import Iterable, Iterator
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from webhook.cli.cluster import options, printing, times
from webhook.cli.cluster.printing import JSON, TABLE, WIDE, YAML, Column, progress, put, structured
from webhook.cli.manifests import InputError
from webhook.cli.verbs import reasons
from webhook.cli.verbs.logs import follow as followed
from webhook.cli.verbs.logs import read as trails
from webhook.cli.verbs.logs import records
from webhook.cli.verbs.logs.read import Trail
from webhook.core.api.admission import Mode
from webhook.core.api.workload import Workload
from webhook.core.record import LogLine

HOUR: Final = 3600
_COLUMNS: Final[tuple[Column, ...]] = (
    ("TIME", "time"), ("NAMESPACE", "namespace"), ("OWNER", "owner"), ("WORKLOAD", "workload"),
    ("ASKED", "asked"), ("GOT", "got"), ("REASON", "reason"), ("MODE", "mode"),
)  # fmt: skip
_WIDE: Final[tuple[Column, ...]] = (("MESSAGE", "message"),)
_EVENTS: Final[tuple[Column, ...]] = (("TIMES", "times"),)
EPILOG: Final = """\
Every replica writes a line for each review; this merges them by time. Validations that found
nothing and dry runs are left out, but with --all. Who may not read these logs sees the webhook's
events of one namespace instead: refusals and rewrites, of the last hour as a rule.

exit codes: 0 shown, 2 nothing could be read

examples:
  gpu-sharing logs                                the last hour, all namespaces
  gpu-sharing logs -n team-a --refused            what was refused to one namespace, and why
  gpu-sharing logs --since 1d --owner web -o json for tools: the lines as they were written
  gpu-sharing logs -f                             as it happens, until Ctrl-C
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "logs",
        help="what was decided, over all replicas: who asked, who got what, who was refused",
        description="Show the webhook's audit trail, the lines of all replicas as one.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-n", "--namespace", metavar="NAME", help="of the pods; else all of them")
    parser.add_argument("--workload", choices=tuple(Workload), type=str, help="only these pods")
    parser.add_argument("--reason", metavar="CODE", help="only this; `gpu-sharing reasons` has all")
    parser.add_argument(
        "--mode", choices=tuple(Mode), type=str, help="only namespaces in this mode"
    )
    parser.add_argument("--owner", metavar="NAME", help="pods of this Deployment, Job, … or pod")
    parser.add_argument("--refused", action="store_true", help="only refusals")
    parser.add_argument(
        "--all", action="store_true", help="also validations that found nothing, and dry runs"
    )
    parser.add_argument(
        "--since", metavar="TIME", type=times.span, help="10m, 2h, 1d; default 1h, with -f now"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    options.add_output(parser, TABLE, WIDE, JSON, YAML)
    options.add_cluster(parser)
    parser.set_defaults(run=options.told(run))


def run(args: argparse.Namespace) -> int:
    """Read, merge and show; see the exit codes above."""
    if args.reason is not None:
        reasons.known_reason(args.reason)
    if args.follow and args.output == YAML:
        raise InputError("-f goes on for ever, so write -o json with it: a line each")
    wanted = records.filter_of(args)
    with options.opened(args) as access:
        if args.follow:
            return followed.show(access, args.install, wanted, args)
        with progress("reading the trail …"):
            found = trails.read(access, args.install, wanted, args.since or HOUR)
    if args.output in (JSON, YAML):
        print(structured(list(found.lines), args.output))  # noqa: T201 - the command's output
        printing.warn(found.notes)
        return options.FINE
    if found.lines:
        printing.put_list(_columns(found, wide=args.output == WIDE), map(records.row, found.lines))
    put(*_ends(found, args))
    return options.FINE


def _columns(found: Trail, *, wide: bool) -> tuple[Column, ...]:
    columns = _COLUMNS + (_EVENTS if found.events else ())
    return columns + _WIDE if wide else columns


def _ends(found: Trail, args: argparse.Namespace) -> Iterator[RenderableType]:
    if not found.lines:
        back = times.short(args.since or HOUR)
        yield Text(f"No such decision in the last {back}.")
    elif args.output != WIDE:
        yield from _messages(found.lines)
    yield from (printing.note(each) for each in found.notes)


def _messages(lines: Iterable[LogLine]) -> Iterator[RenderableType]:
    """Every refusal's message once, with how often it was said."""
    said: dict[str, int] = {}
    for line in lines:
        if line.message:
            said[line.message] = said.get(line.message, 0) + line.count
    if said:
        yield Text()
        yield Text("Why refused:", "bold")
    for message, count in said.items():
        yield printing.item(message + (f" ({count} times)" if count > 1 else ""))
