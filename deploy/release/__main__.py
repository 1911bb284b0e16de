"""Make a release in dist/: wheel, plugin, chart, install.yaml, SBOM, image, notes, checksums."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

from deploy.release.chart import chart_archive
from deploy.release.notes import release_notes
from deploy.release.versions import locked_versions

ROOT = Path(__file__).parents[2]
DIST = ROOT / "dist"
BIN = Path(sys.executable).parent
SHIV = "shiv==1.0.8"


def run(*command: str | Path, timestamp: int) -> None:
    """Run a program in the checkout, with the time that reproducible builds write."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(timestamp)}
    subprocess.run([str(each) for each in command], check=True, cwd=ROOT, env=environment)  # noqa: S603


def commit_time() -> int:
    """Return the time of the commit, in seconds since 1970."""
    command = ["git", "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, capture_output=True, check=True, cwd=ROOT).stdout)  # noqa: S603


def make_plugin(timestamp: int) -> None:
    """Make the plugin as one file, which needs Python as new as the one that made it."""
    wheel = next(DIST.glob("*.whl"))
    shiv = (BIN / "uvx", "--quiet", "--with", "setuptools<81", "--from", SHIV, "shiv")
    options = ("--reproducible", "--compressed", "--quiet", "--console-script", "gpu-sharing")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        constraints.write(locked_versions((ROOT / "requirements.txt").read_text()))
        constraints.flush()
        chosen = ("-o", DIST / "kubectl-gpu_sharing", "--constraint", constraints.name)
        run(*shiv, *options, *chosen, wheel, timestamp=timestamp)


def make_image(version: str, timestamp: int) -> bool:
    """Make the image as an OCI archive, where a program that can is there."""
    buildah = shutil.which("buildah") or shutil.which("podman")
    if buildah is None:
        return False
    name = f"gpu-sharing:{version}"
    run(buildah, "build", "--timestamp", str(timestamp), "--tag", name, ".", timestamp=timestamp)
    archive = DIST / f"gpu-sharing-{version}-image.tar"
    archive.unlink(missing_ok=True)
    run(buildah, "push", name, f"oci-archive:{archive}:{name}", timestamp=timestamp)
    return True


def write_checksums(files: Sequence[Path]) -> None:
    """Write SHA256SUMS, as `sha256sum --check` reads it."""
    sums = (f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}" for each in files)
    (DIST / "SHA256SUMS").write_text("\n".join(sums) + "\n")


def main() -> None:
    """Make everything, and say what could not be made here."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    timestamp = commit_time()
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    run(BIN / "uv", "build", "--quiet", "--wheel", "--out-dir", DIST, timestamp=timestamp)
    (DIST / ".gitignore").unlink(missing_ok=True)
    make_plugin(timestamp)
    name, archive = chart_archive(ROOT / "deploy" / "chart", timestamp)
    (DIST / name).write_bytes(archive)
    shutil.copy(ROOT / "deploy" / "install.yaml", DIST)
    shutil.copy(ROOT / "sbom.json", DIST)
    (DIST / "NOTES.md").write_text(release_notes((ROOT / "CHANGELOG.md").read_text(), version))
    image = make_image(version, timestamp)
    files = sorted(each for each in DIST.iterdir() if each.is_file())
    write_checksums(files)
    for each in files:
        print(f"{each.stat().st_size / 1e6:8.2f} MB  dist/{each.name}")  # noqa: T201
    if not image:
        print("no image archive: it takes buildah or podman, and neither is here")  # noqa: T201


if __name__ == "__main__":
    main()
