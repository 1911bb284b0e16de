"""The configuration file of the NVIDIA device plugin, read strictly.

The plugin's own parser skips what it does not know (`memoryLimit` under `mps`, for example), so
that a wrong file seems to work. Source: k8s-device-plugin api/config/v1; pools-facts 1.1.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from webhook.core.api import names
from webhook.core.policy.yaml_text import parse_document
from webhook.core.pools.simulated import Sharing


class ConfigError(ValueError):
    """A configuration file is wrong, and the message says where and what was expected."""


class _PluginPart(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What is not a key of the plugin is refused."""


class SharedResource(_PluginPart, frozen=True):
    """A resource that is shared. The plugin resets `rename` and `devices`, so they are refused."""

    name: Annotated[str, Meta(pattern="^(nvidia.com/)?(gpu|mig-[0-9a-z.+-]+)$", max_length=63)]
    replicas: Annotated[int, Meta(ge=2)]


class SharingRules(_PluginPart, frozen=True):
    """`timeSlicing` or `mps`."""

    resources: Annotated[tuple[SharedResource, ...], Meta(min_length=1)]
    rename_by_default: bool = False
    fail_requests_greater_than_one: bool = False


class SharingFile(_PluginPart, frozen=True):
    """How GPUs are shared: one way, or none."""

    time_slicing: SharingRules | None = None
    mps: SharingRules | None = None


class PluginFlags(_PluginPart, frozen=True):
    """Flags of the plugin and of GFD. Those of `plugin` and `gfd` are passed on as they are."""

    mig_strategy: Literal["none", "single", "mixed"] = "none"
    fail_on_init_error: bool | None = None
    mps_root: str | None = None
    nvidia_driver_root: str | None = None
    nvidia_dev_root: str | None = None
    gdrcopy_enabled: bool | None = None
    gds_enabled: bool | None = None
    mofed_enabled: bool | None = None
    use_node_feature_api: bool | None = msgspec.field(default=None, name="useNodeFeatureAPI")
    device_discovery_strategy: Literal["auto", "nvml", "tegra"] | None = None
    plugin: dict[str, Any] | None = None
    gfd: dict[str, Any] | None = None


class PluginFile(_PluginPart, frozen=True):
    """The file of one kind of node."""

    version: Literal["v1"]
    flags: PluginFlags = PluginFlags()
    sharing: SharingFile = SharingFile()


def parse_plugin_file(text: str) -> PluginFile:
    """Read a device plugin's file.

    | also refused | because |
    |---|---|
    | timeSlicing beside mps | the plugin takes mps without a word |
    | mps with migStrategy mixed | the plugin does not start |
    | mps with over 48 replicas | its daemon does not start |

    Raises:
        ConfigError: it is wrong; the message says where.
    """
    document = parse_document(text, ConfigError)
    try:
        found = msgspec.convert(document.value, PluginFile)
    except msgspec.ValidationError as error:
        raise ConfigError(document.explain(str(error))) from None
    _check(found)
    return found


def _check(found: PluginFile) -> None:
    sharing = found.sharing
    if sharing.mps and sharing.time_slicing:
        raise ConfigError("sharing: timeSlicing beside mps; keep one, the plugin would take mps")
    if sharing.mps and found.flags.mig_strategy == "mixed":
        raise ConfigError("flags.migStrategy: mixed does not go with sharing.mps; write none")
    for each in sharing.mps.resources if sharing.mps else ():
        if each.replicas > MOST_MPS_CLIENTS:
            raise ConfigError(
                f"sharing.mps: {each.replicas} replicas, at most {MOST_MPS_CLIENTS} clients"
            )


MOST_MPS_CLIENTS = 48
"""Of a GPU of compute capability 7.5 or later (k8s-device-plugin cmd/mps-control-daemon)."""


def sharing_of(found: PluginFile) -> Sharing:
    """Return how a file shares whole GPUs."""
    for name, rules in (("mps", found.sharing.mps), ("time-slicing", found.sharing.time_slicing)):
        for each in rules.resources if rules else ():
            if rules and each.name.removeprefix(names.NVIDIA) == "gpu":
                return Sharing(name, each.replicas, rules.rename_by_default)
    return Sharing()
