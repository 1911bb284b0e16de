"""The event of a review, on the object that a person looks at."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from webhook.core import record
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.api.names import NAME_LENGTH
from webhook.core.api.pod import Metadata, controller
from webhook.core.api.reason import Reason
from webhook.core.decision.values import Allocation
from webhook.core.verdict import Verdict

NOTE_LIMIT: Final = 1024  # bytes of UTF-8 (Kubernetes: NoteLengthLimit in validation/events.go)
_POD: Final = "Pod"
_MORE: Final = "…"


class Action(StrEnum):
    """What was done with the pod."""

    REFUSED = "Refused"
    REWRITTEN = "Rewritten"


class Regarding(Struct, frozen=True):
    """The object that an event stands on. `uid` is empty where nobody can know it yet."""

    api_version: str
    kind: str
    name: str
    uid: str = ""


class Event(Struct, frozen=True):
    """What happened to an object. Equal causes make equal events, so that they are counted as one.

    `record` is the decision record as JSON, for the event's annotation.
    """

    namespace: str
    regarding: Regarding
    action: Action
    reason: Reason
    note: str
    record: str

    @property
    def type(self) -> str:
        """`Warning` for what somebody should look after, else `Normal`."""
        return "Warning" if self.action is Action.REFUSED else "Normal"


def of(request: AdmissionRequest, verdict: Verdict) -> Event | None:
    """Return the event of a review, if it deserves one.

    | dryRun | mode | allowed | side and operation | patch with GPUs | event |
    |---|---|---|---|---|---|
    | yes | - | - | - | - | none: NoneOnDryRun is what the configurations promise |
    | no | audit | - | - | - | none: nothing was done |
    | no | enforce | no | - | - | Refused, with the verdict's message |
    | no | enforce | yes | mutate, CREATE | yes | Rewritten, with what became of each request |
    | no | enforce | yes | mutate, CREATE | no | none |
    | no | enforce | yes | any other | - | none |
    """
    if request.dry_run or request.mode is Mode.AUDIT or not request.namespace:
        return None
    if not verdict.allowed:
        return _event(request, Action.REFUSED, verdict, verdict.message)
    created = request.side is Side.MUTATE and request.operation == "CREATE"
    if created and verdict.patch and verdict.allocations:
        note = "; ".join(map(_move, verdict.allocations))
        return _event(request, Action.REWRITTEN, verdict, note)
    return None


def _event(request: AdmissionRequest, action: Action, verdict: Verdict, text: str) -> Event:
    return Event(
        namespace=request.namespace,
        regarding=_regarding(request),
        action=action,
        reason=verdict.reason,
        note=_note(text),
        record=record.to_json(verdict.record),
    )


def _move(given: Allocation) -> str:
    """For example `main: nvidia.com/gpu: 1 -> nvidia.com/mig-1g.5gb: 1 (mig)`."""
    request, offer = given.request, given.offer
    moved = f"{request.resource}: {request.count} -> {offer.resource}: {request.count}"
    return f"{request.container.name}: {moved} ({offer.strategy})"


def _note(text: str) -> str:
    whole = text.encode(errors="replace")
    if len(whole) <= NOTE_LIMIT:
        return whole.decode()
    return whole[: NOTE_LIMIT - len(_MORE.encode())].decode(errors="ignore") + _MORE


def _regarding(request: AdmissionRequest) -> Regarding:
    """The object of the event, which is one that people can look at.

    | operation | the pod has | the object |
    |---|---|---|
    | CREATE | a controller | the controller |
    | CREATE | a generateName | the Pod by that, without its dash and without a uid |
    | CREATE | a name | the Pod by that, without a uid |
    | any other | - | the Pod itself, which exists |

    /validate sees the name and uid that the API server made up for the pod; a refused pod never
    has them, and the next try gets others.
    """
    metadata = (request.pod.metadata if request.pod else None) or Metadata()
    if request.operation != "CREATE":
        return _object("v1", _POD, request.name or metadata.name or "", metadata.uid or "")
    owner = controller(request.pod) if request.pod else None
    if owner is not None:
        return _object(owner.api_version, owner.kind, owner.name, owner.uid)
    generated = (metadata.generate_name or "").rstrip("-.")
    return _object("v1", _POD, generated or metadata.name or request.name, "")


def _object(*fields: str) -> Regarding:
    """Cut the fields: nobody has checked the pod yet, and events wait."""
    return Regarding(*(field[:NAME_LENGTH] for field in fields))
