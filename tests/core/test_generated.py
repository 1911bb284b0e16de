"""What follows from the tables is as `make generate` writes it, or tests do not begin."""

import shutil
import subprocess
import sys
from pathlib import Path

from deploy.generate.__main__ import ROOT


def test_where_generate_was_forgotten_no_test_begins_and_one_line_says_so(tmp_path: Path) -> None:
    for folder in ("deploy", "docs", "webhook"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests/conftest.py", tmp_path / "tests")
    (tmp_path / "docs/reasons.md").write_text("")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "run `make generate`, which writes docs/reasons.md anew" in done.stdout + done.stderr
    assert done.returncode == 1
