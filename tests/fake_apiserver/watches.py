"""Watches and followed logs: what is sent as it comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.fake_apiserver.answers import status_body
from tests.fake_apiserver.selectors import selects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fake_apiserver.exchange import Exchange
    from tests.fake_apiserver.paths import Json
    from tests.fake_apiserver.store import Change

Line = tuple[str, "Json"]


async def serve_watch(exchange: Exchange, news: asyncio.Event) -> None:
    """Send the changes after the version that was asked for, until the time is over."""
    api, params = exchange.api, exchange.request.params
    await exchange.open_stream()
    asked = params.get("resourceVersion", "0")
    if asked == "0":
        seen = api.store.version
        for item in api.store.listed(exchange.request.resource):
            if selects(item, params):
                await exchange.send_event("ADDED", item)
    else:
        seen = int(asked)
    end = asyncio.get_running_loop().time() + float(params.get("timeoutSeconds", "300"))
    while exchange.open and (left := end - asyncio.get_running_loop().time()) > 0:
        news.clear()
        if seen < api.store.oldest:
            await exchange.send_event(
                "ERROR", status_body(410, f"too old resource version: {seen}")
            )
            return
        for change in [each for each in api.store.history if each.version > seen]:
            seen = change.version
            for line in _lines(exchange, change):
                await exchange.send_event(*line)
        await exchange.news(news, left)


def _lines(exchange: Exchange, change: Change) -> Iterator[Line]:
    """What a watch with these selectors sees of a change."""
    path, params = exchange.request.resource, exchange.request.params
    if change.kind == "BOOKMARK":
        if change.path.collection == path.collection:
            yield "BOOKMARK", change.item
        return
    if not path.contains(change.path):
        return
    before = change.before is not None and selects(change.before, params)
    after = change.kind != "DELETED" and selects(change.item, params)
    if before or after:
        yield ("MODIFIED" if before else "ADDED") if after else "DELETED", change.item


async def follow_text(exchange: Exchange, news: asyncio.Event) -> None:
    """Send a log and what is added to it, until the server stops or the log is gone."""
    api, path = exchange.api, exchange.request.path
    await exchange.open_stream()
    sent = 0
    while exchange.open and isinstance(text := api.texts.get(path), str):
        news.clear()
        if data := text.encode()[sent:]:
            sent += len(data)
            await exchange.send(data)
        await exchange.news(news)
