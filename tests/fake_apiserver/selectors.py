"""Label and field selectors, as lists and watches take them."""

from __future__ import annotations

import re

from tests.fake_apiserver.paths import Json

SET = re.compile(r"(?P<key>\S+) (?P<verb>in|notin) \((?P<values>[^)]*)\)")
PARTS = re.compile(r",(?![^(]*\))")  # a comma outside of parentheses


def selects(item: Json, params: dict[str, str]) -> bool:
    """Whether the selectors of a request choose an object."""
    if not params.keys() & {"labelSelector", "fieldSelector"}:
        return True
    labels = item["metadata"].get("labels") or {}
    wanted = filter(None, PARTS.split(params.get("labelSelector", "")))
    fields = filter(None, params.get("fieldSelector", "").split(","))
    return all(matches_labels(labels, each.strip()) for each in wanted) and all(
        matches_field(item, each) for each in fields
    )


def matches_labels(labels: dict[str, str], requirement: str) -> bool:
    """Whether labels meet one requirement: `a`, `!a`, `a=b`, `a!=b`, `a in (b, c)`, `notin`."""
    if found := SET.fullmatch(requirement):
        values = {value.strip() for value in found["values"].split(",")}
        return (labels.get(found["key"]) in values) == (found["verb"] == "in")
    if requirement.startswith("!"):
        return requirement[1:] not in labels
    key, unlike, value = requirement.partition("!=")
    if unlike:
        return labels.get(key) != value
    key, equals, value = requirement.replace("==", "=").partition("=")
    return key in labels and (not equals or labels[key] == value)


def matches_field(item: Json, requirement: str) -> bool:
    """Whether a field, such as `involvedObject.uid`, has a value, or with `!=` has another."""
    path, unlike, value = requirement.partition("!=")
    if not unlike:
        path, _, value = requirement.replace("==", "=").partition("=")
    found: object = item
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return (str(found if found is not None else "") == value) != bool(unlike)
