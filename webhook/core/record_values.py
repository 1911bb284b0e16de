"""The decision record as values, of which `record` writes and reads every form."""

from typing import Annotated

from msgspec import Meta, Struct, field

_Word = Annotated[str, Meta(pattern=r"\A[a-z][a-z_-]{0,39}\Z")]
_Resource = Annotated[str, Meta(pattern=r"\Anvidia\.com/[a-z0-9.-]{1,60}\Z")]
_Count = Annotated[int, Meta(gt=0)]
_OneAmount = Annotated[dict[_Resource, _Count], Meta(min_length=1, max_length=1)]


class ContainerChange(Struct, frozen=True):
    """What one container requests and what it gets: nothing, and no strategy, where refused."""

    name: str
    requested: dict[str, int] = field(name="from")
    given: dict[str, int] = field(name="to")
    strategy: str | None = None
    reason: str | None = None


class Cause(Struct, frozen=True):
    """One thing that is wrong with a pod. `container` is empty where it is the pod itself."""

    reason: str = ""
    container: str = ""
    field: str = ""
    message: str = ""

    @property
    def text(self) -> str:
        """The message, with the name of the container before it."""
        return f'container "{self.container}": {self.message}' if self.container else self.message


class DecisionRecord(Struct, frozen=True):
    """What was decided for one pod, and why. Words of other versions are kept as they are."""

    workload: str | None = None
    tenant: str | None = None
    strategy: str | None = None
    allowed: bool = True
    reason: str | None = None
    message: str | None = None
    containers: tuple[ContainerChange, ...] = ()
    violations: tuple[Cause, ...] = ()
    warnings: tuple[str, ...] = ()


class ShortRecord(DecisionRecord, frozen=True):
    """A record as short as a line of the log and a Status hold it."""


class LogLine(DecisionRecord, frozen=True, kw_only=True):
    """A review in the audit log: the record, and the request that it answers.

    `count` is more than 1 where an event tells of several equal reviews.
    """

    event: str
    timestamp: str
    side: str
    namespace: str
    mode: str
    uid: str = ""
    operation: str = ""
    owner_kind: str = ""
    owner: str = ""
    user: str = ""
    dry_run: bool = field(name="dryRun", default=False)
    latency_ms: float | None = None
    count: int = 1


class _PodChange(Struct):
    name: Annotated[str, Meta(min_length=1, max_length=63)]
    requested: _OneAmount = field(name="from")
    given: _OneAmount = field(name="to")
    strategy: _Word
    reason: _Word


class PodAnnotation(Struct):
    """The decision annotation of a pod, as only the webhook could have written it.

    `affinity` are the key and operator of each node requirement that it added.
    """

    workload: _Word
    containers: Annotated[tuple[_PodChange, ...], Meta(min_length=1)]
    tenant: Annotated[str, Meta(max_length=63)] | None = None
    affinity: tuple[tuple[str, str], ...] = ()
