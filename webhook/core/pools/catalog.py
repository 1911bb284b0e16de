"""GPU products: their memory, their MIG devices and where those can be placed."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from msgspec import Struct, field

from webhook.core.api import mig
from webhook.core.api.mig import Profile

MARGIN: Final = 0.85
"""What is counted of a nominal amount: a device has less than its name says."""
_GIB: Final = 1024  # MiB


class Placements(Struct, frozen=True):
    """The memory slots at which a device may start, and how many it takes."""

    starts: tuple[int, ...]
    size: int


class ProfileEntry(Struct, frozen=True):
    """A MIG profile of a product, as mig-profiles.json has it."""

    name: str
    memory_gb: int
    compute_slices: int
    placements: Placements | None = None
    attributes: tuple[str, ...] = ()


class MemoryRange(Struct, frozen=True):
    """The label `nvidia.com/gpu.memory` of a product, in MiB."""

    exclusive_min: int
    inclusive_max: int


class ProductEntry(Struct, frozen=True):
    """A GPU with MIG, as mig-profiles.json has it."""

    id: str
    product_patterns: tuple[str, ...]
    gpu_memory_label_mib: MemoryRange
    compute_slices: int
    profiles: tuple[ProfileEntry, ...]
    memory_slots: int | None = None
    match_needs_memory: bool = False
    pci_device_ids: tuple[str, ...] | None = None
    balanced: dict[str, int] | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Catalog:
    """What is known of products. Memory is in MiB, prices are USD for a GPU and hour.

    `mig_memory` is by product and profile, of measured devices.
    """

    products: tuple[ProductEntry, ...]
    gpu_memory: Mapping[str, int]
    mig_memory: Mapping[str, Mapping[str, int]]
    prices: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class MigDevice:
    """A MIG device that a GPU can be cut into. `memory` is in MiB, measured or with a margin."""

    profile: Profile
    memory: int
    starts: tuple[int, ...]
    size: int


@dataclass(frozen=True, slots=True)
class GpuModel:
    """A GPU product. `memory` is in MiB, None where nothing tells it.

    `devices` are the plain MIG devices, without attributes; none where the GPU has no MIG.
    """

    product: str
    memory: int | None
    slices: int
    slots: int
    devices: tuple[MigDevice, ...]
    balanced: Mapping[str, int]
    pci_ids: tuple[str, ...]

    def device(self, profile: str) -> MigDevice:
        """Return the MIG device of a profile."""
        return next(each for each in self.devices if each.profile.name == profile)


def whole_product(label: str) -> str:
    """Return the product of `nvidia.com/gpu.product` without `-SHARED` and `-MIG-…`."""
    return label.removesuffix("-SHARED").partition("-MIG-")[0]


def find_model(catalog: Catalog, product: str, memory: int | None = None) -> GpuModel:
    """Return what is known of a product. `memory` is that of its label, where there is one.

    | memory of the whole GPU: the first that applies |
    |---|
    | the node's label |
    | a measured GPU of the same name |
    | the least that the product's label can be |
    | the GB in the name, less a margin |
    """
    return model_of(catalog, _entry(catalog, product, memory), product, memory)


def model_of(
    catalog: Catalog, entry: ProductEntry | None, product: str, memory: int | None
) -> GpuModel:
    """Return the model of an entry, None where the product has no MIG."""
    if memory is None:
        memory = catalog.gpu_memory.get(product)
    if memory is None and entry is not None:
        memory = entry.gpu_memory_label_mib.exclusive_min + 1
    if memory is None and (named := re.search(r"-(\d+)GB\b", product)):
        memory = int(int(named[1]) * _GIB * MARGIN)
    if entry is None:
        return GpuModel(product, memory, 0, 0, (), {}, ())
    slots = entry.memory_slots or entry.compute_slices
    measured = catalog.mig_memory.get(product, {})
    devices = tuple(_device(each, measured, slots) for each in entry.profiles if _is_plain(each))
    ids = entry.pci_device_ids or ()
    balanced = entry.balanced or {}
    return GpuModel(product, memory, entry.compute_slices, slots, devices, balanced, ids)


def price_of(catalog: Catalog, product: str) -> float | None:
    """Return the lowest price of a product, or of the same chip and memory."""
    if product in catalog.prices:
        return catalog.prices[product]
    entry = _entry(catalog, product, None)
    if entry is None:
        return None
    prices = (p for name, p in catalog.prices.items() if _entry(catalog, name, None) is entry)
    return min(prices, default=None)


def _entry(catalog: Catalog, product: str, memory: int | None) -> ProductEntry | None:
    """The product of a name, by its memory where several have that name."""
    found = [p for p in catalog.products if any(map(_matches(product), p.product_patterns))]
    if memory is not None and len(found) > 1:
        ranges = ((each, each.gpu_memory_label_mib) for each in found)
        found = [each for each, r in ranges if r.exclusive_min < memory <= r.inclusive_max] or found
    return next((each for each in found if not each.match_needs_memory), next(iter(found), None))


def _matches(product: str) -> Callable[[str], bool]:
    return lambda pattern: re.fullmatch(pattern, product) is not None


def _is_plain(entry: ProfileEntry) -> bool:
    return not entry.attributes and mig.parse_profile(entry.name).attribute == ""


def _device(entry: ProfileEntry, measured: Mapping[str, int], slots: int) -> MigDevice:
    """Where no placements are published (RTX PRO 5000, 4500), devices stand side by side."""
    size = entry.compute_slices
    placed = entry.placements or Placements(tuple(range(0, slots - size + 1, size)), size)
    memory = measured.get(entry.name) or math.floor(entry.memory_gb * _GIB * MARGIN)
    return MigDevice(mig.parse_profile(entry.name), memory, placed.starts, placed.size)
