"""Objects by path with versions and their history, as etcd has them; no requests."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fake_apiserver.answers import already_exists, conflict, not_found
from tests.fake_apiserver.paths import parse_path, path_of_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.fake_apiserver.paths import Json, ResourcePath

FIRST_VERSION = 100


@dataclass(frozen=True, slots=True)
class Change:
    """One change; `path` is that of a bookmark's collection. `before` is None for a new object."""

    version: int
    kind: str
    path: ResourcePath
    item: Json
    before: Json | None = None


class Store:
    """Objects by their path. `objects` may be changed in place where no watch needs to see it."""

    def __init__(self) -> None:
        self.objects: dict[str, Json] = {}
        self.history: list[Change] = []
        self.version = FIRST_VERSION
        self.oldest = 0  # the version from which on the history is kept
        self.listeners: list[Callable[[Change], object]] = []

    def put(self, collection: str, *items: Json) -> None:
        """Create or replace objects of a collection, as somebody else would."""
        for item in items:
            self._save(parse_path(f"{collection}/{item['metadata']['name']}"), item)

    def add(self, *items: Json) -> None:
        """Create or replace objects where their apiVersion, kind and namespace put them."""
        for item in items:
            self._save(path_of_object(item), item)

    def edit(self, path: str, change: Callable[[Json], object]) -> None:
        """Change an object, as somebody else would."""
        item = copy.deepcopy(self.objects[path])
        change(item)
        self._save(parse_path(path), item)

    def remove(self, path: str) -> Json:
        """Delete an object, as somebody else would; return it."""
        item = self.objects.pop(path)
        self.version += 1
        version = {"resourceVersion": str(self.version)}
        gone = item | {"metadata": item["metadata"] | version}
        self._publish(Change(self.version, "DELETED", parse_path(path), gone, item))
        return item

    def bookmark(self, collection: str) -> int:
        """Send a bookmark to all watches of a collection; return its version."""
        self.version += 1
        item = {"metadata": {"resourceVersion": str(self.version)}}
        self._publish(Change(self.version, "BOOKMARK", parse_path(collection), item))
        return self.version

    def forget_history(self) -> None:
        """Compact: an older version can be neither watched nor paged any more (410)."""
        self.history.clear()
        self.version += 1
        self.oldest = self.version

    def find(self, resource: str, namespace: str, name: str) -> Json:
        """Return the object of a resource in any group; raise KeyError."""
        for path, item in self.each():
            if (path.resource, path.namespace, path.name) == (resource, namespace, name):
                return item
        raise KeyError((resource, namespace, name))

    def each(self) -> Iterator[tuple[ResourcePath, Json]]:
        """Yield every object with its path."""
        for path, item in list(self.objects.items()):
            yield parse_path(path), item

    def listed(self, collection: ResourcePath) -> list[Json]:
        """Return the objects of a collection."""
        return [item for path, item in self.each() if collection.contains(path)]

    # What requests do.

    def read(self, path: ResourcePath) -> Json:
        """Return an object; raise StatusError."""
        if path.path not in self.objects:
            raise not_found(path)
        return self.objects[path.path]

    def create(self, path: ResourcePath, item: Json, *, dry_run: bool) -> Json:
        """Create an object; raise StatusError."""
        if path.path in self.objects:
            raise already_exists(path)
        return item if dry_run else self._save(path, item)

    def replace(self, path: ResourcePath, item: Json, *, dry_run: bool) -> Json:
        """Replace an object, unless it has another version by now; raise StatusError."""
        wanted = item["metadata"].get("resourceVersion")
        if wanted not in (None, self.read(path)["metadata"]["resourceVersion"]):
            raise conflict(path)
        return item if dry_run else self._save(path, item)

    def _save(self, path: ResourcePath, item: Json) -> Json:
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        before = self.objects.get(path.path)
        self.objects[path.path] = item
        kind = "MODIFIED" if before else "ADDED"
        self._publish(Change(self.version, kind, path, copy.deepcopy(item), before))
        return item

    def _publish(self, change: Change) -> None:
        self.history.append(change)
        for listener in self.listeners:
            listener(change)
