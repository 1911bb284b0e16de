"""The closed list of labels and annotations with our prefix, and where each stands.

| key | form | on |
|---|---|---|
| mode | label | namespaces |
| tenant, workload | label | pods and namespaces; tenant also on nodes |
| gpu-memory, mig-profile | annotation | pods |
| strategy, decision, explain | label, annotations | pods; the webhook and the CLI write them |
"""

import difflib
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from webhook.core.api import names, reasons
from webhook.core.api.reason import truncate

LABELS: Final = frozenset({names.WORKLOAD, names.TENANT, names.STRATEGY})
ANNOTATIONS: Final = frozenset({names.GPU_MEMORY, names.MIG_PROFILE, names.DECISION, names.EXPLAIN})
_OF_PODS: Final = (names.WORKLOAD, names.TENANT, names.GPU_MEMORY, names.MIG_PROFILE)
_OF_NAMESPACES: Final = (names.MODE, names.TENANT, names.WORKLOAD)
Forms = Mapping[str, frozenset[str]]
"""The keys that are labels, and those that are annotations."""
PODS: Final[Forms] = {"label": LABELS, "annotation": ANNOTATIONS}
NAMESPACES: Final[Forms] = {"label": frozenset(_OF_NAMESPACES), "annotation": frozenset()}
_MOST_TOLD: Final = 5


def unknown_keys(
    labels: Mapping[str, str], annotations: Mapping[str, str], forms: Forms = PODS
) -> tuple[str, ...]:
    """Return a warning for each key with our prefix that has no meaning there."""
    wrong = (
        (form, key)
        for form, keys in (("label", labels), ("annotation", annotations))
        for key in keys
        if key.startswith(names.PREFIX) and key not in forms[form]
    )
    found = islice(wrong, _MOST_TOLD)
    return tuple(_told(f"{form} {key[:63]}: {_mend(key, forms)}") for form, key in found)


def _mend(key: str, forms: Forms) -> str:
    """Return what to write instead of a key that has no meaning where it stands."""
    for form, keys in forms.items():
        if key in keys:
            return f"it is no {'annotation' if form == 'label' else 'label'}; write it as {form}"
    if key == names.MODE:
        return "only a namespace has it; label the namespace"
    if key in LABELS | ANNOTATIONS:
        return "only pods have it; write it in their template"
    written = _OF_PODS if forms is PODS else _OF_NAMESPACES
    words = [each.removeprefix(names.PREFIX) for each in written]
    near = difflib.get_close_matches(key.removeprefix(names.PREFIX)[:63].lower(), words, n=1)
    if not near:
        return f"unknown; known are {', '.join(words)}"
    meant = names.PREFIX + near[0]
    form = next(form for form, keys in forms.items() if meant in keys)
    return f"unknown; did you mean the {form} {meant}?"


def keys_of_namespace(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a warning for each key of ours that has no meaning on a namespace."""
    parts = (metadata.get("labels"), metadata.get("annotations"))
    labels, annotations = (each if isinstance(each, Mapping) else {} for each in parts)
    found = unknown_keys(labels, annotations, NAMESPACES)
    return tuple(f"namespace {metadata.get('name', '')}: {each}" for each in found)


def stray_keys(metadata: Any, copied: frozenset[str], path: str) -> tuple[str, ...]:
    """Return a warning for each key of ours that an object's pods do not get.

    `copied` are the parts of the metadata that its controller hands to its pods. `path` is where
    the pods' own metadata stands.
    """
    found = islice(_stray(metadata, copied, path), _MOST_TOLD)
    return tuple(_told(text) for text in found)


def _stray(metadata: Any, copied: frozenset[str], path: str) -> Iterator[str]:
    for part, form in (("labels", "label"), ("annotations", "annotation")):
        keys = metadata.get(part) if isinstance(metadata, Mapping) else None
        for key in keys if isinstance(keys, Mapping) and part not in copied else ():
            if isinstance(key, str) and key.startswith(names.PREFIX):
                yield f"{form} {key[:63]} in metadata does not reach the pods; write it in {path}"


def _told(text: str) -> str:
    return truncate(f"{text} [{reasons.UNKNOWN_KEY}]", reasons.UNKNOWN_KEY)
