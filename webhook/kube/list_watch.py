"""List and watch as a state machine: what to ask next and what an answer means; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Generic, TypeVar

from webhook.kube.api_types import Event, ListPage, Status, name_of, parse, version_of
from webhook.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import msgspec

T = TypeVar("T")

ABSENT = object()  # told apart from None, which is an item that does not matter
PAGE_SIZE = 500  # objects: a page of nodes is about 5 MB, and client-go asks for as many


@dataclass(frozen=True, slots=True)
class Source(Generic[T]):
    """A cluster-scoped resource, and how to read one object of it.

    `name` is its plural as RBAC spells it. `decode` gets the JSON of one object and returns the
    few fields that matter, None if the object does not matter; what it raises means unreadable.
    It must not keep the Raw, which holds on to the whole answer. Values are compared with `==`.
    """

    name: str
    path: str
    decode: Callable[[msgspec.Raw], T | None]
    label_selector: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A GET as plain data."""

    path: str
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Heard:
    """What an answer did: whether the items differ now, and which objects could not be read."""

    changed: bool
    skipped: tuple[str, ...] = ()


class Driver(Generic[T]):
    """The items of one source as far as they were told, and what to ask next.

    An object that cannot be read keeps the last value that could be; one such object must not
    cost the rest. An item of None exists and does not matter: it is kept apart from a deleted one.
    """

    def __init__(self, source: Source[T], *, watch_seconds: int = 300) -> None:
        self._source = source
        self._watch_seconds = watch_seconds
        self._items: dict[str, T | None] = {}
        self._pages: dict[str, T | None] = {}
        self._token = ""
        self._version = ""

    @property
    def items(self) -> Mapping[str, T | None]:
        """The items by name, of the last whole list and all events since."""
        return self._items

    @property
    def watching(self) -> bool:
        """Whether to ask with `watch_request`, or with `list_request`."""
        return bool(self._version)

    def list_request(self) -> Request:
        """Ask for the next page of the list."""
        params = {"limit": str(PAGE_SIZE)}
        if self._token:
            params["continue"] = self._token
        return self._request(params)

    def watch_request(self) -> Request:
        """Ask for what happened since the last thing heard."""
        params = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(self._watch_seconds),
            "resourceVersion": self._version,
        }
        return self._request(params)

    def listed(self, body: bytes) -> Heard:
        """Take a page; the items change with the last one. Raise ApiError if it is no list."""
        page = parse(body, ListPage)
        skipped = self._read(page.items or ())
        self._token = page.metadata.token
        if self._token:
            return Heard(changed=False, skipped=skipped)
        changed = self._pages != self._items
        self._items, self._pages = self._pages, {}
        self._version = page.metadata.resource_version
        return Heard(changed=changed, skipped=skipped)

    def event(self, line: bytes) -> Heard:
        """Take one line of a watch; raise ApiError if it says that the watch is broken."""
        try:
            return self._hear(line)
        except ApiError:
            self.relist()
            raise

    def failed(self, failure: ApiError) -> None:
        """Draw the consequence of a failed request: list again, or go on from where we were.

        A broken transport loses nothing: the next watch goes on from the last version. An error
        that the server states is doubt (410: too old; 504: our version is of the future, after
        a restore of etcd), except that it is busy (429), which a list would only make worse.
        """
        busy = failure.status == HTTPStatus.TOO_MANY_REQUESTS
        if not self.watching or (failure.status is not None and not busy):
            self.relist()

    def relist(self) -> None:
        """List from the start next; the items stay until that list is whole."""
        self._version = self._token = ""
        self._pages = {}

    def _request(self, params: dict[str, str]) -> Request:
        if self._source.label_selector:
            params["labelSelector"] = self._source.label_selector
        return Request(self._source.path, params)

    def _hear(self, line: bytes) -> Heard:
        event = parse(line, Event)
        if event.type == "ERROR":
            status = parse(event.object, Status)
            raise ApiError(status.code, status.message or "the watch told of an error")
        version = version_of(event.object)  # first: an event that raises must change no item
        heard = self._apply(event)
        self._version = version
        return heard

    def _read(self, objects: Sequence[msgspec.Raw]) -> tuple[str, ...]:
        reasons = (self._read_one(raw, self._pages) for raw in objects)
        return tuple(filter(None, reasons))

    def _read_one(self, raw: msgspec.Raw, items: dict[str, T | None]) -> str:
        """Read an object into `items`; return why that failed, or nothing."""
        name = ""
        try:
            name = name_of(raw)
            items[name] = self._source.decode(raw)
        except Exception as error:  # `decode` is not ours: whatever it raises is about one object
            if name in self._items:
                items[name] = self._items[name]
            return f"{name or 'object without a name'}: {error}"
        return ""

    def _apply(self, event: Event) -> Heard:
        match event.type:
            case "ADDED" | "MODIFIED":
                return self._put(event.object)
            case "DELETED":
                gone = self._items.pop(name_of(event.object), ABSENT)
                return Heard(changed=gone is not ABSENT)
            case "BOOKMARK":
                return Heard(changed=False)
            case _:
                return Heard(changed=False, skipped=(f"event of unknown type {event.type}",))

    def _put(self, raw: msgspec.Raw) -> Heard:
        read: dict[str, T | None] = {}
        reason = self._read_one(raw, read)
        changed = any(self._items.get(name, ABSENT) != value for name, value in read.items())
        self._items.update(read)
        return Heard(changed=changed, skipped=(reason,) if reason else ())
