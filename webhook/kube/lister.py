"""One list and no watch, for commands that look at a cluster once; no retry, no thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from webhook.kube.list_watch import Driver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from webhook.kube.connection import Connection
    from webhook.kube.list_watch import Source

T = TypeVar("T")


def read_once(
    connection: Connection, source: Source[T], *, timeout: float
) -> tuple[Mapping[str, T], tuple[str, ...]]:
    """Return the items that matter by name, and a sentence for each that could not be read.

    `timeout` is in seconds and for each page. Raises ApiError.
    """
    driver = Driver(source)
    skipped: list[str] = []
    while not driver.watching:
        request = driver.list_request()
        body = connection.get(request.path, request.params, timeout=timeout)
        skipped.extend(driver.listed(body).skipped)
    items = {name: item for name, item in driver.items.items() if item is not None}
    return items, tuple(skipped)
