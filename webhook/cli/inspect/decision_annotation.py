"""The decision annotation -> values, for people: anybody may write it, so nothing trusts it."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from webhook.core.api import names
from webhook.core.api import pod as pods
from webhook.core.api.pod import Pod
from webhook.core.decision import classify

Name = Annotated[str, Meta(min_length=1, max_length=63)]
Word = Annotated[str, Meta(pattern=r"\A[a-z][a-z_-]{0,39}\Z")]
Resource = Annotated[str, Meta(pattern=r"\Anvidia\.com/[a-z0-9.-]{1,60}\Z")]
Amount = Annotated[dict[Resource, Annotated[int, Meta(gt=0)]], Meta(min_length=1, max_length=1)]


class Change(Struct, frozen=True):
    """What one container asked for and got; `reason` and `strategy` are words, maybe unknown."""

    name: Name
    asked: Amount = field(name="from")
    given: Amount = field(name="to")
    strategy: Word
    reason: Word


class Recorded(Struct, frozen=True):
    """A decision as its annotation tells it."""

    workload: Word
    containers: Annotated[tuple[Change, ...], Meta(min_length=1)]
    tenant: Annotated[str, Meta(max_length=63)] | None = None

    @property
    def strategy(self) -> str:
        """The one strategy of the pod, `mixed` for several: as the label has it."""
        found = {each.strategy for each in self.containers}
        return found.pop() if len(found) == 1 else "mixed"


def read(text: str | None) -> Recorded | None:
    """Return what an annotation says; None if it is absent, or says nothing in our form."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=Recorded)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None


def of_pod(pod: Pod) -> Recorded | None:
    """Return what a pod's annotation says, if the pod bears it out."""
    told = read(pods.annotations(pod).get(names.DECISION))
    return told if told is not None and agrees(told, pod) else None


def agrees(told: Recorded, pod: Pod) -> bool:
    """Whether the pod requests just what the annotation says that it got."""
    requested = {(a.container.name, a.resource, a.count) for a in classify.requests_of(pod)}
    return requested == {
        (change.name, resource, count)
        for change in told.containers
        for resource, count in change.given.items()
    }
