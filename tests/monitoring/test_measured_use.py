"""`audit --prometheus` and `rightsize` on a cluster with a history in a real Prometheus."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import Done
from test_screens import WIDTHS, matches, screen

from tests.monitoring import scenario
from tests.monitoring.serving import Api, prometheus
from tests.monitoring.test_rules import listed
from webhook.cli import main
from webhook.cli.measure import queries
from webhook.cli.measure.measure import Scope, holders, measure
from webhook.cli.measure.prometheus import (
    AT_ONCE,
    Prometheus,
    QueryTooLarge,
    Sample,
    open_prometheus,
)
from webhook.cli.verbs.pools.plan_collect import collect_plan
from webhook.core.rightsizing.values import DeviceKey

pytestmark = pytest.mark.needs_prometheus
NOW = datetime(2026, 11, 2, 6, tzinfo=UTC)
Json = dict[str, Any]
Run = Callable[..., tuple[int, str, str]]
Addresses = tuple[str, str, float]


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, float]]:
    """A Prometheus that has the history, a kubeconfig of the cluster, and the end of the history.

    It refuses queries of a few GPUs at a time, as a larger one does of a few hundred.
    """
    folder = tmp_path_factory.mktemp("history")
    data = scenario.write_history(folder, NOW.timestamp())
    config = {"global": {"scrape_interval": "15s"}}
    limit = "--query.max-samples=15000"
    with prometheus(folder, config, data, limit) as api, scenario.cluster() as cluster:
        yield api.url, str(cluster.write_kubeconfig(folder, "shop")), NOW.timestamp()


@pytest.fixture
def run(
    addresses: Addresses,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    url, config, _ = addresses

    def run_here(*words: str, prometheus: str = url) -> tuple[int, str, str]:
        given = [*words, "--prometheus", prometheus, "--kubeconfig", config]
        monkeypatch.setattr(sys, "argv", ["gpu-sharing", *given])
        code = main.main(NOW)
        written = capsys.readouterr()
        return code, written.out, written.err

    return run_here


def test_what_is_refused_as_too_large_is_asked_in_parts(addresses: Addresses) -> None:
    with open_prometheus(addresses[0]) as source:
        end = addresses[2]
        everything = queries.GpuPart(queries.ACTIVE, [".*"], "7d")
        with pytest.raises(QueryTooLarge, match="too many samples"):
            source.query(queries.device_queries(everything)["points"], end)
        told: list[int] = []
        found = measure(source, Scope("7d", end), lambda done, of: told.append(of - done))
        assert len(found.devices) == 10  # one under two names of its node
        assert told[0] == told[1] == 7  # GPUs that are left: the first part was refused


def test_each_page_is_measured_as_what_it_means(pages: Api) -> None:
    with open_prometheus(pages.url) as source:
        now = time.time()
        measured = measure(source, Scope("1h", now), lambda _done, _of: None)
        held = holders(source, now)
    found = {each.key: each for each in measured.devices}
    meant = {DeviceKey(*device): value for device, value in listed()}
    assert found.keys() == meant.keys()
    for key, value in meant.items():
        use, pods = found[key].use, {f"{p.namespace}/{p.name}" for p in found[key].pods}
        assert use.active_max == pytest.approx(value.get("active"), abs=1e-4), key
        assert use.memory_max == value.get("used"), key
        assert pods == set(value.get("holders", ())), key
        assert held.get(key, frozenset()) == frozenset(found[key].pods), key


def test_a_server_that_refuses_even_one_gpu_is_told() -> None:
    class Small(Prometheus):
        def __init__(self) -> None:
            pass

        def values_of(self, label: str, match: str, since: float, until: float) -> list[str]:
            return ["GPU-1", "GPU-2"]

        def query_all(self, texts: Sequence[str], at: float) -> list[list[Sample]]:
            raise QueryTooLarge("too many samples")

    with pytest.raises(QueryTooLarge):
        measure(Small(), Scope("7d", 0.0), lambda _done, _of: None)


def test_a_few_queries_are_asked_at_once_and_the_others_wait_here() -> None:
    """Where they waited for a connection, their time to connect ran out."""
    running: list[int] = [0]

    class Counting(Prometheus):
        async def _ask(self, method: str, path: str, params: Mapping[str, str]) -> bytes:
            running.append(running[-1] + 1)
            await asyncio.sleep(0)
            running.append(running[-1] - 1)
            return b'{"result": []}'

    with asyncio.Runner() as loop:
        assert Counting("", None, loop).query_all(["x"] * 9, 0.0) == [[]] * 9  # type: ignore[arg-type]
    assert max(running) == AT_ONCE


def test_holders_are_the_pods_of_this_moment(addresses: Addresses) -> None:
    with open_prometheus(addresses[0]) as source:
        found = holders(source, addresses[2])
    pods = {key.uuid: {pod.name for pod in named} for key, named in found.items()}
    assert pods["GPU-whole-1"] == {"recommender-6c8d8cbb4-bbbbb"}
    assert pods["GPU-shared-0"] == {"ann-0", "bob-0"}
    assert "GPU-whole-4" not in pods


def by_name(record: Json) -> dict[str, Json]:
    return {each["name"]: each for each in record["usage"]["workloads"]}


def test_each_workload_gets_what_it_needs(run: Run) -> None:
    code, out, _ = run("audit", "-o", "json")
    assert code == 0
    record = json.loads(out)
    said = {
        name: (each["recommend"]["action"], each["recommend"]["profile"])
        for name, each in by_name(record).items()
    }
    assert said == {
        "llama": ("keep", None),
        "recommender": ("change", "2g.20gb"),
        "chat": ("say its memory", None),
        "notebook": ("release it", None),
        "embed": ("change", "1g.20gb"),
        "api": ("keep", "1g.10gb"),
        "ann": ("see the device", None),
        "bob": ("see the device", None),
    }
    recommender = by_name(record)["recommender"]
    assert recommender["measured"]["hours"] > 160  # of both names that its pod had
    assert recommender["recommend"]["memoryMiB"] == 10800
    assert recommender["saved"]["gpus"] == pytest.approx(5 / 7, abs=0.01)
    assert by_name(record)["chat"]["measured"]["reservedBy"] == "vLLM"


def test_waste_is_told_apart(run: Run) -> None:
    _, out, _ = run("audit", "-o", "json")
    usage = json.loads(out)["usage"]
    waste = {each["product"]: each for each in usage["waste"]}
    h100 = waste["NVIDIA-H100-80GB-HBM3"]
    assert (h100["gpus"], h100["used"], h100["heldIdle"], h100["free"]) == (5, 3, 1, 1)
    assert h100["wastedUsdPerMonth"] == pytest.approx(2 * 6.88 * 730)
    assert waste["NVIDIA-A100-SXM4-80GB"]["lostInLayout"] == pytest.approx(
        1 - 0.5 - 2 / 7, abs=0.01
    )
    shared = usage["sharedDevices"]
    assert [each["pods"] for each in shared] == [["dev/ann-0", "dev/bob-0"]]
    assert shared[0]["memoryPeakMiB"] == pytest.approx(11000)
    assert shared[0]["activeP95"] == pytest.approx(0.7, abs=0.01)


def test_a_short_window_says_what_is_missing(run: Run) -> None:
    _, out, _ = run("audit", "-o", "json", "--window", "20h")
    recommend = by_name(json.loads(out))["recommender"]["recommend"]
    assert recommend["action"] == "wait for data"
    assert "24 hours and 100 points" in recommend["reason"]


def test_the_screen_has_prices_with_source_and_date(run: Run) -> None:
    _, out, _ = run("audit")
    assert "6.88 USD a GPU and hour (aws us-east-1 p5.4xlarge, 2026-07-20)" in out
    assert "nothing is split" in out


def test_what_pools_plan_reads(run: Run, tmp_path: Path) -> None:
    """What the audit writes is planned as it is, and every pod has its place."""
    _, out, _ = run("audit", "-o", "plan")
    plan = yaml.safe_load(out)
    (tmp_path / "plan.yaml").write_text(out, encoding="utf-8")
    asked = argparse.Namespace(
        filename=str(tmp_path / "plan.yaml"), policy=None, inventory=None, greedy=True
    )
    made = collect_plan(asked).plan
    assert made.unplaced == ()
    served = {name for gpu in made.gpus for name in gpu.serves}
    assert served == {each["name"] for each in plan["workloads"]}
    assert {"product": "NVIDIA-H100-80GB-HBM3", "gpus": 5, "gpusPerNode": 5} in plan["stock"]
    assert plan["prices"]["Tesla-T4"] == 0.526
    named = {each["name"]: each for each in plan["workloads"]}
    assert named["shop/Deployment/recommender"] == {
        "name": "shop/Deployment/recommender", "workload": "inference", "replicas": 1, "gpus": 1,
        "memory": "10800Mi",
    }  # fmt: skip
    assert named["acme/StatefulSet/api"]["tenant"] == "acme"


def test_a_prometheus_that_is_not_there_or_is_none_is_told(run: Run, addresses: Addresses) -> None:
    code, _, err = run("audit", prometheus="http://127.0.0.1:9")
    assert code == 2
    assert "Prometheus at http://127.0.0.1:9 does not answer" in err
    other = yaml.safe_load(Path(addresses[1]).read_text())["clusters"][0]["cluster"]["server"]
    code, _, err = run("audit", prometheus=other)
    assert code == 2
    assert "no answer of Prometheus' API" in err


def test_formats_that_show_use_need_a_prometheus(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu-sharing", "audit", "-o", "plan"])
    assert main.main() == 2
    assert "--prometheus URL" in capsys.readouterr().err


def test_rightsize_writes_annotations_and_says_what_it_cannot_write(run: Run) -> None:
    code, out, _ = run("rightsize", "-o", "json")
    assert code == 1
    record = json.loads(out)
    assert [(each["name"], each["annotations"]) for each in record["changes"]] == [
        (
            "recommender",
            {"gpu-sharing.io/gpu-memory": "10800Mi", "gpu-sharing.io/mig-profile": "2g.20gb"},
        )
    ]
    notes = "\n".join(record["notes"])
    assert "shop/Deployment/chat: say its memory: measured 72000 MiB is a reservation" in notes
    assert "lab/StatefulSet/notebook: release it" in notes
    assert "serve/StatefulSet/embed: it requests nvidia.com/mig-3g.40gb by name" in notes


def test_rightsize_as_diff_and_as_patch(run: Run) -> None:
    _, out, _ = run("rightsize")
    assert "+        gpu-sharing.io/gpu-memory: 10800Mi" in out
    assert "status" not in out
    _, out, _ = run("rightsize", "-o", "patch")
    patch = yaml.safe_load(out)
    assert (patch["kind"], patch["metadata"]) == (
        "Deployment",
        {"name": "recommender", "namespace": "shop"},
    )
    written = patch["spec"]["template"]["metadata"]["annotations"]
    assert written["gpu-sharing.io/gpu-memory"] == "10800Mi"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("verb", ["audit", "rightsize"])
def test_a_screen_of_what_is_used(
    verb: str, width: int, run: Run, monkeypatch: pytest.MonkeyPatch, addresses: Addresses
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    shown = screen(Done(*run(verb))).replace(addresses[0], "http://localhost:9090")
    matches(f"measured-{verb}.{width}.txt", shown)
