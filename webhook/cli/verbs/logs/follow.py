"""The trail of all replicas as it is written: a thread a replica, lines in the order they come."""

import argparse
import queue
import threading
from typing import Any, Final

import msgspec

from webhook.cli.cluster import options, printing, replicas
from webhook.cli.cluster.client import Access, Unavailable
from webhook.cli.cluster.options import Install
from webhook.cli.cluster.printing import JSON
from webhook.cli.cluster.replicas import CONTAINER
from webhook.cli.verbs.logs import records
from webhook.cli.verbs.logs.records import Filter
from webhook.core import record
from webhook.core.record import LogLine

_SHAPE: Final = (
    ("time", 20), ("namespace", 16), ("owner", 36), ("workload", 12), ("asked", 12), ("got", 16),
    ("reason", 26), ("mode", 0),
)  # fmt: skip
"""Columns and their least widths: what comes later is not known yet."""

_News = queue.Queue[LogLine | str | None]


def show(access: Access, install: Install, flt: Filter, args: argparse.Namespace) -> int:
    """Print lines until all replicas ended, or the person has enough.

    Raises:
        Unavailable: the replicas cannot be seen, or there are none.
    """
    pods = replicas.of(access, install)
    if not pods:
        raise Unavailable("no replica of the webhook is there; see --install")
    news: _News = queue.Queue()
    for pod in pods:
        asked = (access, install, pod.meta.name, args.since or 1)
        threading.Thread(target=_follow, args=(asked, flt, news), daemon=True).start()
    running = len(pods)
    while running:
        told = news.get()
        if told is None:
            running -= 1
        elif isinstance(told, str):
            printing.warn((told,))
        else:
            print(_text(told, args.output), flush=True)  # noqa: T201 - the command's output
    return options.FAILED


def _follow(asked: tuple[Access, Install, str, int], flt: Filter, news: _News) -> None:
    access, install, name, since = asked
    right, path = replicas.log(install, name)
    try:
        asked_for = {"container": CONTAINER, "follow": "true", "sinceSeconds": str(since)}
        for text in access.lines(right, path, **asked_for):
            line = record.from_log_line(text)
            if line is None or not records.wanted(line, flt):
                continue
            if flt.everything or not records.quiet(line):
                news.put(line)
        news.put(f"replica {name} ended")
    except Unavailable as error:
        news.put(f"replica {name} is left out: {error}")
    finally:
        news.put(None)


def _text(line: LogLine, output: str) -> str:
    if output == JSON:
        return msgspec.json.encode(line).decode()
    row: dict[str, Any] = records.row(line)
    cells = [f"{printing.safe(str(row[key] or '-')):<{width}}" for key, width in _SHAPE]
    text = "  ".join(cells)
    return f"{text}  {printing.safe(row['message'])}" if row["message"] else text
