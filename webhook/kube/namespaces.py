"""The labels of a namespace, watched or read by a short GET.

Tasks share a GET under way.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from webhook.core.api import names
from webhook.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping
    from contextlib import AbstractAsyncContextManager

    from webhook.kube.client import ApiClient
    from webhook.kube.clock import Runtime

    Labels = Mapping[str, str]

NAMESPACES_PATH: Final = "/api/v1/namespaces"


class LookupLimits(Struct, frozen=True):
    """What a lookup may cost, since the admission of a pod waits for it.

    seconds: of waiting in all, for a turn and for the answer. at_once: GETs under way. keep,
    keep_failure: seconds that an answer, or the lack of one, serves the pods that follow.
    most: names remembered. timer: makes the context that raises TimeoutError after `seconds`.
    """

    seconds: float = 0.5
    at_once: int = 8
    keep: float = 5.0
    keep_failure: float = 2.0
    most: int = 1000
    timer: Callable[[float], AbstractAsyncContextManager[object]] = asyncio.timeout


class _NamespaceMetadata(msgspec.Struct):
    labels: dict[str, str] | None = None


class _NamespaceObject(msgspec.Struct):
    metadata: _NamespaceMetadata


class _Lookup(Struct, frozen=True):
    """A GET under way or done, and until when its result serves others."""

    task: asyncio.Task[Labels | None]
    until: float = float("inf")


class NamespaceLabels:
    """Looks up labels. `watched` returns those that the watch knows by now."""

    def __init__(
        self,
        client: ApiClient,
        watched: Callable[[], Mapping[str, Labels]],
        *,
        runtime: Runtime,
        limits: LookupLimits,
    ) -> None:
        self._client = client
        self._watched = watched
        self._runtime = runtime
        self._limits = limits
        self._turns = asyncio.Semaphore(limits.at_once)
        self._lookups: dict[str, _Lookup] = {}

    def labels(self, name: str, modes: Collection[str]) -> Labels | Awaitable[Labels | None]:
        """Return the labels, or where they are not known yet what to wait for.

        The watch may be late, so it is believed only where it knows one of the modes. What to wait
        for gives None where the labels cannot be had within `limits.seconds`. Cancelling it cancels
        no lookup, which may have other readers.
        """
        known = self._watched().get(name)
        if known is not None and known.get(names.MODE) in modes:
            return known
        lookup = self._lookups.get(name)
        if lookup is None or lookup.until <= self._runtime.now():
            lookup = self._start(name)
        if lookup.task.done():
            found = lookup.task.result()
            if found is not None:
                return found
        return asyncio.shield(lookup.task)

    def _start(self, name: str) -> _Lookup:
        now = self._runtime.now()
        if len(self._lookups) >= self._limits.most:
            self._lookups = {key: each for key, each in self._lookups.items() if now < each.until}
        lookup = self._lookups[name] = _Lookup(asyncio.create_task(self._look_up(name)))
        lookup.task.add_done_callback(partial(self._remember, name))
        return lookup

    def _remember(self, name: str, task: asyncio.Task[Labels | None]) -> None:
        if task.cancelled():
            self._lookups.pop(name, None)
            return
        keep = self._limits.keep_failure if task.result() is None else self._limits.keep
        self._lookups[name] = _Lookup(task, self._runtime.now() + keep)

    async def _look_up(self, name: str) -> Labels | None:
        limits = self._limits
        problem = f"{limits.at_once} lookups are under way already"
        try:
            async with limits.timer(limits.seconds), self._turns:
                problem = f"no answer within {limits.seconds} s"
                path = f"{NAMESPACES_PATH}/{quote(name, safe='')}"
                return read_labels(await self._client.get(path, timeout=limits.seconds))
        except TimeoutError:
            pass
        except ApiError as failure:
            problem = str(failure)
        self._runtime.log("namespace not looked up", namespace=name, error=problem)
        return None


def read_labels(namespace: bytes | msgspec.Raw) -> Labels:
    """Return the labels of a Namespace's JSON.

    Raises ApiError if it is none.
    """
    try:
        return msgspec.json.decode(namespace, type=_NamespaceObject).metadata.labels or {}
    except msgspec.MsgspecError as error:
        raise ApiError(None, f"unreadable namespace: {error}") from error
