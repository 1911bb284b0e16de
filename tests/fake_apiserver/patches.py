"""The two kinds of PATCH that the project sends."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import jsonpatch

from tests.fake_apiserver.answers import StatusError

if TYPE_CHECKING:
    from tests.fake_apiserver.paths import Json

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


def patched(item: Json, patch: object, content_type: str) -> Json:
    """Return an object with a patch applied; raise StatusError."""
    if content_type == MERGE_PATCH:
        return merged(copy.deepcopy(item), patch)
    if content_type != JSON_PATCH:
        raise StatusError(415, f"the body of the request was in an unknown format: {content_type}")
    try:
        return jsonpatch.apply_patch(item, patch)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        text = f"the server rejected our request due to an error in our request: {error}"
        raise StatusError(422, text) from None


def merged(target: Json, patch: Json) -> Json:
    """Merge as RFC 7386 has it."""
    for key, value in patch.items():
        if isinstance(value, dict):
            below = target.get(key)
            target[key] = merged(below if isinstance(below, dict) else {}, value)
        elif value is None:
            target.pop(key, None)
        else:
            target[key] = value
    return target
