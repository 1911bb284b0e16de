"""The configuration file of mig-parted (mig-manager), read as strictly as it reads it itself.

Source: NVIDIA/mig-parted api/spec/v1; pools-facts 1.5.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from webhook.core.api import mig
from webhook.core.policy.yaml_text import parse_document
from webhook.core.pools.catalog import GpuModel
from webhook.core.pools.layouts import Layout, all_layouts, holds
from webhook.core.pools.plugin_file import ConfigError

Count = Annotated[int, Meta(ge=0)]
_Filter = Annotated[str, Meta(pattern="^0x[0-9A-Fa-f]{4}10[dD][eE]$")]
DISABLED = "all-disabled"
"""The layout that a node without the label `nvidia.com/mig.config` gets."""


class MigEntry(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", omit_defaults=True):
    """What some GPUs of a node become. `device_filter` is a PCI id, device before vendor."""

    devices: Literal["all"] | tuple[Count, ...]
    mig_enabled: bool
    device_filter: _Filter | tuple[_Filter, ...] | None = None
    mig_devices: dict[str, Count] | None = None


class MigPartedFile(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The named layouts of a cluster."""

    version: Literal["v1"]
    mig_configs: dict[str, Annotated[tuple[MigEntry, ...], Meta(min_length=1)]]


def parse_mig_parted_file(text: str) -> MigPartedFile:
    """Read a mig-parted file.

    Raises:
        ConfigError: it is wrong, or lacks `all-disabled`, which is every node's default.
    """
    document = parse_document(text, ConfigError)
    try:
        found = msgspec.convert(document.value, MigPartedFile)
    except msgspec.ValidationError as error:
        raise ConfigError(document.explain(str(error))) from None
    if DISABLED not in found.mig_configs:
        raise ConfigError(f"mig-configs: {DISABLED} is missing, and every node begins with it")
    for name, entries in found.mig_configs.items():
        for each in entries:
            _check(name, each)
    return found


def _check(name: str, entry: MigEntry) -> None:
    """`mig-devices` belongs to mig-enabled: true (may be empty), and to it alone."""
    if entry.mig_enabled and entry.mig_devices is None:
        raise ConfigError(f"mig-configs.{name}: mig-enabled: true needs mig-devices, maybe {{}}")
    if not entry.mig_enabled and entry.mig_devices:
        raise ConfigError(f"mig-configs.{name}: mig-devices beside mig-enabled: false")
    for profile in entry.mig_devices or {}:
        try:
            mig.parse_profile(profile)
        except mig.ProfileError as error:
            raise ConfigError(f"mig-configs.{name}: {error}") from None


def layouts_of(
    entries: Sequence[MigEntry], model: GpuModel, gpus: int
) -> tuple[Layout | None, ...]:
    """Return what each GPU of a node becomes, None for whole: later entries override earlier.

    Raises:
        ConfigError: a layout does not fit, so mig-parted would fail the node.
    """
    found: list[Layout | None] = [None] * gpus
    for entry in entries:
        if not _is_for(entry, model):
            continue
        for index in range(gpus) if entry.devices == "all" else entry.devices:
            if not isinstance(index, int) or index >= gpus:
                raise ConfigError(f"devices: {index} on a node of {gpus} GPUs")
            found[index] = entry.mig_devices or {} if entry.mig_enabled else None
    for each in found:
        if each and not any(holds(other, each) for other in all_layouts(model)):
            raise ConfigError(f"{dict(each)} does not fit on {model.product}")
    return tuple(found)


def _is_for(entry: MigEntry, model: GpuModel) -> bool:
    if entry.device_filter is None:
        return True
    one = isinstance(entry.device_filter, str)
    filters = (entry.device_filter,) if one else entry.device_filter
    return any(str(each)[2:6].upper() in model.pci_ids for each in filters)


def layout_entries(layouts: Sequence[Layout | None]) -> list[dict[str, Any]]:
    """Return the entries that give each GPU of a node its layout, equal ones together."""
    entries: list[dict[str, Any]] = []
    for index, layout in enumerate(layouts):
        made: dict[str, Any] = {"mig-enabled": layout is not None}
        if layout is not None:
            made["mig-devices"] = dict(sorted(layout.items()))
        same = next(
            (e for e in entries if {**e, "devices": None} == {**made, "devices": None}), None
        )
        if same is None:
            entries.append({"devices": [index], **made})
        else:
            same["devices"].append(index)
    return entries


def generated_name(layouts: Sequence[Layout | None], model: GpuModel) -> str | None:
    """Return the name under which mig-manager has the layouts of a node itself, else None.

    It makes all-disabled, all-balanced and all-<profile> from the hardware, for all GPUs alike.
    """
    first = layouts[0] if layouts else None
    if any(each != first for each in layouts):
        return None
    if first is None:
        return DISABLED
    if first == model.balanced:
        return "all-balanced"
    profile = next(iter(first))
    if len(first) == 1 and first[profile] == len(model.device(profile).starts):
        return f"all-{profile}"
    return None


def as_counts(layouts: Sequence[Layout | None]) -> Mapping[str, int]:
    """Return how many devices of each profile a node has."""
    total: Counter[str] = Counter()
    for each in layouts:
        total.update(each or {})
    return total
