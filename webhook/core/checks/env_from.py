"""The check of variables whose names cannot be seen from the pod."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api.containers import ContainerRef
from webhook.core.api.pod import Container
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.cel import REQUESTS_GPU, VARIABLES, some
from webhook.core.checks.check import REFUSED_TO_TENANTS, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject


def env_from(seen: Subject, place: ContainerRef, container: Container) -> Iterator[Finding]:
    """Yield each source of unseen variables in a container with a GPU.

    Fields: envFrom of containers that request a GPU; from all others the mutating side hides
    GPUs by `env`, which wins over envFrom. Allowed: a prefix that none of the variables of
    the checks begins with. Source: Kubernetes API reference, Container v1 core, `envFrom`.
    """
    if place in seen.idle:
        return
    for index, each in enumerate(container.env_from or ()):
        prefix = each.prefix or ""
        if any(ours.startswith(prefix) or prefix.startswith(ours) for ours in VARIABLES):
            text = f"envFrom[{index}] may bring NVIDIA_ or CUDA_ variables; use env or a prefix"
            where = f"envFrom[{index}]"
            yield Finding(Violation(CHECK.reason, place.name, text, where))


_PREFIX: Final = " || ".join(
    f"f.prefix.startsWith('{ours}') || '{ours}'.startsWith(f.prefix)" for ours in VARIABLES
)

_CEL: Final = some("c.envFrom", "f", f"!has(f.prefix) || {_PREFIX}")
_BESIDE_GPU: Final = PodCondition(container=f"{_CEL} && {REQUESTS_GPU}")

CHECK: Final = Check(
    rank=3,
    reason=Reason(
        "env_from",
        Group.WAY_AROUND,
        "A container with a GPU takes variables from where nobody can check them.",
        example="`envFrom: [{configMapRef: {name: settings}}]` beside `nvidia.com/gpu: 1`.",
        to_do=(
            "name the variables in `env` with `valueFrom`, or give `envFrom` a prefix such as "
            "`APP_`."
        ),
        detail="They come from a ConfigMap or Secret, and win over the device plugin's.",
    ),
    treatments=REFUSED_TO_TENANTS,
    texts=Texts(
        looks_at="the same through `envFrom`, in a container with a GPU",
        comment="beside a GPU, without a prefix",
        on_the_node="[1]",
    ),
    webhook=PodCondition(),  # it is asked about every pod that requests a GPU
    backstop=Backstop(
        "a container with a GPU takes its environment from where nobody sees it; use env",
        _BESIDE_GPU,
        asked=_BESIDE_GPU,
    ),
    container_rule=env_from,
)
