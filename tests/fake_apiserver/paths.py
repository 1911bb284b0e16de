"""Paths of the API server: what a request is about, and where an object is kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

Json = dict[str, Any]

CLUSTER_WIDE = frozenset(
    {
        "nodes",
        "namespaces",
        "mutatingwebhookconfigurations",
        "validatingwebhookconfigurations",
        "customresourcedefinitions",
    }
)


@dataclass(frozen=True, slots=True)
class ResourcePath:
    """A path taken apart; empty where it has no such part. `name` is empty for a collection."""

    group: str
    version: str
    namespace: str
    resource: str
    name: str = ""
    subresource: str = ""

    @property
    def collection(self) -> str:
        """The path of the collection."""
        top = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        where = f"/namespaces/{self.namespace}" if self.namespace else ""
        return f"{top}{where}/{self.resource}"

    @property
    def path(self) -> str:
        """The path of the object, without the subresource."""
        return f"{self.collection}/{self.name}"

    @property
    def right(self) -> str:
        """The resource as RBAC names it, such as `pods/log`."""
        below = self.subresource.split("/")[0]
        return f"{self.resource}/{below}" if below else self.resource

    @property
    def scope(self) -> str:
        """The namespace that RBAC looks at: a Namespace is in itself."""
        return self.name if self.resource == "namespaces" else self.namespace

    @property
    def title(self) -> str:
        """The object as the API server's messages name it."""
        group = f".{self.group}" if self.group else ""
        return f'{self.resource}{group} "{self.name}"'

    def contains(self, other: ResourcePath) -> bool:
        """Whether a collection lists an object: without a namespace, those of all."""
        here = (self.group, self.version, self.resource)
        return here == (other.group, other.version, other.resource) and self.namespace in (
            "",
            other.namespace,
        )


@cache
def parse_path(path: str) -> ResourcePath:
    """Take a path apart as it came, each part decoded for itself."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    group, parts = (parts[1], parts[2:]) if parts[0] == "apis" else ("", parts[1:])
    version, *parts = [*parts, ""][: max(len(parts), 1)]
    namespace = ""
    if not parts:
        return ResourcePath(group, version, "", "")  # discovery
    if parts[0] == "namespaces" and len(parts) > 2:
        namespace, parts = parts[1], parts[2:]
    resource, name, *below = [*parts, ""]
    return ResourcePath(group, version, namespace, resource, name, "/".join(filter(None, below)))


def path_of_object(item: Json) -> ResourcePath:
    """Where an object belongs, by its apiVersion, kind, namespace and name."""
    group, _, version = item["apiVersion"].rpartition("/")
    kind, metadata = item["kind"].lower(), item["metadata"]
    plural = kind[:-1] + "ies" if kind.endswith("y") else kind + "s"
    namespace = "" if plural in CLUSTER_WIDE else metadata.get("namespace", "")
    return ResourcePath(group, version, namespace, plural, metadata["name"])
