"""MIG profiles and which GPU products can be partitioned.

Nothing of nodes or pods.
"""

import re
from typing import Final

from msgspec import Struct

from webhook.core.api import names

_PROFILE_PATTERN: Final = (
    r"(?P<g>[1-7])g\.(?P<gb>[0-9]{1,4})gb(?P<attribute>[.+](?:me\.all|me|gfx)|-me)?"
)
_PROFILE: Final = re.compile(_PROFILE_PATTERN, re.ASCII)
RESOURCE_PATTERN: Final = (
    rf"^{re.escape(names.MIG)}{_PROFILE_PATTERN}({re.escape(names.SHARED)})?\Z"
)
"""The names of the resources of MIG devices, shared or not; CEL reads it too."""
PRODUCT_PATTERN: Final = rf"-MIG-{_PROFILE_PATTERN}(-SHARED)?\Z"
"""The end of `nvidia.com/gpu.product` of a MIG device, for CEL."""

# Tokens of `nvidia.com/gpu.product` of GPUs with MIG, and the compute slices of one. Source: NVIDIA
# MIG User Guide, "Supported GPUs" and "Supported MIG Profiles". Whether a GPU can be partitioned
# is read here only where a node lacks the label nvidia.com/mig.capable.
MIG_PRODUCTS: Final = {
    **dict.fromkeys(("A100", "A100X", "A800", "AX800", "PG506"), 7),
    **dict.fromkeys(("H100", "H800", "H20", "H200", "GH200"), 7),
    **dict.fromkeys(("B200", "GB200", "B300", "GB300"), 7),
    **dict.fromkeys(("A30", "A30X", "RTX-PRO-6000", "RTX-PRO-SERVER-6000"), 4),
    **dict.fromkeys(("RTX-PRO-4500", "RTX-PRO-5000", "RTX-PRO-6000D", "RTX-6000D"), 2),
}


# What devices of a profile have at least, in MiB, as drivers report it: labels of GPU Feature
# Discovery and `nvidia-smi mig -lgip` in public issues.
_LEAST_MEMORY: Final = {
    "1g.5gb": 4864,
    "2g.10gb": 9856,
    "3g.20gb": 19968,
    "7g.40gb": 40192,
    "1g.10gb": 9728,
    "1g.20gb": 19968,
    "2g.20gb": 19968,
    "3g.40gb": 40192,
    "4g.40gb": 40192,
    "1g.12gb": 11008,
    "1g.24gb": 20480,
    "2g.24gb": 22139,
    "3g.47gb": 47493,
    "1g.23gb": 20992,
    "1g.45gb": 45312,
    "2g.45gb": 45312,
    "1g.47gb": 46592,
    "2g.47gb": 46592,
}


class ProfileError(ValueError):
    """The text names no MIG profile that Kubernetes can ask for."""


class Profile(Struct, frozen=True, order=True):
    """A GPU instance profile: compute slices, nominal GB, attribute (`.me`, `.gfx`, `-me`, …).

    The GB is part of the name only. What a device really has is in the node's label
    `nvidia.com/mig-<profile>.memory` (a 1g.10gb of an A100 has about 9856 MiB).
    """

    slices: int
    gb: int
    attribute: str = ""

    @property
    def name(self) -> str:
        """The spelling in resource names and labels: `1g.10gb`, `1g.10gb.me`."""
        return f"{self.slices}g.{self.gb}gb{self.attribute}"

    @property
    def resource(self) -> str:
        """The extended resource of an unshared device."""
        return names.MIG + self.name


def parse_profile(text: str) -> Profile:
    """Read a profile as NVIDIA (`1g.10gb+me`) or Kubernetes (`1g.10gb.me`) spells it.

    Compute instances (`1c.2g.20gb`) have no resource and are refused.
    Source: go-nvlib pkg/nvlib/device/mig_profile.go; k8s-device-plugin internal/rm/rm.go.
    """
    found = _PROFILE.fullmatch(text)
    if found is None:
        raise ProfileError(f"{text[:63]!r} is not a MIG profile; write for example 2g.20gb")
    attribute = (found["attribute"] or "").replace("+", ".")
    return Profile(int(found["g"]), int(found["gb"]), attribute)


def least_memory(profile: Profile) -> int:
    """Return the least MiB of a device of a profile, where no label tells.

    The GB of a name are rounded up: of those that are not known a sixth is taken off.
    """
    return _LEAST_MEMORY.get(f"{profile.slices}g.{profile.gb}gb", profile.gb * 1024 * 5 // 6)


def of_resource(resource: str) -> tuple[Profile, bool] | None:
    """Return the profile of a `nvidia.com/mig-*` resource and whether it is `.shared`."""
    if not resource.startswith(names.MIG):
        return None
    text = resource.removeprefix(names.MIG)
    shared = text.endswith(names.SHARED)
    try:
        return parse_profile(text.removesuffix(names.SHARED)), shared
    except ProfileError:
        return None


def of_product(product: str) -> Profile | None:
    """Return the profile in `NVIDIA-A100-SXM4-80GB-MIG-1g.10gb[-SHARED]` (mig.strategy=single)."""
    _, found, text = product.removesuffix("-SHARED").partition("-MIG-")
    try:
        return parse_profile(text) if found else None
    except ProfileError:
        return None


def is_product(token: str, product: str) -> bool:
    """Whether `token` stands in a product name as whole words between dashes.

    | token | product | |
    |---|---|---|
    | A100 | NVIDIA-A100-SXM4-80GB | yes |
    | A10, A100X | NVIDIA-A100-SXM4-80GB | no |
    | RTX-PRO-6000 | NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition | yes |
    | A100 | A100_NVLINK_80GB, nvidia-tesla-a100 | yes |
    """
    return f"-{token}-".lower() in f"-{product}-".lower().replace("_", "-")


def compute_slices(product: str) -> int:
    """Return the compute slices of a GPU, 7 where its product is not known."""
    known = [slices for token, slices in MIG_PRODUCTS.items() if is_product(token, product)]
    return min(known, default=7)


def is_mig_product(product: str) -> bool:
    """Whether GPUs of this name can be partitioned, by NVIDIA's list."""
    return any(is_product(token, product) for token in MIG_PRODUCTS)
