"""The decision record as a pod's annotation, which anybody may write."""

from collections.abc import Iterable
from typing import Any

import msgspec

from webhook.core.record import MOST_WRITTEN, decoded, fitting
from webhook.core.record_values import ContainerChange, DecisionRecord, PodAnnotation


def write(record: DecisionRecord, affinity: Iterable[tuple[str, str]] = ()) -> str:
    """Return the pod's annotation: compact JSON, of very many containers the first.

    How many they are does not depend on the requests before the rewrite, so that a second run
    on the result writes the same. `affinity` are the node requirements that the rewrite adds.
    """
    bare = fitting([msgspec.structs.replace(c, requested={}) for c in record.containers])
    kept = record.containers[: len(bare)]
    added = fitting(affinity, MOST_WRITTEN // 2)
    whole = {"workload": record.workload, "tenant": record.tenant, "containers": kept}
    return msgspec.json.encode(whole | ({"affinity": added} if added else {})).decode()


def read(text: str | None) -> DecisionRecord | None:
    """Return the decision of a pod's annotation, None where it is not ours."""
    found = decoded(text, PodAnnotation)
    if found is None:
        return None
    return DecisionRecord(
        workload=found.workload,
        tenant=found.tenant,
        strategy=_common(each.strategy for each in found.containers),
        reason=_common(each.reason for each in found.containers),
        containers=msgspec.convert(
            found.containers, tuple[ContainerChange, ...], from_attributes=True
        ),
    )


def affinity_of(text: str | None) -> tuple[tuple[str, str], ...]:
    """Return the key and operator of each node requirement that an annotation says was added."""
    found = decoded(text, PodAnnotation)
    return found.affinity if found else ()


def _common(words: Iterable[str]) -> str:
    """The one word of all containers, `mixed` for several."""
    first, *others = dict.fromkeys(words)
    return "mixed" if others else first


def tells_the_same(present: str | None, wanted: str) -> bool:
    """Return whether two annotations tell the same, but for what was before the rewrite.

    A second run on the result finds the node requirements there, and adds none.
    """
    found = decoded(present, dict[str, Any])
    try:
        again = msgspec.json.decode(wanted)
        return (
            found is not None
            and _given_only(found) == _given_only(again)
            and all(each in found["affinity"] for each in again.get("affinity", ()))
        )
    except (KeyError, TypeError):
        return False


def _given_only(annotation: dict[str, Any]) -> dict[str, Any]:
    return {
        **annotation,
        "affinity": None,
        "containers": [{**c, "from": None} for c in annotation["containers"]],
    }
