"""A cluster as one person may see it: reads with that person's rights, and says which is missing.

Nothing here creates or changes anything: the one POST is a dry run.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final

import msgspec

from webhook.core.api.resource import ApiResource
from webhook.kube.connection import Answer, Connection
from webhook.kube.errors import ApiError

TIMEOUT: Final = 30.0  # seconds a request
SILENCE: Final = 86400.0  # seconds that a log which is followed may say nothing
PAGE: Final = "500"  # objects; client-go asks for as many

Object = dict[str, Any]


def metadata(subject: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object's metadata, empty where it has none."""
    found = subject.get("metadata")
    return found if isinstance(found, Mapping) else {}


class Unavailable(Exception):  # noqa: N818 - what it is, in a word
    """The cluster did not give what was asked for; the message says what and why."""


class Absent(Unavailable):
    """There is no such object, or no such kind in this cluster."""


class Lacking(Unavailable):
    """The caller may not do this; `right` says what is missing, as an administrator reads it."""

    def __init__(self, right: "Right") -> None:
        super().__init__(f"you lack the right to {right}")
        self.right = right


@dataclass(frozen=True, slots=True)
class Right:
    """A verb on a resource, in a namespace or (None) in all of them."""

    verb: str
    resource: str
    namespace: str | None = None
    namespaced: bool = True

    def __str__(self) -> str:
        """As a person says it, and how to check it."""
        return f"{self.verb} {self.resource}{self._where()} (check: {self.check})"

    @property
    def check(self) -> str:
        """The kubectl command that tells whether one has it."""
        where = f" -n {self.namespace}" if self.namespace else " -A" if self.namespaced else ""
        resource, slash, below = self.resource.partition("/")
        part = f" --subresource={below}" if slash else ""
        return f"kubectl auth can-i {self.verb} {resource}{part}{where}"

    @property
    def record(self) -> dict[str, str | None]:
        """As tools get it; the keys are an interface."""
        where = self.namespace if self.namespaced else None
        return {
            "verb": self.verb,
            "resource": self.resource,
            "namespace": where,
            "check": self.check,
        }

    def _where(self) -> str:
        if not self.namespaced:
            return ""
        return f" in namespace {self.namespace}" if self.namespace else " in all namespaces"


class Access:
    """Reads for one caller. `namespace` is the one that the kubeconfig's context names."""

    def __init__(self, connection: Connection, namespace: str) -> None:
        self.namespace = namespace
        self._connection = connection

    def close(self) -> None:
        """Close the sockets."""
        self._connection.close()

    def get(self, resource: ApiResource, name: str, namespace: str | None = None) -> Object:
        """Return one object.

        Raises:
            Unavailable: it is absent, a right is missing, or the cluster does not answer.
        """
        right = Right("get", resource.qualified, namespace, resource.namespaced)
        if resource.plural == "namespaces":  # RBAC takes a namespace for a thing inside of itself
            right = Right("get", resource.qualified, name)
        resource = self._version(resource)
        with _explained(right, f"{resource.kind.lower()}/{name}"):
            body = self._connection.get(resource.url_path(namespace, name), {}, timeout=TIMEOUT)
        return _object(body)

    def each(
        self, resource: ApiResource, namespace: str | None = None, **params: str
    ) -> Iterator[Object]:
        """Yield every object of a kind, page by page; `namespace` None means all.

        Raises:
            Unavailable: the kind is absent, a right is missing, or the cluster does not answer.
        """
        right = Right("list", resource.qualified, namespace, resource.namespaced)
        resource = self._version(resource)
        asked = {"limit": PAGE, **params}
        while True:
            with _explained(right, resource.plural):
                body = self._connection.get(resource.url_path(namespace), asked, timeout=TIMEOUT)
            page = _object(body)
            for item in page.get("items") or ():
                yield {"apiVersion": resource.api_version, "kind": resource.kind, **item}
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return
            asked["continue"] = token

    def read(self, right: Right, path: str, **params: str) -> bytes:
        """Return the bytes at a path, such as a log or a metrics page; raise Unavailable."""
        with _explained(right, path.rpartition("/")[2]):
            return self._connection.get(path, params, timeout=TIMEOUT)

    def lines(self, right: Right, path: str, **params: str) -> Iterator[bytes]:
        """Yield the lines at a path as they come; with `follow` for as long as there may be more.

        Raises:
            Unavailable: a right is missing, or the cluster does not answer.
        """
        patience = SILENCE if params.get("follow") else TIMEOUT
        with _explained(right, path.rpartition("/")[2]):
            found = self._connection.stream(path, params, timeout=patience)
            try:
                yield from found
            finally:
                found.close()

    def try_create(
        self, resource: ApiResource, subject: Mapping[str, Any], namespace: str
    ) -> Answer:
        """Create an object as a dry run: every webhook is asked, nothing is kept.

        Raises:
            Unavailable: a right is missing or the cluster does not answer.
            ApiError: it was refused; the message says by whom and why.
        """
        path = resource.url_path(namespace) + "?dryRun=All"
        try:
            return self._connection.send("POST", path, subject, timeout=TIMEOUT)
        except ApiError as failure:
            if failure.status == HTTPStatus.FORBIDDEN and "cannot create resource" in str(failure):
                raise Lacking(Right("create", resource.qualified, namespace)) from None
            if failure.status is None:
                raise Unavailable(f"the cluster does not answer: {failure}") from None
            raise

    def _version(self, resource: ApiResource) -> ApiResource:
        """Fill in the version that the cluster prefers, where only it knows it."""
        if resource.version:
            return resource
        what = f"kind {resource.kind} in this cluster"
        with _explained(Right("get", resource.group, None, namespaced=False), what):
            body = self._connection.get(f"/apis/{resource.group}", {}, timeout=TIMEOUT)
        preferred = _object(body).get("preferredVersion") or {}
        return replace(resource, version=preferred.get("version") or "v1")


@contextmanager
def _explained(right: Right, what: str) -> Iterator[None]:
    try:
        yield
    except ApiError as failure:
        if failure.status == HTTPStatus.FORBIDDEN:
            raise Lacking(right) from None
        if failure.status == HTTPStatus.NOT_FOUND:
            where = f" in namespace {right.namespace}" if right.namespace else ""
            where = "" if what == f"namespace/{right.namespace}" else where
            raise Absent(f"there is no {what}{where}") from None
        if failure.status == HTTPStatus.UNAUTHORIZED:
            raise Unavailable(
                "the cluster does not know you: log in, or check KUBECONFIG"
            ) from None
        raise Unavailable(f"the cluster does not answer: {failure}") from None


def _object(body: bytes) -> Object:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Unavailable(f"the cluster's answer is no Kubernetes object: {error}") from None
