"""A recommendation, and what it is made from."""

from dataclasses import dataclass, field
from enum import StrEnum

from webhook.core.api.mig import Profile
from webhook.core.gpu.strategies import Strategy
from webhook.core.pools.catalog import GpuModel
from webhook.core.pools.demand import Replicas
from webhook.core.rightsizing.need import Need
from webhook.core.rightsizing.values import TemplateRequest


class RecommendedAction(StrEnum):
    """What a person should do."""

    KEEP = "keep"
    WAIT = "wait for data"
    LABEL = "label it"
    SIZE = "say its memory"
    RELEASE = "release it"
    CHANGE = "change"
    DEVICE = "see the device"


class Confidence(StrEnum):
    """How sure a recommendation is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What is recommended for each pod of a workload, and why.

    `gpus` is the part of a physical GPU that a pod would hold then, None where nothing changes.
    `memory` is what to write as `gpu-sharing.io/gpu-memory`, in MiB.
    """

    action: RecommendedAction
    reason: str
    confidence: Confidence = Confidence.NONE
    strategy: Strategy | None = None
    profile: Profile | None = None
    memory: int | None = None
    gpus: float | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One workload, what it needs, and the GPUs that it ran on."""

    request: TemplateRequest
    need: Need
    model: GpuModel
    replicas: Replicas = field(default_factory=Replicas)

    @property
    def memory(self) -> int:
        """The memory in MiB that it must have, never less than was written."""
        return max(self.need.memory or 0, self.request.written_memory or 0)

    @property
    def compute(self) -> float:
        """The share of a GPU's compute that it must have. All where that is not known."""
        return 1.0 if self.need.compute is None else self.need.compute
