"""The operations of a JSON Patch."""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType


class Op(Struct, frozen=True, omit_defaults=True):
    """One operation. `path` is a JSON Pointer (RFC 6901)."""

    op: Literal["add", "remove"]
    path: str
    value: Any | UnsetType = UNSET


def pointer(*keys: str) -> str:
    """Join keys to a JSON Pointer: `~` becomes `~0`, `/` becomes `~1`."""
    return "".join(["/" + key.replace("~", "~0").replace("/", "~1") for key in keys])
