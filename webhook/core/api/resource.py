"""Resources of the Kubernetes API, as discovery describes them (metav1.APIResource)."""

from urllib.parse import quote

from msgspec import Struct


class ApiResource(Struct, frozen=True):
    """A resource of the API server.

    An empty `version` means the one that the group prefers, which only the cluster knows.
    """

    kind: str
    plural: str
    group: str = ""
    version: str = "v1"
    short_names: tuple[str, ...] = ()
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The group and version as objects spell them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The plural and group as `kubectl auth can-i` takes them."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def url_path(self, namespace: str | None = None, *below: str) -> str:
        """Return the URL path of the collection, or of something below it."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        where = f"/namespaces/{quote(namespace)}" if namespace and self.namespaced else ""
        return "/".join((f"{root}{where}/{self.plural}", *map(quote, below)))
