"""The closed list of guards as a policy file spells it: a key each, and what comes of it."""

import msgspec
from msgspec import Struct

from webhook.core.api.reason import Reason
from webhook.core.api.reasons import REASONS
from webhook.core.policy.values import Treatment, Treatments


class TreatmentsFile(Struct, frozen=True, forbid_unknown_fields=True):
    """What comes of a finding in tenants' pods, and in all others."""

    tenants: Treatment
    others: Treatment


_Said = Treatment | TreatmentsFile


class GuardsFile(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One field a guard; its name is the code of the reason that the guard gives."""

    gpu_visibility: _Said
    cuda_visibility: _Said
    env_from: _Said
    mps_environment: _Said
    privileged: _Said
    capabilities: _Said
    host_path: _Said
    host_namespaces: _Said
    runtime_class: _Said
    device_annotations: _Said
    node_name: _Said
    tolerations: _Said
    reserved_mounts: _Said
    resource_claims: _Said
    reserved_names: _Said


def of_file(read: GuardsFile) -> dict[Reason, Treatments]:
    """What comes of each guard; one word is for tenants and others alike."""
    said = msgspec.structs.asdict(read)
    return {REASONS[name]: _both(each) for name, each in said.items()}


def _both(said: _Said) -> Treatments:
    if isinstance(said, Treatment):
        return Treatments(said, said)
    return Treatments(said.tenants, said.others)
