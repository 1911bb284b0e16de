"""What makes a plan true: labels of nodes and Helm values, read back."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import yaml

from webhook.core.gpu.reading import read_node
from webhook.core.gpu.strategies import Strategy
from webhook.core.gpu.values import Offer
from webhook.core.pools.catalog import GpuModel
from webhook.core.pools.demand import Replicas
from webhook.core.pools.layouts import Layout
from webhook.core.pools.mig_parted_file import (
    DISABLED,
    MigPartedFile,
    as_counts,
    generated_name,
    layout_entries,
    layouts_of,
    parse_mig_parted_file,
)
from webhook.core.pools.plan import FREE, PlannedGpu
from webhook.core.pools.plugin_file import ConfigError, parse_plugin_file, sharing_of
from webhook.core.pools.simulated import simulate_node

WHOLE, MIG, MPS, TIME_SLICING = "whole", "mig", "mps", "time-slicing"
"""The kinds of pool, which are the keys of the device plugin's configurations."""
_PLAIN: Final = (FREE, Strategy.EXCLUSIVE.value)


@dataclass(frozen=True, slots=True)
class NodeSetting:
    """The two labels by which a node is in a pool."""

    node: str
    pool: str
    mig_config: str
    layouts: tuple[Layout | None, ...]


def plugin_files(replicas: Replicas) -> Mapping[str, dict[str, Any]]:
    """Return the device plugin's configurations, by kind of pool.

    Shares are renamed to nvidia.com/gpu.shared, so that a request for a whole GPU that nobody
    rewrote never lands on one.
    """

    def shared(key: str, count: int) -> dict[str, Any]:
        rules: dict[str, Any] = {
            "renameByDefault": True,
            "resources": [{"name": "nvidia.com/gpu", "replicas": count}],
        }
        if key == "timeSlicing":  # under MPS it is so by itself
            rules["failRequestsGreaterThanOne"] = True
        return {"version": "v1", "flags": {"migStrategy": "none"}, "sharing": {key: rules}}

    return {
        WHOLE: {"version": "v1", "flags": {"migStrategy": "none"}},
        TIME_SLICING: shared("timeSlicing", replicas.time_slicing),
        MPS: shared("mps", replicas.mps),
        MIG: {"version": "v1", "flags": {"migStrategy": "mixed"}},
    }


def node_setting(gpus: Iterable[PlannedGpu], model: GpuModel) -> NodeSetting:
    """Return the pool of one node's GPUs, and the name of its MIG layout."""
    found = sorted(gpus, key=lambda each: each.index)
    layouts = tuple(each.layout if each.strategy == Strategy.MIG else None for each in found)
    shared = {each.strategy for each in found} - {*_PLAIN, Strategy.MIG.value}
    pool = MIG if any(layouts) else next(iter(shared), WHOLE)
    name = generated_name(layouts, model)
    if name is None:
        text = msgspec.json.encode(layout_entries(layouts), order="sorted")
        name = f"plan-{hashlib.sha256(text).hexdigest()[:10]}"
    return NodeSetting(found[0].node, pool, name, layouts)


def operator_values(settings: Iterable[NodeSetting], replicas: Replicas) -> dict[str, Any]:
    """Return Helm values of the GPU Operator.

    A migManager.config of one's own replaces the one that mig-manager makes from the hardware,
    so it is there only for layouts that are not in that, and then with every name in use.
    """
    files = plugin_files(replicas)
    values: dict[str, Any] = {
        "mig": {"strategy": ""},
        "devicePlugin": {
            "config": {
                "create": True,
                "name": "gpu-sharing-pools",
                "default": WHOLE,
                "data": {key: _yaml(each) for key, each in files.items()},
            }
        },
        "gfd": {"enabled": True},
        "dcgmExporter": {
            "env": [{"name": "NVIDIA_RESOURCE_NAMES", "value": "nvidia.com/gpu.shared"}]
        },
    }
    configs = {each.mig_config: each.layouts for each in settings}
    if any(name.startswith("plan-") for name in configs):
        values["migManager"] = {"config": _layout_file(configs)}
    return values


def _layout_file(configs: Mapping[str, tuple[Layout | None, ...]]) -> dict[str, Any]:
    named = {DISABLED: [{"devices": "all", "mig-enabled": False}]}
    named |= {name: layout_entries(found) for name, found in configs.items() if name not in named}
    text = _yaml({"version": "v1", "mig-configs": named})
    config = {"create": True, "name": "gpu-sharing-mig", "default": DISABLED}
    return {**config, "data": {"config.yaml": text}}


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False)


def read_back(
    values: Mapping[str, Any], setting: NodeSetting, model: GpuModel
) -> Mapping[str, int]:
    """Return what a node will offer under these values, by strategy or MIG profile.

    Raises:
        ConfigError: a file of the values is wrong, or lacks what the node names.
    """
    files = values["devicePlugin"]["config"]["data"]
    plugin = parse_plugin_file(files[setting.pool])
    own = values.get("migManager", {}).get("config", {}).get("data", {}).get("config.yaml")
    layouts = setting.layouts
    if own is not None:
        layouts = _named(parse_mig_parted_file(own), setting, model)
    if any(layouts) and plugin.flags.mig_strategy != "mixed":
        raise ConfigError(f"{setting.node}: cut GPUs under migStrategy {plugin.flags.mig_strategy}")
    node = simulate_node(model, sharing_of(plugin), layouts)
    return count_offers(read_node(node).offers)


def count_offers(offers: Iterable[Offer]) -> Counter[str]:
    """Return how many devices there are, by MIG profile or strategy."""
    found: Counter[str] = Counter()
    for each in offers:
        found[each.profile.name if each.profile else each.strategy.value] += each.amount
    return found


def _named(own: MigPartedFile, setting: NodeSetting, model: GpuModel) -> tuple[Layout | None, ...]:
    entries = own.mig_configs.get(setting.mig_config)
    if entries is None:
        raise ConfigError(f"mig-configs: {setting.mig_config} of {setting.node} is missing")
    return layouts_of(entries, model, len(setting.layouts))


def wanted_offers(gpus: Iterable[PlannedGpu], replicas: Replicas) -> Mapping[str, int]:
    """Return what a plan wants one node to offer, by strategy or MIG profile."""
    found = list(gpus)
    shared = {MPS: replicas.mps, TIME_SLICING: replicas.time_slicing}
    kinds = {each.strategy for each in found} & set(shared)
    cut = [each.layout for each in found if each.strategy == Strategy.MIG]
    plain = len(found) - len(cut)
    name = next(iter(kinds), Strategy.EXCLUSIVE.value)
    offers = {**as_counts(cut), name: plain * shared.get(name, 1)}
    return {key: count for key, count in offers.items() if count}
