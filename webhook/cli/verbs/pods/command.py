"""`gpu-sharing pods`: who has which GPU, and how."""

import argparse
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from webhook.cli.cluster import loaders, namespace_policy, options, printing, types
from webhook.cli.cluster.client import Access, Lacking
from webhook.cli.cluster.printing import JSON, TABLE, WIDE, YAML, Column, progress, put, structured
from webhook.cli.verbs.pods import rows
from webhook.cli.verbs.pods.rows import Holder
from webhook.core.api.workload import Workload
from webhook.core.gpu.strategies import Strategy
from webhook.core.integrations import kubernetes

_STRATEGIES: Final = (*(each.value for each in Strategy), "mixed", "none")
_NAMESPACE: Final[tuple[Column, ...]] = (("NAMESPACE", "namespace"),)
_COLUMNS: Final[tuple[Column, ...]] = (
    ("NAME", "name"), ("WORKLOAD", "workload"), ("TENANT", "tenant"), ("GETS", "gets"),
    ("STRATEGY", "strategy"), ("NODE", "node"), ("STATUS", "status"),
)  # fmt: skip
_WIDE: Final[tuple[Column, ...]] = (
    ("ASKED", "asked"), ("REASON", "reason"), ("OWNER", "owner"), ("AGE", "age"),
)  # fmt: skip
EPILOG: Final = """\
Only pods that ask for a GPU are shown, with names of resources without nvidia.com/. Strategy,
workload and tenant are what the pod's annotation says, if that fits what it requests; a pod without
a decision shows `-`.

exit codes: 0 shown, 2 the pods could not be looked at

examples:
  gpu-sharing pods                          in the current namespace
  gpu-sharing pods -A -o wide               everywhere, with asks, reasons and owners
  gpu-sharing pods -A --strategy none       those that the webhook never decided
  gpu-sharing pods -n team-a --workload training -o json
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "pods",
        help="who has which GPU, by strategy",
        description="List the pods that ask for a GPU, with what each got and how.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--strategy", choices=_STRATEGIES, help="only these; none: without a decision"
    )
    parser.add_argument("--workload", choices=tuple(Workload), type=str, help="only these")
    options.add_namespace(parser)
    options.add_output(parser, TABLE, WIDE, JSON, YAML)
    options.add_cluster(parser)
    parser.set_defaults(run=options.told(run))


def run(args: argparse.Namespace) -> int:
    """Look and list; see the exit codes above."""
    now = datetime.now(UTC)
    with options.opened(args) as access, progress("reading pods …"):
        namespace = options.namespace_of(args, access)
        labels, notes = _labels(access, namespace)
        everything = sorted(_holders(access, args, namespace, labels), key=_order)
    found = [each for each in everything if _wanted(each, args)]
    records = [rows.record(each, now) for each in found]
    if args.output in (JSON, YAML):
        print(structured(records, args.output))  # noqa: T201 - the command's output
        printing.warn(notes)
    else:
        columns = (() if namespace else _NAMESPACE) + _COLUMNS
        columns += _WIDE if args.output == WIDE else ()
        if records:
            printing.put_list(columns, map(rows.row, records))
            put(Text())
        put(*_ends(found, _nothing(namespace, everything), notes))
    return options.FINE


def _labels(
    access: Access, namespace: str | None
) -> tuple[Mapping[str, Mapping[str, str]], tuple[str, ...]]:
    try:
        return dict(loaders.namespaces(access, namespace)), ()
    except Lacking as lacking:
        return {}, (f"modes and defaults of namespaces are not known: {lacking}",)


def _holders(
    access: Access,
    args: argparse.Namespace,
    namespace: str | None,
    labels: Mapping[str, Mapping[str, str]],
) -> Iterator[Holder]:
    policy = namespace_policy.policy(access, args.install, None).policy
    for each in access.each(kubernetes.POD, namespace):
        live = types.live(each)
        found = rows.of(live, labels.get(live.meta.namespace), policy)
        if found is not None:
            yield found


def _order(each: Holder) -> tuple[str, str]:
    return each.live.meta.namespace, each.live.meta.name


def _wanted(each: Holder, args: argparse.Namespace) -> bool:
    strategy = each.strategy or "none"
    return args.strategy in (None, strategy) and args.workload in (None, each.workload)


def _nothing(namespace: str | None, found: list[Holder]) -> str:
    where = f"in namespace {namespace}" if namespace else "of the cluster"
    if not found:
        return f"No pod {where} asks for a GPU."
    return f"None of the pods {where} that ask for a GPU ({len(found)}) is such a one."


def _ends(found: list[Holder], nothing: str, notes: tuple[str, ...]) -> Iterator[RenderableType]:
    yield Text(rows.summary(found) or nothing)
    undecided = [each for each in found if each.undecided]
    if undecided:
        spaces = ", ".join(sorted({each.live.meta.namespace for each in undecided}))
        yield printing.note(
            f"running in an enforcing namespace ({spaces}) without a decision: {len(undecided)}. "
            "Such a pod was made before the namespace opted in, by an exempt user, or while the "
            "webhook was down; delete it, so that it is made and decided anew."
        )
    yield from (printing.note(each) for each in notes)
