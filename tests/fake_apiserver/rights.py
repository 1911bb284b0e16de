"""What callers may do: verb, resource (`pods/log`), namespace (empty for none) -> whether."""

from __future__ import annotations

from collections.abc import Callable

Allowed = Callable[[str, str, str], bool]

READS = ("get", "list", "watch")


def anything(verb: str, resource: str, namespace: str) -> bool:
    """What an administrator may."""
    return True


def edits(own: str, *readable: tuple[str, str]) -> Allowed:
    """What ClusterRole `edit` in one namespace gives, and reading (resource, namespace) pairs."""

    def allowed(verb: str, resource: str, namespace: str) -> bool:
        if verb in READS and (resource, namespace) in readable:
            return True
        return namespace == own and resource != "secrets"

    return allowed


def views(own: str, *readable: tuple[str, str]) -> Allowed:
    """The same with ClusterRole `view`."""
    may_edit = edits(own, *readable)
    return lambda verb, resource, namespace: verb in READS and may_edit(verb, resource, namespace)
