"""A check: its rule, the same rule as CEL, its texts and its treatment."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct, field

from webhook.core.api.reason import Reason
from webhook.core.checks.finding import ContainerRule, PodRule, Subject


class Treatment(StrEnum):
    """What comes of a finding."""

    REFUSE = "refuse"
    WARN = "warn"
    OFF = "off"


class Treatments(Struct, frozen=True):
    """What comes of one check's findings in tenants' pods, and in all others."""

    tenants: Treatment
    others: Treatment


REFUSED: Final = Treatments(Treatment.REFUSE, Treatment.REFUSE)
REFUSED_TO_TENANTS: Final = Treatments(Treatment.REFUSE, Treatment.WARN)


class PodCondition(Struct, frozen=True):
    """CEL on a pod `o` and each of its containers `c`, or empty for never.

    `resource` is asked of each name `k` that a container requests, none of `cel.COMMON`,
    `environment` of a container that has some `cel.VARIABLES`.
    """

    pod: str = ""
    container: str = ""
    resource: str = ""
    environment: str = ""


class Backstop(Struct, frozen=True):
    """What the API server refuses by itself, to whom the built-in treatment refuses it.

    `when` is the webhook's condition where it is None. It holds exactly for pods with a finding of
    which `claims` holds (all, but where the rule needs what CEL cannot see), and for those that are
    `taken` for the worst where CEL cannot follow what the rule does. Of a pod that exists the API
    server looks at containers that an update adds, and at what `changed`: CEL that tells what the
    rule newly finds, empty where that cannot change in a pod. All may use `variables.tenant`,
    which holds for tenants' pods, and `variables` of its own: CEL over `o`, in which the chart's
    values can stand. Nothing is looked at unless the webhook's condition holds, or `asked` where
    that one leaves pods with a GPU out, or names all of them; it uses no variables.
    """

    message: str
    when: PodCondition | None = None
    asked: PodCondition | None = None
    changed: str = ""
    claims: Callable[[Subject], bool] = lambda _: True
    taken: Callable[[Subject], bool] = lambda _: False
    variables: Mapping[str, str] = field(default_factory=dict)


class Texts(Struct, frozen=True):
    """What the pages say of a check.

    `looks_at` and `on_the_node` are cells of the table in docs/security.md, `comment` stands in
    the built-in policy.
    """

    looks_at: str
    comment: str = ""
    on_the_node: str = ""


class Check(Struct, frozen=True):
    """One check. `webhook` holds at least for each pod in which a rule finds something.

    Findings stand in messages by `rank`. With `only_created` a pod that exists has what the rule
    looks at from the cluster, so an update is never refused for it.
    """

    rank: int
    reason: Reason
    treatments: Treatments
    texts: Texts
    webhook: PodCondition
    backstop: Backstop
    pod_rule: PodRule | None = None
    container_rule: ContainerRule | None = None
    only_created: bool = False
