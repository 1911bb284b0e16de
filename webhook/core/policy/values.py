"""The policy as the decision uses it: compiled, frozen values."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Final

from msgspec import Struct

from webhook.core.api import mig
from webhook.core.api.reason import Reason
from webhook.core.api.workload import Workload
from webhook.core.checks.check import Treatment, Treatments
from webhook.core.checks.finding import TenantAllowances
from webhook.core.gpu.strategies import Strategy
from webhook.core.gpu.values import DeclaredPool, Offer
from webhook.core.integrations.integration import WellKnownLabel
from webhook.core.integrations.registry import StatedPaths

MIG_CAPABLE: Final = "mig-capable"
NOT_MIG_CAPABLE: Final = "not-mig-capable"


class Otherwise(StrEnum):
    """What a row does when none of its strategies is offered."""

    EXCLUSIVE = "exclusive"
    DENY = "deny"


class SeveralGpus(StrEnum):
    """What a row does with more than one GPU in a container."""

    EXCLUSIVE = "exclusive"
    DENY = "deny"
    SHARE = "share"


class RowName(StrEnum):
    """The rows of the matrix."""

    TRAINING = "training"
    INFERENCE = "inference"
    DEV = "dev"
    TENANT = "tenant"
    TENANT_TRAINING = "tenantTraining"
    UNCLASSIFIED = "unclassified"


class Choice(Struct, frozen=True):
    """A strategy, and the GPU products that it is for (none named: all)."""

    strategy: Strategy
    on: tuple[str, ...] = ()


class Row(Struct, frozen=True):
    """One row of the matrix. `memory` is in MiB."""

    choices: tuple[Choice, ...]
    otherwise: Otherwise
    several_gpus: SeveralGpus
    memory: int | None = None


class Policy(Struct, frozen=True, dict=True):
    """Which strategies each workload may use, in order, and what goes with it.

    `command_hints`: what a container runs may classify its pod. `model_memory`: the memory of
    inference is estimated from the model's name.
    """

    matrix: Mapping[RowName, Row]
    guards: Mapping[Reason, Treatments]
    several_mig_devices: bool
    shared_tenant_pools: bool
    tenant_allowances: TenantAllowances
    well_known_labels: tuple[WellKnownLabel, ...]
    exempt_users: frozenset[str]
    gpu_taints: frozenset[str]
    momentary_taints: tuple[str, ...]
    pools: tuple[DeclaredPool, ...]
    pod_templates: StatedPaths
    command_hints: bool
    model_memory: bool

    @cached_property
    def deciding_labels(self) -> frozenset[str]:
        """The keys of labels that classify a pod by their values, or by being there."""
        return frozenset(each.label for each in self.well_known_labels)


def row_of(workload: Workload, tenant: str | None) -> RowName:
    """Which row decides.

    | workload | no tenant | with a tenant |
    |---|---|---|
    | training | training | tenantTraining |
    | tenant | tenant | tenant |
    | any other | its own | tenant |
    """
    if tenant is None:
        return RowName(workload.value)
    return RowName.TENANT_TRAINING if workload is Workload.TRAINING else RowName.TENANT


def is_tenant_row(row_name: RowName) -> bool:
    """Whether the pods of a row must be kept apart from everybody else's."""
    return row_name in (RowName.TENANT, RowName.TENANT_TRAINING)


def treatment(policy: Policy, reason: Reason, *, isolated: bool) -> Treatment:
    """What comes of a finding.

    What is no guard's is always refused.
    """
    both = policy.guards.get(reason)
    if both is None:
        return Treatment.REFUSE
    return both.tenants if isolated else both.others


def is_for(choice: Choice, offer: Offer) -> bool:
    """Whether the choice's `on` condition lets it use this offer's GPU product."""
    return not choice.on or any(_names(token, offer) for token in choice.on)


def _names(token: str, offer: Offer) -> bool:
    if token == MIG_CAPABLE:
        return offer.mig_capable
    if token == NOT_MIG_CAPABLE:
        return not offer.mig_capable
    return mig.is_product(token, offer.product)
