"""A policy file laid over the built-in policy: mappings join, lists add, unless they replace."""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from webhook.core.policy.yaml_text import Document

REPLACE: Final = "replace"
"""The key that makes a list stand for the built-in one: `{replace: [...]}`."""


class WrittenPolicy(Struct, frozen=True):
    """A policy as it was written, with the whole that it makes.

    `replaced` are the keys whose lists stand under `replace`.
    """

    document: Document
    whole: dict[str, Any]
    replaced: tuple[str, ...]

    def locate(self, path: str) -> str:
        """Return line and path of a part of the whole, as it was written."""
        return self.document.locate(self._as_written(path))

    def explain(self, error: str) -> str:
        """Return a message of msgspec with line and path, as it was written."""
        return self.document.explain(self._as_written(error))

    def _as_written(self, text: str) -> str:
        for key in self.replaced:
            text = text.replace(f"$.{key}[", f"$.{key}.{REPLACE}[")
        return text


def merge_policy(base: dict[str, Any], document: Document) -> WrittenPolicy:
    """Return the whole policy that a document makes of the built-in one.

    | built in | written | whole |
    |---|---|---|
    | a mapping | a mapping | joined, key by key |
    | a list outside the matrix | a list | the written items, then the built-in ones |
    | a list outside the matrix | `{replace: [...]}` | those items alone |
    | anything | anything else | what is written |

    Written items come first, since of well-known labels the first that a pod has counts.
    """
    changes = document.value
    lists = {key: value for key, value in changes.items() if isinstance(base.get(key), list)}
    replaced = tuple(key for key, value in lists.items() if _replaces(value))
    whole = _over({key: value for key, value in base.items() if key not in lists}, changes)
    for key, written in lists.items():
        whole[key] = written[REPLACE] if key in replaced else _added(written, base[key])
    return WrittenPolicy(document, whole, replaced)


def _replaces(written: Any) -> bool:
    return isinstance(written, dict) and list(written) == [REPLACE]


def _added(written: Any, built_in: list[Any]) -> Any:
    if not isinstance(written, list):  # for the schema to refuse
        return written
    return [*written, *(each for each in built_in if each not in written)]


def _over(base: Any, changes: Any) -> Any:
    """Return mappings laid over mappings, where anything else replaces."""
    if not isinstance(base, dict) or not isinstance(changes, dict):
        return changes
    return base | {key: _over(base.get(key), value) for key, value in changes.items()}


def list_schemas(properties: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the schema of each list of the top, which may also stand under `replace`."""
    for key, value in properties.items():
        if value.get("type") == "array":
            only = {"type": "object", "properties": {REPLACE: value}, "required": [REPLACE]}
            yield key, {"anyOf": [value, only | {"additionalProperties": False}]}
