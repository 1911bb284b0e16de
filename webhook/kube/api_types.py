"""The few JSON shapes of the API machinery that we read."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec

from webhook.kube.errors import ApiError, StatusCause

S = TypeVar("S")
Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Details(msgspec.Struct):
    causes: tuple[StatusCause, ...] | None = None


class Status(msgspec.Struct):
    """What the server answers, or sends as an ERROR event, when something failed."""

    code: int | None = None
    message: str = ""
    details: _Details | None = None

    @property
    def causes(self) -> tuple[StatusCause, ...]:
        """The structured causes, of which the word `NamespaceTerminating` is one reason."""
        return (self.details.causes if self.details else None) or ()


class ListMetadata(msgspec.Struct):
    """The version that a list shows, and the token of its next page."""

    resource_version: Text = msgspec.field(name="resourceVersion")
    token: str = msgspec.field(name="continue", default="")


class ListPage(msgspec.Struct):
    """A list, of which Go writes an empty one as null."""

    metadata: ListMetadata
    items: list[msgspec.Raw] | None = None


class WatchEvent(msgspec.Struct):
    """A line of a watch."""

    type: str
    object: msgspec.Raw


class VersionedMetadata(msgspec.Struct):
    """What tells objects and their states apart: a bookmark has no name."""

    name: str = ""
    resource_version: str = msgspec.field(name="resourceVersion", default="")


class _Object(msgspec.Struct):
    metadata: VersionedMetadata


def parse_json(data: bytes | msgspec.Raw, shape: type[S]) -> S:
    """Read JSON as `shape`.

    Raises ApiError without a status if it is something else.
    """
    try:
        return msgspec.json.decode(data, type=shape)
    except msgspec.MsgspecError as error:
        raise ApiError(None, f"unreadable answer: {error}") from error


def metadata_of(data: msgspec.Raw) -> VersionedMetadata:
    """Return name and version of an object, read at once.

    Raises ApiError if it has no metadata.
    """
    return parse_json(data, _Object).metadata
