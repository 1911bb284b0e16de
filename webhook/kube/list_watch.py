"""List and watch as a state machine, without I/O."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from msgspec import Struct

from webhook.kube.api_types import (
    ListPage,
    Status,
    VersionedMetadata,
    WatchEvent,
    metadata_of,
    parse_json,
)
from webhook.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import msgspec

T = TypeVar("T")

ABSENT: Final = object()  # unlike None, which is an item that does not matter
PAGE_SIZE: Final = 100  # objects: a page of nodes is about 1 MB, read in 1 to 2 ms


class WatchedResource(Struct, Generic[T], frozen=True):
    """A cluster-scoped resource, and how to read one object of it.

    `name` is its plural as RBAC spells it. `decode` gets the JSON of one object and returns the
    few fields that matter, None if the object does not matter. What it raises means unreadable.
    It must not keep the Raw, which holds on to the whole answer. Values are compared with `==`.
    """

    name: str
    path: str
    decode: Callable[[msgspec.Raw], T | None]
    label_selector: str = ""


class Change(Struct, frozen=True):
    """What an answer changed in the items, and which objects were unreadable."""

    changed: bool
    skipped: tuple[str, ...] = ()


class ListWatch(Generic[T]):
    """The known items of one resource, and the next request.

    An object that cannot be read keeps the last value that could be: one such object must not
    cost the rest. An item of None exists and does not matter: it is kept apart from a deleted one.
    An equal value stays the same object, so that whoever compares items next need not look inside.
    """

    def __init__(self, resource: WatchedResource[T], *, watch_seconds: int = 300) -> None:
        self._resource = resource
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
        """Whether a watch is next, or a page of the list."""
        return bool(self._version)

    def list_params(self) -> dict[str, str]:
        """Return the parameters that ask for the next page."""
        params = self._selector() | {"limit": str(PAGE_SIZE)}
        return params | ({"continue": self._token} if self._token else {})

    def watch_params(self) -> dict[str, str]:
        """Return the parameters that ask for what happened since the last event."""
        return self._selector() | {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(self._watch_seconds),
            "resourceVersion": self._version,
        }

    def take_page(self, body: bytes) -> Iterator[Change]:
        """Take a page object by object, of which the last one replaces the items.

        Raises ApiError.
        """
        page = parse_json(body, ListPage)
        for raw in page.items or ():
            reason = self._read(raw, self._pages)
            yield Change(changed=False, skipped=(reason,) if reason else ())
        self._token = page.metadata.token
        if not self._token:
            changed = self._pages != self._items
            self._items, self._pages = self._pages, {}
            self._version = page.metadata.resource_version
            yield Change(changed=changed)

    def take_event(self, line: bytes) -> Change:
        """Take one line of a watch.

        Raises ApiError if it states that the watch is broken.
        """
        try:
            event, metadata = _read_event(line)
            change = self._apply(event, metadata.name)
        except ApiError:
            self.relist()
            raise
        self._version = metadata.resource_version
        return change

    def take_failure(self, failure: ApiError) -> None:
        """Decide whether to list again after a failed request, or to watch on.

        A broken transport loses nothing: the next watch goes on from the last version. An error
        that the server states is doubt (410: too old; 504: our version is of the future, after
        a restore of etcd), except that it is busy (429), which a list would only make worse.
        """
        busy = failure.status == HTTPStatus.TOO_MANY_REQUESTS
        if not self.watching or (failure.status is not None and not busy):
            self.relist()

    def relist(self) -> None:
        """List from the start next. The items stay until that list is whole."""
        self._version = self._token = ""
        self._pages = {}

    def _selector(self) -> dict[str, str]:
        selector = self._resource.label_selector
        return {"labelSelector": selector} if selector else {}

    def _read(self, raw: msgspec.Raw, items: dict[str, T | None], name: str = "") -> str:
        """Read an object, whose name may be known, and return why that failed, or nothing."""
        try:
            name = name or _name_of(raw)
            value, known = self._resource.decode(raw), self._items.get(name)
            items[name] = known if known == value else value
        except Exception as error:  # `decode` is not ours: whatever it raises is about one object
            if name in self._items:
                items[name] = self._items[name]
            return f"{name or 'object without a name'}: {error}"
        return ""

    def _apply(self, event: WatchEvent, name: str) -> Change:
        match event.type:
            case "ADDED" | "MODIFIED":
                return self._put(event.object, name)
            case "DELETED":
                gone = self._items.pop(name or _name_of(event.object), ABSENT)
                return Change(changed=gone is not ABSENT)
            case "BOOKMARK":
                return Change(changed=False)
            case _:
                return Change(changed=False, skipped=(f"event of unknown type {event.type}",))

    def _put(self, raw: msgspec.Raw, name: str) -> Change:
        read: dict[str, T | None] = {}
        reason = self._read(raw, read, name)
        changed = any(self._items.get(name, ABSENT) is not value for name, value in read.items())
        self._items.update(read)
        return Change(changed=changed, skipped=(reason,) if reason else ())


def _name_of(raw: msgspec.Raw) -> str:
    name = metadata_of(raw).name
    if not name:
        raise ApiError(None, "expected metadata.name")
    return name


def _read_event(line: bytes) -> tuple[WatchEvent, VersionedMetadata]:
    """Read an event and of which object it is: one that raises changes nothing."""
    event = parse_json(line, WatchEvent)
    if event.type == "ERROR":
        status = parse_json(event.object, Status)
        raise ApiError(status.code, status.message or "the watch ended with an error")
    metadata = metadata_of(event.object)
    if not metadata.resource_version:
        raise ApiError(None, "unreadable answer: an event without a resourceVersion")
    return event, metadata
