"""The real `serve` in a cluster that the fake API server plays: what it tells of reviews there."""

import contextlib
import http.client
import json
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml
from cluster_doubles import NAMESPACES, NODES, until
from event_doubles import SETS, count_of, replica_set, stored
from gpu_nodes import gpu_node, namespace

from examples.demo import api_server
from examples.demo.local_server import running
from tests.fake_apiserver.faults import silent
from tests.forks import Fork, fork_command
from webhook.cli import main

INVENTORY = Path(__file__).parents[2] / "examples" / "inventory.yaml"
OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-6d4", "uid": "uid-set"}


@pytest.fixture
def cluster(api, kubeconfig, monkeypatch):
    """Fill the fake API server, and let a new process find it."""
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for item in yaml.load(INVENTORY.read_text(), yaml.CSafeLoader)["items"]:
        if item["kind"] == "Node":
            api.store.put(NODES, item)
    enforced = namespace("shop")
    enforced["metadata"]["labels"] = {"gpu-sharing.io/mode": "enforce"}
    api.store.put(NAMESPACES, enforced)
    api.store.put(SETS, replica_set())
    return api


def pod(workload):
    main = {"name": "main", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    labels = {"gpu-sharing.io/workload": workload}
    owners = [OWNER | {"controller": True}]
    metadata = {"generateName": "web-6d4-", "labels": labels, "ownerReferences": owners}
    return {"metadata": metadata, "spec": {"containers": [main]}}


def ask(place, created, path="/mutate", **changes):
    """Send a review; return whether it was allowed."""
    asked = api_server.review(created, "shop")
    asked["request"] |= changes
    with contextlib.closing(place.connect()) as connection:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(asked), headers)
        answer = json.loads(connection.getresponse().read())
    return answer["response"]["allowed"]


def metrics(place):
    connection = http.client.HTTPConnection("127.0.0.1", place.metrics_port, timeout=30)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def test_refusals_and_rewrites_become_events_on_the_deployment(cluster, tmp_path):
    with running(tmp_path, [], start=fork_command) as place:
        assert not ask(place, pod("Training"))
        assert ask(place, pod("inference"))
        until(lambda: len(stored(cluster)) == 2)
        refused, rewritten = sorted(stored(cluster), key=lambda event: event["action"])
        assert refused["reason"] == "invalid_workload"
        assert rewritten["note"] == "main: nvidia.com/gpu: 1 -> nvidia.com/mig-1g.5gb: 1 (mig)"
        assert {event["regarding"]["name"] for event in (refused, rewritten)} == {"web"}
        until(lambda: 'gpu_sharing_events_total{result="sent"} 2.0' in metrics(place))
        assert "gpu_sharing_unreviewed_look_seconds 0.0" in metrics(place)
        assert not ask(place, pod("Training"))  # 10 s too soon: it waits, and then the end comes
    refused = next(event for event in stored(cluster) if event["action"] == "Refused")
    assert count_of(refused) == 2


def test_a_dry_run_and_audit_mode_leave_no_trace(cluster, tmp_path):
    with running(tmp_path, [], start=fork_command) as place:
        assert not ask(place, pod("Training"), dryRun=True)
        assert ask(place, pod("inference"), dryRun=True)
        assert ask(place, pod("Training"), "/audit/mutate")
        assert not ask(place, pod("inference"), "/validate", dryRun=True)
        assert not ask(place, pod("Training"))  # the events before it would have come first
        until(lambda: 'gpu_sharing_events_total{result="sent"} 1.0' in metrics(place))
    assert [event["reason"] for event in stored(cluster)] == ["invalid_workload"]
    assert count_of(stored(cluster)[0]) == 1


def test_both_can_be_switched_off(cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("GPU_SHARING_EVENTS", "off")
    with running(tmp_path, ["--unreviewed", "off"], start=fork_command) as place:
        assert not ask(place, pod("Training"))
        assert "gpu_sharing_unreviewed" not in metrics(place)
    assert cluster.writes() == []


def test_a_killed_worker_leaves_nodes_and_namespaces_to_the_next(cluster, tmp_path):
    """Which answers before it has listed any, and says that it is not ready."""
    with running(tmp_path, [], start=fork_command) as place:
        for verb, path in (("list", NODES), ("list", NAMESPACES), ("get", f"{NAMESPACES}/shop")):
            cluster.plan(verb, path, *(silent,) * 50)
        until(lambda: decided(place))  # so the labels are known, and left
        worker = int(re.findall(r"worker with pid: (\d+)", place.log.read_text())[-1])
        os.kill(worker, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{worker}").exists())
        assert ask(place, pod("inference"), dryRun=True)
        assert readiness(place) == 503


def decided(place):
    """Whether a review is answered with a decision."""
    with contextlib.suppress(json.JSONDecodeError):
        return ask(place, pod("inference"), dryRun=True)


SET = ((70, 200), (100, 503), (400, 503), (0, 200))  # days ahead, of a leaf of 90, and readiness


def serve_by_a_clock(file, words):
    """Run the command with a clock that is ahead by the seconds in a file."""
    real = time.time
    time.time = lambda: real() + float(file.read_text())
    sys.argv = words
    sys.exit(main.main())


def nodes(place):
    return float(re.search("^gpu_sharing_inventory_nodes (.+)", metrics(place), re.M)[1])


def readiness(place):
    with contextlib.closing(place.connect()) as connection:
        connection.request("GET", "/readyz")
        return connection.getresponse().status


def test_a_clock_set_forward_and_back_costs_no_review(cluster, tmp_path):
    ahead, wrong, ended = tmp_path / "ahead", [], threading.Event()

    def set_clock(days):
        ahead.write_text(str(days * 86400))

    def start(command, **streams):
        return Fork(serve_by_a_clock, ahead, command[2:], **streams)

    def go_on_asking(place):
        while not ended.is_set():
            if not ask(place, pod("inference"), dryRun=True):
                wrong.append("refused")

    set_clock(0)
    with running(tmp_path, [], start=start) as place:
        reviews = threading.Thread(target=go_on_asking, args=(place,))
        reviews.start()
        before = nodes(place)
        try:
            for number, (days, ready) in enumerate(SET, 1):
                set_clock(days)
                until(lambda status=ready: readiness(place) == status)
                cluster.store.put(NODES, gpu_node(f"after-{days}-days"))
                until(lambda count=before + number: nodes(place) == count)
        finally:
            ended.set()
            reviews.join()
    assert not wrong
