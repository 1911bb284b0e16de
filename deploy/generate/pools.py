"""The configuration of pools, from the same values that `pools plan` writes."""

from typing import Any

import yaml

from webhook.cli.pool_data import load_catalog
from webhook.core.pools.catalog import GpuModel, model_of
from webhook.core.pools.demand import Replicas
from webhook.core.pools.layouts import all_layouts
from webhook.core.pools.settings import WHOLE, operator_values, plugin_files
from webhook.core.pools.values_text import values_text

_OPERATOR = """\
# The four kinds of pool, for the NVIDIA GPU Operator (26.x): Helm values, written by `make generate`.
#   helm upgrade --install gpu-operator nvidia/gpu-operator -n gpu-operator --create-namespace -f values.yaml
# A node chooses its pool by the label nvidia.com/device-plugin.config, and its MIG layout by nvidia.com/mig.config;
# README.md says why each value is as it is.
"""
_PLUGIN = """\
# The same four pools for the plain chart of the device plugin, without the GPU Operator: written by `make generate`.
#   helm upgrade --install nvidia-device-plugin nvdp/nvidia-device-plugin -n nvidia-device-plugin -f this-file
# There is no mig-manager: cut GPUs on the host (nvidia-smi, or mig-parted's systemd service).
"""


def operator_file() -> str:
    """Return deploy/gpu-operator/values.yaml."""
    return _OPERATOR + values_text(operator_values((), Replicas()))


def plugin_chart_file() -> str:
    """Return deploy/gpu-operator/device-plugin-values.yaml.

    The map has more than one key: the chart gives the only key of a map to every node.
    """
    data = {
        key: yaml.safe_dump(each, sort_keys=False) for key, each in plugin_files(Replicas()).items()
    }
    values: dict[str, Any] = {
        "migStrategy": None,
        "gfd": {"enabled": True},
        "config": {"default": WHOLE, "map": data},
    }
    return _PLUGIN + values_text(values)


def layout_table() -> str:
    """Return the layouts of each product: the values of nvidia.com/mig.config."""
    rows = [
        "| `nvidia.com/gpu.product` | all-balanced | `all-<profile>`: devices of a GPU |\n",
        "|---|---|---|\n",
    ]
    for entry in load_catalog().products:
        names = ", ".join(f"`{each}`" for each in entry.product_patterns).replace("|", "\\|")
        model = model_of(load_catalog(), entry, entry.product_patterns[0], None)
        balanced = " + ".join(f"{n} x {name}" for name, n in model.balanced.items()) or "-"
        rows.append(f"| {names} | {balanced} | {_uniform(model)} |\n")
    return "".join(rows)


def _uniform(model: GpuModel) -> str:
    counts = {
        each.profile.name: max(layout.get(each.profile.name, 0) for layout in all_layouts(model))
        for each in model.devices
    }
    return ", ".join(f"{name}: {count}" for name, count in counts.items())
