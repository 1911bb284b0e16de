"""The rules, by promtool and by a real Prometheus that scrapes every page."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring import tools
from tests.monitoring.conftest import HONOR
from tests.monitoring.serving import PAGES, ROOT, RULES, Api, wait_for

UNITS = sorted(Path(__file__).parent.glob("units/*.yaml"))
MEANING = yaml.load((Path(__file__).parent / "meaning.yaml").read_text(), yaml.CSafeLoader)
DEVICE = "node", "UUID", "GPU_I_ID"


def rules() -> list[dict[str, Any]]:
    groups = yaml.load(RULES.read_text(), yaml.CSafeLoader)["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_both_forms_have_the_same_groups() -> None:
    operator = yaml.load((RULES.parent / "prometheusrule.yaml").read_text(), yaml.CSafeLoader)
    assert operator["kind"] == "PrometheusRule"
    assert operator["spec"] == yaml.load(RULES.read_text(), yaml.CSafeLoader)


def test_names_keep_the_convention() -> None:
    for each in rules():
        name = each.get("record")
        assert name is None or re.fullmatch(r"[a-z_]+:[a-z_]+:[a-z_]+", name)
        assert name or each["alert"][0].isupper()


def test_every_alert_says_what_it_is_and_has_a_section_of_a_page() -> None:
    for each in (each for each in rules() if "alert" in each):
        assert each["labels"]["severity"] in ("info", "warning", "critical")
        told = each["annotations"]
        assert {"summary", "description", "runbook_url"} == set(told)
        assert "{{" not in told["summary"]
        page, _, anchor = told["runbook_url"].partition("#")
        headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
        assert each["alert"] in headings
        assert anchor == each["alert"].lower()


def test_no_rule_needs_labels_that_are_not_there_by_default() -> None:
    text = "".join(each["expr"] for each in rules())
    assert not re.search(r"kube_\w+_labels", text)
    assert "sum by (UUID" not in text


def test_every_alert_has_a_unit_where_it_fires_and_one_where_it_does_not() -> None:
    tests = [
        test for path in UNITS for test in yaml.load(path.read_text(), yaml.CSafeLoader)["tests"]
    ]
    cases = [case for test in tests for case in test.get("alert_rule_test", ())]
    alerts = {each["alert"] for each in rules() if "alert" in each}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == alerts
    assert {"GPUXidHardware"} < {c["alertname"] for c in cases if not c["exp_alerts"]} <= alerts


@pytest.mark.needs_prometheus
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_promtool_units(path: Path) -> None:
    command = [str(tools.find("promtool")), "test", "rules", path.name]
    done = subprocess.run(command, check=False, cwd=path.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def listed() -> Iterator[tuple[tuple[str, str, str], dict[str, Any]]]:
    """Each device of each page and kind of labels, and what it means."""
    for page, gpus in MEANING.items():
        for kind in HONOR:
            for uuid, instances in gpus.items():
                for instance, value in instances.items():
                    yield (f"{page}/{kind}", uuid, str(instance)), value


def device_of(sample: dict[str, Any]) -> tuple[str, ...]:
    return tuple(sample["metric"].get(key, "") for key in DEVICE)


def devices(api: Api, query: str) -> dict[tuple[str, ...], float]:
    """The samples of a query by device; a device is there once."""
    found = api.query(query)
    made = {device_of(each): float(each["value"][1]) for each in found}
    assert len(made) == len(found), f"{query}: a device is there twice"
    return made


def test_every_page_has_a_meaning() -> None:
    assert set(MEANING) == set(PAGES)


@pytest.mark.needs_prometheus
@pytest.mark.parametrize(
    ("record", "key"),
    [
        ("device:gpu_active:ratio", "active"),
        ("device:gpu_memory_used:mebibytes", "used"),
        ("device:gpu_memory_free:mebibytes", "free_memory"),
        ("device:gpu_pods:count", "pods"),
        ("device:gpu_share:ratio", "share"),
        ("device:gpu_free:ratio", "free"),
        ("device:gpu_shared:bool", "shared"),
        ("device:gpu_cost:usd_per_hour", "usd"),
    ],
)
def test_pages_are_read_as_what_they_mean(pages: Api, record: str, key: str) -> None:
    wanted = {
        device: pytest.approx(each[key], abs=1e-4) for device, each in listed() if key in each
    }
    assert devices(pages, record) == wanted


@pytest.mark.needs_prometheus
def test_holders_are_the_pods_that_the_pages_name(pages: Api) -> None:
    found = pages.query("device_pod:gpu_held:bool")
    pods = {(each["metric"]["namespace"], each["metric"]["pod"]) for each in found}
    assert ("gpu-operator", "nvidia-dcgm-exporter-x") not in pods
    named = {
        (device_of(each), f"{each['metric']['namespace']}/{each['metric']['pod']}")
        for each in found
    }
    assert named == {(device, pod) for device, each in listed() for pod in each.get("holders", ())}


@pytest.mark.needs_prometheus
def test_alertmanager_gets_the_xid_with_the_pod_that_it_hit(pages: Api, alerts: Api) -> None:
    def sent() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = alerts.get("/api/v2/alerts")
        return [each for each in found if each["labels"]["alertname"].startswith("GPU")]

    found = wait_for(lambda: len(sent()) >= len(HONOR) and sent(), "Alertmanager has the alert")
    assert {each["labels"]["alertname"] for each in found} == {"GPUXidHardware"}
    for each in found:
        assert each["labels"]["xid"] == "79"
        assert "Pods on it: train/llama-3." in each["annotations"]["description"]
    nodes = {each["labels"]["node"] for each in found}
    assert nodes == {f"made-4.8.3-h100-xid79/{kind}" for kind in HONOR}
