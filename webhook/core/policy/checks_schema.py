"""The policy's block of checks as types: one key a check, made from the registry."""

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from webhook.core.api.reason import Reason
from webhook.core.checks.check import Treatment, Treatments
from webhook.core.checks.registry import CHECKS, REASONS


class TreatmentsFile(Struct, frozen=True, forbid_unknown_fields=True):
    """What comes of a finding in tenants' pods, and in all others."""

    tenants: Treatment
    others: Treatment


_Stated = Treatment | TreatmentsFile

if TYPE_CHECKING:
    GuardsFile = Struct
else:
    GuardsFile = msgspec.defstruct(
        "GuardsFile",
        [(each.reason.code, _Stated) for each in CHECKS],
        frozen=True,
        forbid_unknown_fields=True,
        rename="camel",
        namespace={"__doc__": "One key a check, which is its code in camel case."},
    )


def compile_treatments(read: GuardsFile) -> dict[Reason, Treatments]:
    """Return what comes of each check.

    One word is for tenants and others alike.
    """
    stated = msgspec.structs.asdict(read)
    return {REASONS[name]: _both(each) for name, each in stated.items()}


def _both(stated: _Stated) -> Treatments:
    if isinstance(stated, Treatment):
        return Treatments(stated, stated)
    return Treatments(stated.tenants, stated.others)
