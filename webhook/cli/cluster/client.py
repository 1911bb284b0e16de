"""Reads of a cluster with one person's permissions, and which permission is missing.

Nothing here creates or changes anything: the one POST is a dry run. Commands are written without
waiting, so the asynchronous client of webhook.kube runs in a loop of its own, a call at a time;
only what follows several logs at once is a coroutine (`run`).
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from webhook.core.api.resource import ApiResource
from webhook.kube.api_request import DRY_RUN, ApiAnswer
from webhook.kube.errors import ApiError

if TYPE_CHECKING:
    from webhook.kube.client import ApiClient

TIMEOUT: Final = 30.0  # seconds a request
SILENCE: Final = 86400.0  # seconds that a log which is followed may say nothing
PAGE: Final = "500"  # objects; client-go asks for as many

Object = dict[str, Any]
T = TypeVar("T")


def metadata(subject: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the object's metadata, empty where it has none."""
    found = subject.get("metadata")
    return found if isinstance(found, Mapping) else {}


class Unavailable(Exception):  # noqa: N818 - what it is, in a word
    """The cluster did not give what was asked for. The message says what and why."""


class NotFound(Unavailable):
    """There is no such object, or no such kind in this cluster."""


class Forbidden(Unavailable):
    """The caller may not do this. `permission` is the one that is missing."""

    def __init__(self, permission: "Permission") -> None:
        super().__init__(f"you lack the right to {permission}")
        self.permission = permission


class Permission(Struct, frozen=True):
    """A verb on a resource, in a namespace or (None) in all of them."""

    verb: str
    resource: str
    namespace: str | None = None
    namespaced: bool = True

    def __str__(self) -> str:
        """Return the permission as a person reads it, and how to check it."""
        where = f" in namespace {self.namespace}" if self.namespace else " in all namespaces"
        text = f"{self.verb} {self.resource}{where if self.namespaced else ''}"
        return f"{text} (check: {self.check})"

    @property
    def check(self) -> str:
        """The kubectl command that tells whether one has it."""
        where = f" -n {self.namespace}" if self.namespace else " -A" if self.namespaced else ""
        resource, slash, below = self.resource.partition("/")
        part = f" --subresource={below}" if slash else ""
        return f"kubectl auth can-i {self.verb} {resource}{part}{where}"

    @property
    def record(self) -> dict[str, str | None]:
        """The permission as tools get it. The keys are an interface."""
        where = self.namespace if self.namespaced else None
        return {
            "verb": self.verb,
            "resource": self.resource,
            "namespace": where,
            "check": self.check,
        }


class PodPath(Struct, frozen=True):
    """A path below a pod, and the permission that reading it takes."""

    permission: Permission
    path: str


class ClusterClient:
    """Reads for one caller. `namespace` is the one that the kubeconfig's context names.

    Every method raises Unavailable where the cluster does not answer, NotFound where the object or
    its kind is not there, and Forbidden where the caller may not read it.
    """

    def __init__(self, api: "ApiClient", namespace: str) -> None:
        self.namespace = namespace
        self.api = api
        self._loop = asyncio.Runner()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop of this client and return what it returns."""
        return self._loop.run(work)

    def close(self) -> None:
        """Close the connections."""
        self.run(self.api.close())
        self._loop.close()

    def get(self, kind: ApiResource, name: str, namespace: str | None = None) -> Object:
        """Return one object."""
        permission = Permission("get", kind.qualified, namespace, kind.namespaced)
        if kind.plural == "namespaces":  # RBAC takes a namespace for a thing inside of itself
            permission = Permission("get", kind.qualified, name)
        kind = self._with_version(kind)
        with _explained(permission, f"{kind.kind.lower()}/{name}"):
            body = self.run(self.api.get(kind.url_path(namespace, name), timeout=TIMEOUT))
        return _object(body)

    def each(
        self, kind: ApiResource, namespace: str | None = None, **params: str
    ) -> Iterator[Object]:
        """Yield every object of a kind, page by page. `namespace` None means all."""
        permission = Permission("list", kind.qualified, namespace, kind.namespaced)
        kind = self._with_version(kind)
        query = {"limit": PAGE, **params}
        while True:
            with _explained(permission, kind.plural):
                body = self.run(self.api.get(kind.url_path(namespace), query, timeout=TIMEOUT))
            page = _object(body)
            for item in page.get("items") or ():
                yield {"apiVersion": kind.api_version, "kind": kind.kind, **item}
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return
            query["continue"] = token

    def read(self, at: PodPath, **params: str) -> bytes:
        """Return the bytes at a path, such as a log or a metrics page."""
        with _explained(at.permission, at.path.rpartition("/")[2]):
            return self.run(self.api.get(at.path, params, timeout=TIMEOUT))

    @asynccontextmanager
    async def lines(self, at: PodPath, **params: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a path and yield its lines as they come. With `follow` for as long as more may."""
        patience = SILENCE if params.get("follow") else TIMEOUT
        with _explained(at.permission, at.path.rpartition("/")[2]):
            async with self.api.stream(at.path, params, timeout=patience) as lines:
                yield lines

    def try_create(
        self, kind: ApiResource, subject: Mapping[str, Any], namespace: str
    ) -> ApiAnswer:
        """Create an object as a dry run: every webhook is asked, nothing is kept.

        Raises:
            ApiError: it was refused; the message says by whom and why.
        """
        path = kind.url_path(namespace) + DRY_RUN
        try:
            return self.run(self.api.send("POST", path, subject, timeout=TIMEOUT))
        except ApiError as failure:
            if failure.forbidden and "cannot create resource" in str(failure):
                raise Forbidden(Permission("create", kind.qualified, namespace)) from None
            if failure.status is None:
                raise Unavailable(f"the cluster does not answer: {failure}") from None
            raise

    def _with_version(self, kind: ApiResource) -> ApiResource:
        """Fill in the version that the cluster prefers, where only it knows it."""
        if kind.version:
            return kind
        what = f"kind {kind.kind} in this cluster"
        with _explained(Permission("get", kind.group, None, namespaced=False), what):
            body = self.run(self.api.get(f"/apis/{kind.group}", timeout=TIMEOUT))
        preferred = _object(body).get("preferredVersion") or {}
        return replace(kind, version=preferred.get("version") or "v1")


@contextmanager
def _explained(permission: Permission, what: str) -> Iterator[None]:
    try:
        yield
    except ApiError as failure:
        match failure.status:
            case HTTPStatus.FORBIDDEN:
                raise Forbidden(permission) from None
            case HTTPStatus.NOT_FOUND:
                where = f" in namespace {permission.namespace}" if permission.namespace else ""
                where = "" if what == f"namespace/{permission.namespace}" else where
                raise NotFound(f"there is no {what}{where}") from None
            case HTTPStatus.UNAUTHORIZED:
                text = "the cluster does not know you: log in, or check KUBECONFIG"
                raise Unavailable(text) from None
        raise Unavailable(f"the cluster does not answer: {failure}") from None


def _object(body: bytes) -> Object:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Unavailable(f"the cluster's answer is no Kubernetes object: {error}") from None
