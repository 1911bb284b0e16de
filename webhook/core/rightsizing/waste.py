"""What becomes of GPUs: used, idle, free, or lost in the layout."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from webhook.core.pools.catalog import GpuModel
from webhook.core.rightsizing.need import IDLE, is_idle
from webhook.core.rightsizing.recommend import share_of
from webhook.core.rightsizing.values import Device

BUSY_WITHOUT_HOLDER = IDLE
"""A device that nobody is named on and that is more active than this has an unknown holder."""


@dataclass(frozen=True, slots=True)
class Waste:
    """Physical GPUs of one product by what became of them.

    They add up to `all`.

    `oversized` is counted by workload, so it is a part of `used` here.
    """

    product: str
    all: float = 0.0
    used: float = 0.0
    idle: float = 0.0
    free: float = 0.0
    lost: float = 0.0
    unknown: float = 0.0


def device_share(device: Device, model: GpuModel) -> float:
    """Return which part of a physical GPU a device is."""
    if device.profile is None:
        return 1.0
    named = (each for each in model.devices if each.profile == device.profile)
    found = next(named, None)
    return share_of(found, model) if found else device.profile.slices / (model.slices or 7)


def add_waste(
    devices: Iterable[Device], model_of: Callable[[str], GpuModel]
) -> Mapping[str, Waste]:
    """Return what became of the GPUs of each product.

    | device | is |
    |---|---|
    | nobody was named on it, and it was under 5 % active | free |
    | nobody was named on it, and it was busy | unknown |
    | somebody was, and it was never 5 % active | idle |
    | somebody was, part of the time | used for that part, free for the rest |
    | what no MIG device has of a GPU that is cut | lost in the layout |
    """
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    cut: dict[tuple[str, str], float] = defaultdict(float)
    products: dict[tuple[str, str], str] = {}
    for device in devices:
        share = device_share(device, model_of(device.product))
        found = sums[device.product]
        gpu = (device.key.node, device.key.uuid)
        products[gpu] = device.product
        if device.profile is not None:
            cut[gpu] += share
        held = held_part(device)
        active = device.use.active_mean or 0.0
        free = "unknown" if held == 0 and active > BUSY_WITHOUT_HOLDER else "free"
        found[free] += share * (1 - held)
        found["idle" if is_idle([device.use]) else "used"] += share * held
    for gpu, product in products.items():
        lost = max(1 - cut[gpu], 0.0) if gpu in cut else 0.0
        sums[product]["lost"] += lost
    return {name: Waste(name, sum(each.values()), **each) for name, each in sorted(sums.items())}


def held_part(device: Device) -> float:
    """Return the part of the window in which a device was held, 0 to 1."""
    if not device.use.points:
        return 1.0 if device.pods else 0.0
    together = sum(each.points for each in device.pods.values())
    return min(together / device.use.points, 1.0)
