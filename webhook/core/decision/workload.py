"""What a pod is for: by labels, and by what it runs."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from webhook.core.api import denials, names, reasons
from webhook.core.api import pod as pods
from webhook.core.api.pod import Container, Pod
from webhook.core.api.violation import Violation
from webhook.core.api.workload import Workload
from webhook.core.decision import hints
from webhook.core.integrations.integration import WellKnownLabel

WORKLOADS: Final = tuple(w.value for w in Workload if w is not Workload.UNCLASSIFIED)
ALLOWED: Final = ", ".join(WORKLOADS)
NOTHING: Final = "nothing says so"


class ClassifiedWorkload(Struct, frozen=True):
    """A workload, and what says so in words for people."""

    workload: Workload
    source: str
    violations: tuple[Violation, ...] = ()
    warnings: tuple[str, ...] = ()


def classify_workload(
    pod: Pod,
    namespace: Mapping[str, str],
    well_known: tuple[WellKnownLabel, ...],
    asking: Iterable[Container],
) -> ClassifiedWorkload:
    """Return the first that applies. A hint is told in a warning.

    | our pod label | well-known pod label | a container runs | our namespace label | workload |
    |---|---|---|---|---|
    | set | - | - | - | its value |
    | - | one matches | - | - | what the policy's table says |
    | - | - | a known program | not `tenant` | what the program is for |
    | - | - | any other | set | its value |
    | - | - | any other | - | unclassified |

    `asking` are the containers that may give a hint.
    """
    labels, default = pods.labels(pod), namespace.get(names.WORKLOAD)
    if names.WORKLOAD in labels:
        return _read(labels[names.WORKLOAD], "the pod's")
    for known in well_known:
        if known.label in labels and known.value in (None, labels[known.label]):
            source = f"the pod's label {known.label}, which the policy knows"
            return ClassifiedWorkload(known.workload, source)
    hint = None if default == Workload.TENANT else hints.workload_of_programs(asking)
    if hint is not None:
        workload, program = hint
        text = f"taken for {workload}, since it runs {program}; label {names.WORKLOAD} to be sure"
        warnings = (f"{text} [{reasons.WORKLOAD_HINT}]",)
        return ClassifiedWorkload(workload, f"it runs {program}", (), warnings)
    if default is not None:
        return _read(default, "the namespace's")
    return ClassifiedWorkload(Workload.UNCLASSIFIED, NOTHING)


def _read(value: str, whose: str) -> ClassifiedWorkload:
    source = f"{whose} label {names.WORKLOAD}"
    if value in WORKLOADS:
        return ClassifiedWorkload(Workload(value), source)
    text = f"{source}={value[:63]!r} is unknown; write one of {ALLOWED}"
    wrong = Violation(denials.INVALID_WORKLOAD, "", text, names.WORKLOAD)
    return ClassifiedWorkload(Workload.UNCLASSIFIED, source, (wrong,))
