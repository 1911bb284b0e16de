"""Parts of `ways_around` -> pods: mixed, in any order, in any list of containers."""

from typing import Any

from hypothesis import strategies as st
from ways_around import PIN, Part

Json = dict[str, Any]
PLACES = ("containers", "initContainers", "sidecars", "ephemeralContainers")


@st.composite
def built(draw: st.DrawFn, parts: tuple[Part, ...]) -> Json:
    """A pod of these parts in any order, pinned to slices; containers stand in any list."""
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
            own = part.where == "own" or draw(st.booleans())
            place = draw(st.sampled_from(PLACES))
            _lay(_new(pod["spec"], place, f"c{index}") if own else _any(draw, pod["spec"]), part)
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


def _any(draw: st.DrawFn, spec: Json) -> Json:
    lists = [spec.get(place, ()) for place in PLACES]
    found: Json = draw(st.sampled_from([each for many in lists for each in many]))
    return found
