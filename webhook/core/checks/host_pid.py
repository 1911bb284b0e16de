"""The check of pods that see the processes of their node."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.check import REFUSED, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject


def host_pid(seen: Subject) -> Iterator[Finding]:
    """Yield hostPID: root may trace other containers' processes, which hold GPUs.

    Fields: spec.hostPID. Allowed: false, absent. Source: man 2 ptrace, "Ptrace access mode
    checking"; Kubernetes, Pod Security Standards.
    """
    if seen.pod.spec.host_pid:
        text = "hostPID reaches others' processes on the node; remove it"
        yield Finding(Violation(CHECK.reason, "", text, "spec.hostPID"))


CHECK: Final = Check(
    rank=17,
    reason=Reason(
        "host_pid",
        Group.WAY_AROUND,
        "The pod sees the processes of its node, those of other pods too.",
        example="`hostPID: true`.",
        to_do="remove it. Containers of one pod see each other by `shareProcessNamespace: true`.",
        detail="Its root can trace them, and so use the GPUs that they hold.",
    ),
    treatments=REFUSED,
    texts=Texts(looks_at="hostPID"),
    webhook=PodCondition(pod="has(o.spec.hostPID) && o.spec.hostPID"),
    backstop=Backstop("a pod may not see the processes of its node; remove hostPID"),
    pod_rule=host_pid,
)
