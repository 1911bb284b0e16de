"""Files, addresses and flags that are wrong when the server starts."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from policies import POLICY, TYPO, metric, policy, ready, replaced, strategy_of_dev
from webhook_process import INVENTORY, until, webhook_running

from certs.pair import write_pair
from examples.demo.local_server import HOST
from webhook.cli import loaders, main, served_policy


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a process to be, good ones at first."""

    folder: Path

    def path(self, name: str) -> Path:
        """Where a file is."""
        return self.folder / name

    def flags(self) -> list[str]:
        """Flags that name the files, and an address of no machine: nothing ever listens."""
        names = {"tls-cert": "tls.crt", "tls-key": "tls.key"}
        names |= {"policy": "policy.yaml", "inventory": "nodes.yaml"}
        named = [f"--{flag}={self.folder / name}" for flag, name in names.items()]
        return [*named, "--bind=192.0.2.1:8443", "--metrics-bind=off"]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    write_pair(tmp_path, [HOST], "wb")
    (tmp_path / "policy.yaml").write_text(policy("mps"))
    (tmp_path / "nodes.yaml").write_text(INVENTORY.read_text())
    return Files(tmp_path)


Spoil = Callable[[Files], object]
Start = Callable[[list[str]], str]


@pytest.fixture
def start(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Start:
    """Give what runs `serve` in this process, which must end with 2, and returns the error."""

    def serve(flags: list[str]) -> str:
        monkeypatch.setattr(sys, "argv", ["gpu-sharing", "serve", *flags])
        assert main.main() == 2
        return capfd.readouterr().err.splitlines()[-1]  # after what is logged before

    return serve


def text(name: str, content: str) -> Spoil:
    return lambda files: files.path(name).write_text(content)


def raw(name: str, content: bytes) -> Spoil:
    return lambda files: files.path(name).write_bytes(content)


def gone(name: str) -> Spoil:
    return lambda files: files.path(name).unlink()


def folder(name: str) -> Spoil:
    return lambda files: (files.path(name).unlink(), files.path(name).mkdir())


def another_pair(files: Files) -> None:
    """The certificate of another key, as where only one of two files was copied."""
    key = files.path("tls.key").read_bytes()
    write_pair(files.folder, [HOST], "wb")
    files.path("tls.key").write_bytes(key)


UNSAFE = POLICY.replace("dev", "tenant").format(strategy="mps")
NODE = "apiVersion: v1\nkind: Node\nmetadata:\n  name: a\n  labels: [a]\n"
WRONG = [
    pytest.param(
        text("nodes.yaml", "kind: List\nitems:\n- {kind: Node}\n- kind: Node\n  metadata: []\n"),
        ["nodes.yaml: line 5, items[1].metadata"],
        id="inventory-with-a-wrong-type-in-a-list",
    ),
    pytest.param(gone("policy.yaml"), ["No such file", "policy.yaml"], id="policy-missing"),
    pytest.param(folder("policy.yaml"), ["Is a directory", "policy.yaml"], id="policy-a-folder"),
    pytest.param(
        text("nodes.yaml", NODE),
        ["nodes.yaml: line 5, metadata.labels: expected"],
        id="inventory-with-a-wrong-type",
    ),
    pytest.param(
        text("nodes.yaml", "a: b\n"), ["nodes.yaml: document 1: expected"], id="inventory-no-object"
    ),
    pytest.param(
        text("nodes.yaml", "{]\n"), ["nodes.yaml: line 1: not YAML"], id="inventory-no-yaml"
    ),
    pytest.param(raw("nodes.yaml", b"\x00\xff"), ["nodes.yaml: not UTF-8"], id="inventory-binary"),
    pytest.param(gone("nodes.yaml"), ["No such file", "nodes.yaml"], id="inventory-missing"),
    pytest.param(
        text("nodes.yaml", ""),
        ["nodes.yaml: "],
        id="inventory-empty",
    ),
    pytest.param(
        text("nodes.yaml", "kind: Pod\n"),
        ["nodes.yaml: "],
        id="inventory-without-nodes",
    ),
    pytest.param(gone("tls.crt"), ["tls.crt cannot be read"], id="certificate-missing"),
    pytest.param(gone("tls.key"), ["tls.key cannot be read"], id="key-missing"),
    pytest.param(
        text("tls.crt", "PEM"), ["tls.crt holds no PEM certificate"], id="certificate-none"
    ),
    pytest.param(text("tls.key", "PEM"), ["tls.key holds no PEM private key"], id="key-none"),
    pytest.param(
        another_pair, ["tls.key is not the key of", "tls.crt"], id="certificate-of-another"
    ),
]
WRONG_POLICIES = [
    pytest.param(
        text("policy.yaml", TYPO.format(strategy="mps")),
        ["did you mean `strategies`"],
        id="policy-with-a-key-of-another-place",
    ),
    pytest.param(
        text("policy.yaml", TYPO.format(strategy="mps")),
        ["policy.yaml: line 5, matrix.dev.strategy: ", "unknown field `strategy`"],
        id="policy-with-an-unknown-key",
    ),
    pytest.param(
        text("policy.yaml", policy("mps-please")),
        ["policy.yaml: line 5, matrix.dev.strategies[0]: ", "write exclusive or mig"],
        id="policy-with-an-unknown-strategy",
    ),
    pytest.param(
        text("policy.yaml", UNSAFE),
        ["policy.yaml: line 5, ", "does not isolate tenants"],
        id="policy-that-is-unsafe-for-tenants",
    ),
    pytest.param(
        text("policy.yaml", policy("mps") + "  dev: {}\n"),
        ["policy.yaml: ", "line 6: `dev` stands twice"],
        id="policy-with-a-key-twice",
    ),
    pytest.param(
        text("policy.yaml", "matrix: [\n"), ["policy.yaml: line 2: not YAML"], id="policy-no-yaml"
    ),
    pytest.param(text("policy.yaml", ""), ["policy.yaml: line 1: expected"], id="policy-empty"),
    pytest.param(
        text("policy.yaml", policy("mps") * 2 + "---\n" + policy("mps")),
        ["policy.yaml: "],
        id="policy-twice",
    ),
    pytest.param(
        text("policy.yaml", POLICY.replace("{strategy}", "{{ .Values.strategy }}")),
        ["policy.yaml: ", "line 5"],
        id="policy-as-an-unrendered-template",
    ),
    pytest.param(
        raw("policy.yaml", b"\xff\xfe"),
        ["policy.yaml: not UTF-8 text at byte 0"],
        id="policy-binary",
    ),
]


@pytest.mark.parametrize(("spoil", "says"), WRONG)
def test_a_wrong_file_at_the_start_is_named_with_what_is_wrong(
    spoil: Spoil, says: list[str], files: Files, start: Start
) -> None:
    spoil(files)
    error = start(files.flags())
    assert error.startswith("error: ")
    assert all(part in error for part in says), error


def test_a_wrong_address_is_named(files: Files, start: Start) -> None:
    error = start([*files.flags(), "--metrics-bind=wrong-too"])
    assert "--metrics-bind 'wrong-too': expected HOST:PORT with a port" in error


def test_a_wrong_page_is_named(files: Files, start: Start) -> None:
    error = start([*files.flags(), "--reasons-page=wiki/gpu"])
    assert "--reasons-page 'wiki/gpu': expected the URL of a page, without #, or off" in error


# A wrong policy stops no start.


@pytest.mark.parametrize(("spoil", "says"), WRONG_POLICIES)
def test_a_wrong_policy_at_the_start_is_told_and_the_built_in_one_decides(
    spoil: Spoil, says: list[str], files: Files
) -> None:
    spoil(files)
    path, told = files.path("policy.yaml"), []
    source = served_policy.open_policy(
        str(path), None, lambda event, **fields: told.append((event, fields))
    )
    assert source.start == loaders.load_policy(None)
    [(event, fields)] = told
    assert (event, fields["instead"]) == ("refused_at_start", "built_in")
    assert all(part in f"{path}: {fields['problem']}" for part in says), fields
    assert fields["problem"] in source.check().detail
    assert "the built-in policy decides" in source.check().detail


def test_the_last_good_policy_decides_after_a_restart(tmp_path: Path) -> None:
    path, copy = tmp_path / "policy.yaml", tmp_path / "last.yaml"
    flags = ["--policy", str(path), "--last-policy", str(copy)]
    path.write_text(TYPO.format(strategy="exclusive"))
    with webhook_running(tmp_path, flags) as webhook:
        assert strategy_of_dev(webhook) == "time-slicing", "as built in"
        [told] = webhook.log("refused_at_start")
        assert (told["level"], told["instead"]) == ("error", "built_in")
        assert "line 5, matrix.dev.strategy" in told["problem"]
        assert "the built-in policy decides" in ready(webhook)["policy"]
        assert metric(webhook, "gpu_sharing_policy_stale 1.0")
        assert metric(webhook, 'gpu_sharing_policy_source{source="built_in"} 1.0')

        replaced(path, policy("exclusive"))
        until(lambda: strategy_of_dev(webhook) == "exclusive")
        assert metric(webhook, 'gpu_sharing_policy_source{source="file"} 1.0')
        assert ready(webhook)["policy"] == "ok"
    path.write_text("matrix: [")
    with webhook_running(tmp_path, flags) as webhook:
        assert strategy_of_dev(webhook) == "exclusive"
        assert "the last good policy decides" in ready(webhook)["policy"]
        assert metric(webhook, 'gpu_sharing_policy_source{source="last_good"} 1.0')


def test_a_last_good_policy_that_is_wrong_now_is_passed_over(tmp_path: Path) -> None:
    path, copy = tmp_path / "policy.yaml", tmp_path / "last.yaml"
    path.write_text("a: [")
    copy.write_bytes(b"\xff\xfe")
    source = served_policy.open_policy(str(path), str(copy), lambda *_, **__: None)
    assert source.source.value == "built_in"


def test_what_is_doubtful_in_a_policy_is_logged(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(policy("{strategy: mig, on: [A1000]}"))
    with webhook_running(tmp_path, ["--policy", str(path)]) as webhook:
        [told] = webhook.log("doubtful")
        assert told["level"] == "warning"
        assert "did you mean A100?" in told["problem"]


def test_flags_may_be_given_as_environment_variables(
    files: Files, monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    for flag in (*files.flags(), "--metrics-bind=wrong-too"):
        name, _, value = flag.removeprefix("--").partition("=")
        monkeypatch.setitem(os.environ, f"GPU_SHARING_{name.upper().replace('-', '_')}", value)
    assert "--metrics-bind 'wrong-too'" in start([])


def test_without_a_cluster_or_an_inventory_it_says_what_to_give(
    files: Files, monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    for name in ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KUBECONFIG", str(files.path("no-kubeconfig")))
    monkeypatch.setenv("HOME", str(files.folder))
    flags = [flag for flag in files.flags() if not flag.startswith("--inventory")]
    error = start(flags)
    assert "no cluster to watch" in error
    assert "--inventory FILE" in error
