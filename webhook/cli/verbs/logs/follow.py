"""The audit log as it is written, with a task for each replica."""

import argparse
import asyncio
from typing import Final

import msgspec

from webhook.cli import output
from webhook.cli.cluster import flags, replicas
from webhook.cli.cluster.client import ClusterClient, Unavailable
from webhook.cli.output import JSON
from webhook.cli.verbs.logs.filters import LineFilter
from webhook.cli.verbs.logs.render import row_of
from webhook.core import record
from webhook.core.record_values import LogLine

_WIDTHS: Final = (
    ("time", 20), ("namespace", 16), ("owner", 36), ("workload", 12), ("requested", 12),
    ("given", 16), ("reason", 26), ("mode", 0),
)  # fmt: skip
"""Columns and their least widths: what comes later is not known yet."""


def print_as_written(client: ClusterClient, args: argparse.Namespace, wanted: LineFilter) -> int:
    """Print lines until all replicas ended, or the person has enough.

    Raises:
        Unavailable: the replicas cannot be seen, or there are none.
    """
    pods = replicas.list_replicas(client, args.install)
    if not pods:
        raise Unavailable("no replica of the webhook is there; see --install")

    async def follow_all() -> None:
        await asyncio.gather(*(_follow(client, args, pod.meta.name, wanted) for pod in pods))

    client.run(follow_all())
    return flags.FAILED


async def _follow(
    client: ClusterClient, args: argparse.Namespace, name: str, wanted: LineFilter
) -> None:
    path = replicas.log_path(args.install, name)
    since = str(args.since or 1)
    try:
        async with client.lines(
            path, container=replicas.CONTAINER, sinceSeconds=since, follow="true"
        ) as lines:
            async for text in lines:
                line = record.from_log_line(text)
                if line is not None and wanted.takes(line) and not wanted.skips(line):
                    print(_text(line, args.output), flush=True)  # noqa: T201 - the output
        output.warn((f"replica {name} ended",))
    except Unavailable as error:
        output.warn((f"replica {name} is left out: {error}",))


def _text(line: LogLine, chosen: str) -> str:
    if chosen == JSON:
        return msgspec.json.encode(line).decode()
    row = row_of(line)
    cells = [f"{output.safe(str(row[key] or '-')):<{width}}" for key, width in _WIDTHS]
    text = "  ".join(cells)
    return f"{text}  {output.safe(line.message)}" if line.message else text
