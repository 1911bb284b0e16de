"""Every configuration of pools that we ship or write is read strictly, and means what it says."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from webhook.cli.pool_data import load_catalog
from webhook.core.pools.catalog import find_model
from webhook.core.pools.demand import Replicas
from webhook.core.pools.mig_parted_file import (
    generated_name,
    layout_entries,
    layouts_of,
    parse_mig_parted_file,
)
from webhook.core.pools.plan import PlannedGpu
from webhook.core.pools.plugin_file import ConfigError, parse_plugin_file, sharing_of
from webhook.core.pools.settings import node_setting, operator_values, read_back, wanted_offers
from webhook.core.pools.simulated import Sharing

DEPLOY = Path(__file__).parents[2] / "deploy/gpu-operator"
H100 = find_model(load_catalog(), "NVIDIA-H100-80GB-HBM3")


def shipped(name: str) -> Any:
    return yaml.load((DEPLOY / name).read_text(encoding="utf-8"), yaml.CSafeLoader)


def plugin_maps() -> list[dict[str, str]]:
    return [
        shipped("values.yaml")["devicePlugin"]["config"]["data"],
        shipped("device-plugin-values.yaml")["config"]["map"],
    ]


def test_the_four_pools_are_shared_as_they_say() -> None:
    for files in plugin_maps():
        assert {key: sharing_of(parse_plugin_file(text)) for key, text in files.items()} == {
            "whole": Sharing(),
            "time-slicing": Sharing("time-slicing", 4),
            "mps": Sharing("mps", 10),
            "mig": Sharing(),
        }
        assert parse_plugin_file(files["mig"]).flags.mig_strategy == "mixed"


def test_the_traps_of_the_operator_are_avoided() -> None:
    values = shipped("values.yaml")
    assert values["mig"]["strategy"] == ""
    assert "migManager" not in values
    assert values["devicePlugin"]["config"]["default"] == "whole"
    environment = {each["name"]: each["value"] for each in values["dcgmExporter"]["env"]}
    assert environment["NVIDIA_RESOURCE_NAMES"] == "nvidia.com/gpu.shared"
    assert ("KUBERNETES_VIRTUAL_GPUS" in environment) <= bool(values["dcgmExporter"].get("hostPID"))
    assert shipped("device-plugin-values.yaml")["gfd"]["enabled"] is True
    assert shipped("device-plugin-values.yaml")["migStrategy"] is None


def test_own_layouts_fit_and_hold_the_default() -> None:
    text = shipped("own-layouts.yaml")["migManager"]["config"]["data"]["config.yaml"]
    for entries in parse_mig_parted_file(text).mig_configs.values():
        layouts_of(entries, H100, 8)


def test_mig_parteds_own_file_is_read() -> None:
    path = Path(__file__).parent / "mig-parted-config-default.yaml"
    found = parse_mig_parted_file(path.read_text(encoding="utf-8"))
    assert layouts_of(found.mig_configs["all-balanced"], H100, 2) == (dict(H100.balanced),) * 2
    assert layouts_of(found.mig_configs["all-1g.10gb"], H100, 1) == ({"1g.10gb": 7},)


def test_bottlerocket_settings_are_toml_of_known_keys() -> None:
    for path in DEPLOY.glob("bottlerocket/*.toml"):
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        nvidia = found["settings"]["kubelet-device-plugins"]["nvidia"]
        assert set(nvidia) <= {
            "device-sharing-strategy", "device-partitioning-strategy", "time-slicing", "mps", "mig"
        }  # fmt: skip


@pytest.mark.parametrize(
    ("sharing", "said"),
    [
        (
            {"mps": {"memoryLimit": "4Gi", "resources": [{"name": "gpu", "replicas": 2}]}},
            "memoryLimit",
        ),
        ({"mps": {"resources": [{"name": "gpu", "replicas": 2, "memoryLimit": 1}]}}, "memoryLimit"),
        ({"timeSlicing": {"resources": [{"name": "gpu", "replicas": 1}]}}, ">= 2"),
        ({"timeSlicing": {}}, "resources"),
        ({"timeSlicing": {"resources": []}}, "length >= 1"),
        ({"timeSlicing": {"resources": [{"name": "gpu", "replicas": 2, "rename": "x"}]}}, "rename"),
        ({"timeSlicing": {"resources": [{"name": "amd.com/gpu", "replicas": 2}]}}, "name"),
        ({"mps": {"resources": [{"name": "gpu", "replicas": 49}]}}, "at most 48"),
        (
            {
                "mps": {"resources": [{"name": "gpu", "replicas": 2}]},
                "timeSlicing": {"resources": [{"name": "gpu", "replicas": 2}]},
            },
            "beside mps",
        ),
    ],
)
def test_a_wrong_plugin_file_is_refused(sharing: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_plugin_file(yaml.safe_dump({"version": "v1", "sharing": sharing}))


def test_mps_beside_mig_is_refused() -> None:
    sharing = {"mps": {"resources": [{"name": "gpu", "replicas": 2}]}}
    with pytest.raises(ConfigError, match="mixed does not go with"):
        parse_plugin_file(
            yaml.safe_dump({"version": "v1", "flags": {"migStrategy": "mixed"}, "sharing": sharing})
        )


OFF = {"devices": "all", "mig-enabled": False}


@pytest.mark.parametrize(
    ("configs", "said"),
    [
        ({"x": [OFF]}, "all-disabled is missing"),
        ({"all-disabled": []}, "length >= 1"),
        ({"all-disabled": [{**OFF, "memory": 1}]}, "memory"),
        ({"all-disabled": [{"mig-enabled": False}]}, "devices"),
        ({"all-disabled": [{**OFF, "devices": "some"}]}, "devices"),
        ({"all-disabled": [{"devices": "all", "mig-enabled": True}]}, "needs mig-devices"),
        ({"all-disabled": [{**OFF, "mig-devices": {"1g.10gb": 1}}]}, "mig-enabled: false"),
        ({"all-disabled": [{**OFF, "device-filter": "10DE2330"}]}, "device-filter"),
        (
            {"all-disabled": [{"devices": "all", "mig-enabled": True, "mig-devices": {"9g": 1}}]},
            "9g",
        ),
    ],
)  # fmt: skip
def test_a_wrong_mig_parted_file_is_refused(configs: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_mig_parted_file(yaml.safe_dump({"version": "v1", "mig-configs": configs}))


def test_later_entries_override_and_filters_choose() -> None:
    text = yaml.safe_dump({"version": "v1", "mig-configs": {"all-disabled": [OFF], "x": [
        {"devices": "all", "mig-enabled": True, "mig-devices": {"3g.40gb": 2}},
        {"devices": [1], "mig-enabled": False},
        {"devices": "all", "device-filter": "0x20B210DE", "mig-enabled": False},
    ]}})  # fmt: skip
    entries = parse_mig_parted_file(text).mig_configs["x"]
    assert layouts_of(entries, H100, 2) == ({"3g.40gb": 2}, None)
    wrong = parse_mig_parted_file(text.replace("3g.40gb: 2", "3g.40gb: 3")).mig_configs["x"]
    with pytest.raises(ConfigError, match="does not fit"):
        layouts_of(wrong, H100, 2)


def gpus(*layouts: dict[str, int] | None, strategy: str = "free") -> list[PlannedGpu]:
    return [
        PlannedGpu("n", i, H100.product, 1.0, "mig" if layout else strategy, layout or {})
        for i, layout in enumerate(layouts)
    ]


@pytest.mark.parametrize(
    ("planned", "pool", "layout"),
    [
        (gpus(None, None, strategy="exclusive"), "whole", "all-disabled"),
        (gpus(None, None), "whole", "all-disabled"),
        (gpus(None, strategy="mps"), "mps", "all-disabled"),
        (gpus(None, strategy="time-slicing"), "time-slicing", "all-disabled"),
        (gpus({"1g.10gb": 7}, {"1g.10gb": 7}), "mig", "all-1g.10gb"),
        (gpus(dict(H100.balanced)), "mig", "all-balanced"),
        (gpus({"1g.10gb": 7}, None), "mig", "plan-"),
        (gpus({"1g.10gb": 6}), "mig", "plan-"),
    ],
)
def test_what_is_written_reads_back_as_planned(
    planned: list[PlannedGpu], pool: str, layout: str
) -> None:
    setting = node_setting(planned, H100)
    assert setting.pool == pool
    assert setting.mig_config.startswith(layout)
    values = operator_values([setting], Replicas())
    assert ("migManager" in values) == layout.startswith("plan-")
    assert read_back(values, setting, H100) == wanted_offers(planned, Replicas())


def test_a_layout_of_ones_own_survives_the_file() -> None:
    layouts = [{"1g.10gb": 7}, None, {"1g.10gb": 7}]
    assert layout_entries(layouts) == [
        {"devices": [0, 2], "mig-enabled": True, "mig-devices": {"1g.10gb": 7}},
        {"devices": [1], "mig-enabled": False},
    ]
    assert generated_name([{"3g.40gb": 1}], H100) is None
