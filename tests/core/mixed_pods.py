"""Parts of `ways_around` -> pods: mixed, in any order, in any list of containers."""

from typing import Any

from hypothesis import strategies as st
from ways_around import PIN, Part

Json = dict[str, Any]
PLACES = ("containers", "initContainers", "sidecars", "ephemeralContainers")


@st.composite
def built(draw: st.DrawFn, parts: tuple[Part, ...]) -> Json:
    """A pod of these parts in any order, pinned to slices; containers stand in any list.

    What must have a container of its own meets no other part there, which might undo it.
    """
    alone: set[str] = set()
    pod: Json = {
        "metadata": {"annotations": {}},
        "spec": {"containers": [{"name": "main"}], "nodeSelector": dict(PIN)},
    }
    for index, part in enumerate(draw(st.permutations(parts))):
        if part.where == "spec":
            _lay(pod["spec"], part)
        elif part.where == "annotations":
            pod["metadata"]["annotations"] |= part.fields
        else:
            place, name = draw(st.sampled_from(PLACES)), f"c{index}"
            alone |= {name} if part.where == "own" else set()
            new = name in alone or draw(st.booleans())
            at = _new(pod["spec"], place, name) if new else _any(draw, pod["spec"], alone)
            _lay(at, part)
    return pod


def _lay(under: Json, part: Part) -> None:
    """Add to lists and mappings; of two plain values a way's stays."""
    for key, value in part.fields.items():
        if isinstance(value, list):
            under[key] = [*under.get(key, ()), *value]
        elif isinstance(value, dict):
            _lay(under.setdefault(key, {}), Part(part.reason, part.where, value))
        elif part.reason or key not in under:
            under[key] = value


def _new(spec: Json, place: str, name: str) -> Json:
    made: Json = {"name": name}
    if place == "sidecars":
        made["restartPolicy"] = "Always"
    spec.setdefault("initContainers" if place == "sidecars" else place, []).append(made)
    return made


def _any(draw: st.DrawFn, spec: Json, alone: set[str]) -> Json:
    lists = [spec.get(place, ()) for place in PLACES]
    every = [each for many in lists for each in many if each["name"] not in alone]
    found: Json = draw(st.sampled_from(every))
    return found
