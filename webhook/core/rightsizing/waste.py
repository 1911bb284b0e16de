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

    @property
    def wasted(self) -> float:
        """The GPUs that nobody used."""
        return self.idle + self.free + self.lost


def device_share(device: Device, model: GpuModel) -> float:
    """Return which part of a physical GPU a device is."""
    if device.profile is None:
        return 1.0
    named = (each for each in model.devices if each.profile == device.profile)
    found = next(named, None)
    return share_of(found, model) if found else device.profile.slices / (model.slices or 7)


def add_waste(
    devices: Iterable[Device],
    model_of: Callable[[str], GpuModel],
    unnamed: frozenset[str] = frozenset(),
) -> Mapping[str, Waste]:
    """Return what became of the GPUs of each product.

    `unnamed` are nodes with pods that hold GPUs and are named on no device.

    | device | is |
    |---|---|
    | nobody was named on it, and it was under 5 % active | free |
    | nobody was named on it, and it was busy, or its node is `unnamed` | unknown |
    | somebody was, and it was never 5 % active | idle |
    | somebody was, part of the time | used for that part, free for the rest |
    | what no MIG device has of a GPU that is cut | lost in the layout |

    A device counts for the part of its GPU's time in which it was there. Devices of one GPU may be
    more than it (a 3g and four 1g, or before and after it was cut anew): then each counts less.
    """
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    gpus: dict[tuple[str, str], list[tuple[Device, float]]] = defaultdict(list)
    for each in devices:
        share = device_share(each, model_of(each.product))
        gpus[each.key.node, each.key.uuid].append((each, share))
    for parts in gpus.values():
        longest = max(device.use.points for device, _ in parts)
        there = [(d, share * (d.use.points / longest if d.use.points else 1)) for d, share in parts]
        whole = sum(share for _, share in there)
        sums[parts[0][0].product]["lost"] += max(1 - whole, 0.0)
        for device, share in there:
            part = share / max(whole, 1.0)
            _add(sums[device.product], device, part, unnamed=device.key.node in unnamed)
    return {name: Waste(name, sum(each.values()), **each) for name, each in sorted(sums.items())}


def _add(found: dict[str, float], device: Device, share: float, *, unnamed: bool) -> None:
    held = held_part(device)
    active = device.use.active_mean or 0.0
    free = "unknown" if held == 0 and (unnamed or active > BUSY_WITHOUT_HOLDER) else "free"
    found[free] += share * (1 - held)
    found["idle" if is_idle([device.use]) else "used"] += share * held


def held_part(device: Device) -> float:
    """Return the part of the window in which a device was held, 0 to 1."""
    if not device.use.points:
        return 1.0 if device.pods else 0.0
    together = sum(each.points for each in device.pods.values())
    return min(together / device.use.points, 1.0)
