"""`make demo`: exit 0 only if everything came out as promised."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import EXAMPLES, Done

from examples.demo.__main__ import Outcome, differences, main, tell
from examples.demo.api_server import Creation
from webhook.core.record_values import ContainerChange, DecisionRecord

Capture = pytest.CaptureFixture[str]
ROOT = EXAMPLES.parent


def demo() -> Done:
    """Run the demo as `make demo` does."""
    command = [sys.executable, "-m", "examples.demo"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """A copy of the examples, to be changed."""
    return Path(shutil.copytree(EXAMPLES, tmp_path / "examples"))


def test_everything_comes_out_as_promised_and_on_80_columns_every_example_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    done = demo()
    assert (done.code, done.err) == (0, "")
    text = re.sub(r"\x1b\[[0-9;]*m", "", done.out)
    for part in ("All 9 came out as promised", "refused", "+", "nvidia.com/mig-3g.20gb"):
        assert part in text
    lines = text.splitlines()
    assert "tenant-shared    unclassified  blue    1 gpu.shared  -              refused" in [
        line.rstrip() for line in lines
    ]
    assert max(len(line.rstrip()) for line in lines) <= 80


def test_a_broken_promise_is_named_and_the_exit_code_is_1(capsys: Capture) -> None:
    promise = {"strategy": "mig", "refused": False, "gets": "nvidia.com/gpu.shared"}
    change = ContainerChange("main", {"nvidia.com/gpu": 1}, {"nvidia.com/gpu.shared": 1}, "mps")
    told = DecisionRecord(strategy="mps", containers=(change,))
    creation = Creation(allowed=True, before={}, after={}, message="", record=told, seconds=0.1)
    wrong = differences(creation, promise)
    assert wrong == ("strategy: promised mig, got mps",)
    assert tell([Outcome("t4.yaml", creation, wrong), Outcome("a.yaml", creation, ())]) == 1
    assert capsys.readouterr().out.split("\n") == ["t4.yaml: strategy: promised mig, got mps", ""]


@pytest.mark.parametrize("content", [None, "[", "- a\n"], ids=["missing", "no-yaml", "a-list"])
def test_promises_that_cannot_be_read_are_named(
    examples: Path, content: str | None, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    path = examples / "promises.yaml"
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    monkeypatch.setattr(sys, "argv", ["demo", "--examples", str(examples)])
    assert main() == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert "promises.yaml" in written.err
