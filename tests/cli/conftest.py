"""Fixtures of the command line's tests."""

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import Done, Json, Run
from fake_cluster import FakeCluster
from small_cluster import NOW, small_cluster

from webhook.cli import main


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give what runs a command in this process and returns its code and what it wrote."""

    def run_here(*arguments: str, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "argv", ["gpu-sharing", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        try:
            code = main.main(NOW)
        except SystemExit as ended:  # argparse: --help and wrong flags
            code = int(ended.code or 0)
        written = capsys.readouterr()
        return Done(code, written.out, written.err)

    return run_here


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    """A small cluster that answers; the caller is an administrator of it, unless a test says so."""
    with small_cluster() as answering:
        yield answering


@pytest.fixture
def look(run: Run, cluster: FakeCluster, tmp_path: Path) -> Run:
    """Give what runs a command on the small cluster."""
    path = str(cluster.write_kubeconfig(tmp_path, "shop"))
    return lambda *words: run(*words, "--kubeconfig", path)


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Give what writes a file of objects, or of text as it is."""

    def write(*objects: Json | list[Any] | str | bytes, name: str = "things.yaml") -> Path:
        path = tmp_path / name
        parts = [each for each in objects if isinstance(each, str | bytes)]
        if parts:
            whole = [each.encode() if isinstance(each, str) else each for each in parts]
            path.write_bytes(b"".join(whole))
        else:
            path.write_text(yaml.safe_dump_all(objects))
        return path

    return write
