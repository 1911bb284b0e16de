"""`review -o diff`: git itself applies it, and the files then say what the webhook would."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import EXAMPLES, INVENTORY, Run

from webhook.cli.yaml_edit import load

MANY = """\
# who: ä team 😀
apiVersion: v1
kind: ConfigMap
metadata: {name: "nothing of ours"}
data:
  text: |
    nvidia.com/gpu: 1   # not this one

---
apiVersion: apps/v1
kind: Deployment   # two containers, one comment
metadata:
  name: web
spec:
  template:
    metadata:
      labels:
        gpu-sharing.io/workload: dev   # for people
    spec:
      containers:
        - name: main
          image: app:1
          resources:
            limits:
              memory: 1Gi
              nvidia.com/gpu: 1   # one
              cpu: "2"
        # beside it
        - {name: helper, image: "app:2"}
---
apiVersion: batch/v1
kind: Job
metadata: {name: fit}
spec:
  template:
    spec:
      containers:
      - name: main
        resources: {limits: {nvidia.com/gpu: 2}}
      # the end"""
DEV = yaml.safe_load((EXAMPLES / "dev.yaml").read_text())
JSON = json.dumps({"apiVersion": "v1", "kind": "List", "items": [DEV]}, indent=1)
FILES: dict[str, str | bytes] = {
    "apps/team a/many.yaml": MANY,
    "windows.yaml": MANY.replace("\n", "\r\n").encode(),
    "list.json": JSON,
    "tenant.yaml": (EXAMPLES / "tenant.yaml").read_text(),
}


def git(folder: Path, *words: str, stdin: bytes = b"") -> None:
    """Run git, which must succeed."""
    command = ["git", "-c", "core.autocrlf=false", *words]
    done = subprocess.run(command, cwd=folder, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with files of many kinds, in which the command runs."""
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    git(tmp_path, "init", "--quiet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def gpus_of(value: Any) -> list[str]:
    """Every resource of NVIDIA in limits."""
    if isinstance(value, list):
        return [name for each in value for name in gpus_of(each)]
    if not isinstance(value, dict):
        return []
    own = [key for key in value.get("limits") or {} if key.startswith("nvidia.com/")]
    return own + [name for each in value.values() for name in gpus_of(each)]


def test_git_applies_the_diff_of_many_files_and_all_else_stays(repository: Path, run: Run) -> None:
    done = run("review", "-f", ".", "--inventory", INVENTORY, "-o", "diff")
    assert done.code == 0, done.err
    git(repository, "apply", "-", stdin=done.out.encode())
    for name, before in FILES.items():
        after = (repository / name).read_bytes()
        old = before if isinstance(before, bytes) else before.encode()
        assert (b"\r\n" in after, after.count(b"\n") == after.count(b"\r\n")) == (
            b"\r\n" in old, old.count(b"\n") == old.count(b"\r\n")
        )  # fmt: skip
        assert gpus_of(load(after.decode())) != gpus_of(load(old.decode()))
    many = (repository / "apps/team a/many.yaml").read_text()
    for kept in (
        "# who: ä team 😀",
        "# not this one",
        "gpu.shared: 1   # one",
        "# the end",
    ):
        assert kept in many
    assert json.loads((repository / "list.json").read_text())["kind"] == "List"


def test_what_was_applied_is_not_changed_again(repository: Path, run: Run) -> None:
    command = ("review", "-f", ".", "--inventory", INVENTORY, "-o", "diff")
    git(repository, "apply", "-", stdin=run(*command).out.encode())
    again = run(*command).out
    assert "\n--- " not in again
    assert again.count("(unchanged)") == again.count("\n") == 6


def test_from_a_folder_below_it_is_applied_there(repository: Path, run: Run) -> None:
    os.chdir(repository / "apps")
    done = run("review", "-f", "team a/many.yaml", "--inventory", INVENTORY, "-o", "diff")
    git(repository / "apps", "apply", "-", stdin=done.out.encode())


SHARED = """\
apiVersion: v1
kind: Pod
metadata: {name: twins, labels: {gpu-sharing.io/workload: training}}
spec:
  containers:
  - {name: a, resources: {limits: {nvidia.com/gpu: 1}}, env: &none []}
  - {name: b, env: *none}
  - {name: c, env: *none}
"""


def test_what_cannot_be_written_in_one_place_is_told(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(SHARED)
    done = run("review", "-f", str(path), "--inventory", INVENTORY, "-o", "diff")
    assert "no diff, since" in done.out
    assert "@@" not in done.out


def test_the_namespace_of_objects_that_name_none(run: Run) -> None:
    command = ("review", "-f", str(EXAMPLES / "dev.yaml"), "--inventory", INVENTORY, "-o", "json")
    text = (EXAMPLES / "dev.yaml").read_text().replace("  namespace: shop\n", "")
    done = run(*command[:1], "-f", "-", *command[3:], "-n", "blue", stdin=text.encode())
    assert [each["namespace"] for each in json.loads(done.out)] == ["blue"]
    assert [each["namespace"] for each in json.loads(run(*command, "-n", "x").out)] == ["shop"]
