"""Nothing names an address that others could register, and the bill of materials is whole."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOREIGN = re.compile(r"(ghcr|quay|docker|github|gitlab)\.(io|com)/gpu-sharing")
SHIPPED = ("webhook", "certs", "deploy", "docs", "examples", "README.md", "Dockerfile", "Makefile")
BASE = re.compile(r"^ARG BASE=\S+@sha256:[0-9a-f]{64}$", re.MULTILINE)


def shipped() -> list[Path]:
    """Every text that is installed or read."""
    tops = [ROOT / name for name in SHIPPED]
    files = [each for top in tops for each in (top.rglob("*") if top.is_dir() else [top])]
    return [each for each in files if each.is_file() and each.suffix != ".pyc"]


def test_no_address_is_named_that_is_not_ours() -> None:
    found = [path for path in shipped() if FOREIGN.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_the_base_of_the_image_is_named_by_its_digest() -> None:
    assert BASE.search((ROOT / "Dockerfile").read_text(encoding="utf-8"))


def bill(root: Path) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(ROOT / "deploy/sbom.py"), str(root)]
    return subprocess.run(program, capture_output=True, text=True, check=False)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The root of an image with two packages of Debian, an interpreter and a Python package."""
    files = {
        "var/lib/dpkg/status": "Package: libc6\nStatus: install ok installed\n"
        "Architecture: amd64\nVersion: 2.41-12\n\nPackage: gone\n"
        "Status: deinstall ok config-files\nVersion: 1\n",
        "var/lib/dpkg/status.d/tzdata": "Package: tzdata\nVersion: 2025b-4\n",
        "usr/local/include/python3.13/patchlevel.h": '#define PY_VERSION   "3.13.15"\n',
        "opt/a/lib/python3.13/site-packages/Flask_X-3.1.dist-info/METADATA": "Name: Flask_X\n"
        "Version: 3.1\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_the_bill_has_packages_of_debian_the_interpreter_and_python_packages(image: Path) -> None:
    found = json.loads(bill(image).stdout)
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    assert [each["purl"] for each in found["components"]] == [
        "pkg:deb/debian/libc6@2.41-12?arch=amd64",
        "pkg:deb/debian/tzdata@2025b-4?arch=all",
        "pkg:generic/python@3.13.15",
        "pkg:pypi/flask-x@3.1",
    ]


def test_a_folder_that_is_no_image_is_refused(tmp_path: Path) -> None:
    done = bill(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no deb package found" in done.stderr
