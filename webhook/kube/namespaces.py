"""The labels of a namespace: watched ones at once, others by a short GET; it judges no label."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from webhook.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from webhook.kube.clock import Runtime
    from webhook.kube.connection import Connection

PATH = "/api/v1/namespaces"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a lookup may cost: a pod's admission waits for it.

    seconds: of waiting, in all. at_once: GETs under way. keep, keep_failure: seconds that an
    answer, or the lack of one, serves the pods that follow. most: names remembered.
    """

    seconds: float = 0.5
    at_once: int = 4
    keep: float = 5.0
    keep_failure: float = 2.0
    most: int = 1000


class _Metadata(msgspec.Struct):
    labels: dict[str, str] | None = None


class _Namespace(msgspec.Struct):
    metadata: _Metadata


@dataclass(frozen=True, slots=True)
class _Flight:
    """A GET under way or done; pods of the same namespace wait for the same one."""

    labels: Future[Mapping[str, str] | None]
    until: float = float("inf")


class Namespaces:
    """Looks up labels; threads may share it. `watched` returns what the watch knows by now."""

    def __init__(
        self,
        connection: Connection,
        watched: Callable[[], Mapping[str, Mapping[str, str]]],
        *,
        runtime: Runtime,
        limits: Limits,
    ) -> None:
        self._connection = connection
        self._watched = watched
        self._runtime = runtime
        self._limits = limits
        self._slots = threading.BoundedSemaphore(limits.at_once)
        self._lock = threading.Lock()
        self._flights: dict[str, _Flight] = {}

    def labels(self, name: str) -> Mapping[str, str] | None:
        """Return the labels, or None if they cannot be had within `limits.seconds`."""
        known = self._watched().get(name)
        if known is not None:
            return known
        flight, mine = self._board(name)
        if mine:
            self._fly(name, flight)
        try:
            return flight.labels.result(self._limits.seconds)
        except TimeoutError:
            return None  # whoever flies tells of it

    def _board(self, name: str) -> tuple[_Flight, bool]:
        """Return the flight for `name`, and whether the caller has to fly it."""
        with self._lock:
            now = self._runtime.now()
            flight = self._flights.get(name)
            if flight is not None and now < flight.until:
                return flight, False
            if len(self._flights) >= self._limits.most:
                self._flights = {n: f for n, f in self._flights.items() if now < f.until}
            flight = self._flights[name] = _Flight(Future())
            return flight, True

    def _fly(self, name: str, flight: _Flight) -> None:
        labels, limits = None, self._limits
        try:
            labels = self._ask(name)
        except ApiError as failure:
            self._runtime.told("namespace not looked up", namespace=name, error=str(failure))
        finally:
            keep = limits.keep_failure if labels is None else limits.keep
            with self._lock:
                self._flights[name] = _Flight(flight.labels, self._runtime.now() + keep)
            flight.labels.set_result(labels)

    def _ask(self, name: str) -> Mapping[str, str]:
        started = self._runtime.now()
        if not self._slots.acquire(timeout=self._limits.seconds):
            raise ApiError(None, f"{self._limits.at_once} lookups are under way already")
        try:
            left = self._limits.seconds - (self._runtime.now() - started)
            path = f"{PATH}/{quote(name, safe='')}"
            return read_labels(self._connection.get(path, {}, timeout=max(left, 0.001)))
        finally:
            self._slots.release()


def read_labels(namespace: bytes | msgspec.Raw) -> Mapping[str, str]:
    """Return the labels of a Namespace's JSON; raise ApiError if it is none."""
    try:
        return msgspec.json.decode(namespace, type=_Namespace).metadata.labels or {}
    except msgspec.MsgspecError as error:
        raise ApiError(None, f"unreadable namespace: {error}") from error
