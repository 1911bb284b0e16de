"""The policy of a server, which has one also while its file is wrong."""

from pathlib import Path

from msgspec import Struct

from webhook.cli import loaders
from webhook.core.policy import mistakes
from webhook.core.policy.values import Policy
from webhook.server import metrics as metric
from webhook.server.admission.policy_review import PolicyJudge
from webhook.server.metrics import Metrics
from webhook.server.probes import Health
from webhook.server.reload import Fallback, Logger, ReloadedFile, Source

_IN_FORCE = {
    Source.FILE: "it",
    Source.LAST_GOOD: "the last good policy",
    Source.BUILT_IN: "the built-in policy",
}


class ServedPolicy(Struct, frozen=True):
    """The policy at the start, and its file.

    The built-in policy has none.
    """

    start: Policy
    file: ReloadedFile[Policy] | None

    @property
    def source(self) -> Source:
        """Where the policy in force comes from."""
        return self.file.source if self.file else Source.BUILT_IN

    def check(self) -> Health:
        """Ready also where the file is refused, and says so."""
        problem = self.file.problem if self.file else None
        if problem is None:
            return Health(ok=True)
        if self.source is Source.FILE:
            return Health(ok=True, detail=f"ok, but the last change was refused: {problem}")
        text = f"ok, but {_IN_FORCE[self.source]} decides, since the file is refused: {problem}"
        return Health(ok=True, detail=text)


def open_policy(path: str | None, copy: str | None, log: Logger) -> ServedPolicy:
    """Return the policy of a file, or the built-in one.

    A wrong file stops no start: the last good policy, of which `copy` is the file, decides then,
    else the built-in one. Raises OSError where the file cannot be read.
    """
    if path is None:
        return ServedPolicy(loaders.load_policy(None), None)

    def parse(text: str) -> Policy:
        policy = loaders.parse_policy(text)
        for each in mistakes.doubtful(policy):
            log("doubtful", problem=each)
        return policy

    fallback = Fallback(loaders.default_policy_text(), Path(copy) if copy else None)
    file = ReloadedFile(Path(path), parse, log, fallback)
    return ServedPolicy(file.value, file)


def create_judge(log: Logger) -> PolicyJudge:
    """Return what judges a policy before it is stored, and logs what it found."""

    def judge(text: str) -> tuple[str, ...]:
        try:
            doubts = tuple(mistakes.doubtful(loaders.parse_policy(text)))
        except ValueError as error:
            log("change_refused", problem=str(error))
            raise
        log("change_allowed", doubtful=doubts)
        return doubts

    return judge


def publish_policy(metrics: Metrics, policy: ServedPolicy) -> None:
    """Register the gauges of the policy."""
    file = policy.file
    gauges = {
        "gpu_sharing_policy_generation": lambda: float(file.generation if file else 1),
        "gpu_sharing_policy_stale": lambda: float(bool(file and file.problem)),
    }
    for name, read in gauges.items():
        metric.publish(metrics, name, read)
    metric.publish_policy_source(metrics, lambda: policy.source.value)
