"""Files that change under a running process."""

import ssl
from pathlib import Path

import yaml
from policies import TYPO, metric, policy, ready, replaced, strategy_of_dev
from webhook_process import INVENTORY, until, webhook_running

from certs.pair import write_pair
from examples.demo.local_server import HOST


def test_a_changed_policy_decides_without_a_restart_and_a_bad_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(policy("time-slicing"))
    with webhook_running(tmp_path, ["--policy", str(path)]) as webhook:
        assert strategy_of_dev(webhook) == "time-slicing"

        replaced(path, policy("mps"))
        until(lambda: strategy_of_dev(webhook) == "mps")
        assert metric(webhook, "gpu_sharing_policy_generation 2.0")
        assert webhook.log("reloaded")[-1]["file"] == str(path)

        replaced(path, TYPO.format(strategy="mig"))
        told = until(lambda: webhook.log("reload_refused"))[0]
        assert told["file"] == str(path)
        assert "line 5, matrix.dev.strategy" in told["problem"]
        assert "line 5" in ready(webhook)["policy"]
        assert metric(webhook, "gpu_sharing_policy_stale 1.0")
        assert metric(webhook, "gpu_sharing_policy_generation 2.0")
        assert metric(webhook, 'gpu_sharing_reloads_total{file="policy",result="refused"} 1.0')
        assert strategy_of_dev(webhook) == "mps"

        path.unlink()
        until(lambda: "No such file" in ready(webhook)["policy"])
        assert strategy_of_dev(webhook) == "mps"

        replaced(path, policy("exclusive"))
        until(lambda: strategy_of_dev(webhook) == "exclusive")
        assert ready(webhook)["policy"] == "ok"
        assert metric(webhook, "gpu_sharing_policy_stale 0.0")
        assert metric(webhook, "gpu_sharing_policy_generation 3.0")
        assert len(webhook.log("reload_refused")) == 2


def test_a_config_map_that_kubernetes_swaps_is_read_again(tmp_path: Path) -> None:
    """Its files link to `..data/`, itself a link that is renamed over."""
    mounted = tmp_path / "mounted"
    for version, strategy in (("..1", "time-slicing"), ("..2", "mps")):
        (mounted / version).mkdir(parents=True)
        (mounted / version / "policy.yaml").write_text(policy(strategy))
    (mounted / "..data").symlink_to("..1")
    (mounted / "policy.yaml").symlink_to("..data/policy.yaml")
    with webhook_running(tmp_path, ["--policy", str(mounted / "policy.yaml")]) as webhook:
        assert strategy_of_dev(webhook) == "time-slicing"
        (mounted / "..new").symlink_to("..2")
        (mounted / "..new").rename(mounted / "..data")
        until(lambda: strategy_of_dev(webhook) == "mps")


def test_a_changed_inventory_is_offered_and_a_bad_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "nodes.yaml"
    everything = INVENTORY.read_text()
    cluster = yaml.load(everything, yaml.CSafeLoader)
    cluster["items"] = [e for e in cluster["items"] if e["metadata"]["name"] != "t4-dev-1"]
    path.write_text(yaml.safe_dump(cluster))
    with webhook_running(tmp_path, ["--inventory", str(path)]) as webhook:
        assert strategy_of_dev(webhook) == "mps"

        replaced(path, everything)
        until(lambda: strategy_of_dev(webhook) == "time-slicing")
        assert metric(webhook, "gpu_sharing_inventory_nodes 5.0")

        replaced(path, everything.replace("labels:\n", "labels: [a]\n    was:\n", 1))
        told = until(lambda: webhook.log("reload_refused"))[0]
        assert str(path) in told["problem"]
        assert "metadata.labels" in told["problem"]
        assert "metadata.labels" in ready(webhook)["inventory"]
        assert strategy_of_dev(webhook) == "time-slicing"

        replaced(path, everything[: len(everything) // 2] + "\n  {")
        until(lambda: "not YAML" in ready(webhook)["inventory"])
        assert strategy_of_dev(webhook) == "time-slicing"

        path.write_bytes(b"\xff\xfe")
        until(lambda: "not UTF-8" in ready(webhook)["inventory"])

        replaced(path, everything.replace("enforce}", "enforce, gpu-sharing.io/tenant: red}"))
        until(lambda: strategy_of_dev(webhook) == "mig")
        assert ready(webhook)["inventory"] == "ok"


def test_a_renewed_certificate_is_served_and_its_end_is_the_metric(tmp_path: Path) -> None:
    with webhook_running(tmp_path) as webhook:
        place = webhook.place

        def served() -> str:
            return ssl.get_server_certificate((HOST, place.port)).strip()

        first = served()
        assert first == place.cert.read_text().strip()
        assert strategy_of_dev(webhook) == "time-slicing"

        good = place.cert.read_text()
        place.cert.write_text(good[:200])
        told = until(lambda: webhook.log("certificate_refused"))[0]
        assert "tls.crt holds no PEM certificate" in told["problem"]
        assert "holds no PEM certificate" in webhook.get("/readyz").text
        assert served() == first

        write_pair(tmp_path, [HOST], "wb")
        until(lambda: served() == place.cert.read_text().strip())
        assert served() != first
        assert strategy_of_dev(webhook) == "time-slicing", "the open connection goes on"
        assert ready(webhook)["certificate"] == "ok"
