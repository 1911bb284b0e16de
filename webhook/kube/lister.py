"""One list without a watch, for commands that look at a cluster once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from webhook.kube.list_watch import ListWatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from webhook.kube.client import ApiClient
    from webhook.kube.list_watch import WatchedResource

T = TypeVar("T")


async def list_once(
    client: ApiClient, resource: WatchedResource[T], *, timeout: float
) -> tuple[Mapping[str, T], tuple[str, ...]]:
    """Return the items that matter by name, and a sentence for each unreadable one.

    `timeout` is in seconds and for each page. Raises ApiError.
    """
    state = ListWatch(resource)
    skipped: list[str] = []
    while not state.watching:
        body = await client.get(resource.path, state.list_params(), timeout=timeout)
        skipped.extend(state.take_page(body).skipped)
    items = {name: item for name, item in state.items.items() if item is not None}
    return items, tuple(skipped)
