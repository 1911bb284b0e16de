"""Where images are built: a store of buildah's in the cache, with the base image in it.

With overlay mounts it also keeps the layers of former builds, so that a change of the sources
alone costs no new installation of requirements. Where those mounts are impossible, say inside a
container, every layer is a copy (vfs), and only the base image is kept.
"""

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.cluster.errors import BuildError
from tests.e2e.cluster.waiting import tell

RELEASE = "bookworm"
PACKAGES = ("ca-certificates", "python3", "python3-venv")
BASE = "localhost/base:1"
ROOM = 4 << 30
"""Bytes of layers at which the store is made anew."""


@dataclass(frozen=True, slots=True)
class Store:
    """An open store: nobody else uses it meanwhile."""

    root: Path
    run_root: Path
    driver: str

    def buildah(self, *arguments: str) -> str:
        """Run buildah in mounts of its own, which end with it however it ends."""
        places = ["--root", str(self.root), "--runroot", str(self.run_root)]
        choice = ["--storage-driver", self.driver]
        return run(["unshare", "--mount", "buildah", *choice, *places, *arguments])

    def has(self, image: str) -> bool:
        """Whether an image of this name is here."""
        return self.buildah("images", "--quiet", "--filter", f"reference={image}") != ""


@contextlib.contextmanager
def open_store(cache: Path) -> Iterator[Store]:
    """The store with the base image in it, for the time of a `with`."""
    key = hashlib.sha256(" ".join((RELEASE, *PACKAGES)).encode()).hexdigest()[:12]
    root = cache / f"images-{RELEASE}-{key}"
    root.mkdir(parents=True, exist_ok=True)
    with (cache / "images.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _size(root) > ROOM:
            shutil.rmtree(root)
        with tempfile.TemporaryDirectory(prefix="gpu-sharing-images-") as run_root:
            store = Store(root, Path(run_root), _driver(root, Path(run_root)))
            if not store.has(BASE):
                _make_base(store)
            yield store


def run(command: Sequence[str]) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr)[-3000:]
        raise BuildError(f"{' '.join(command)}:\n{said}")
    return done.stdout


def _driver(root: Path, run_root: Path) -> str:
    """Overlay if buildah can mount so here."""
    try:
        Store(root, run_root, "overlay").buildah("info")
    except BuildError:
        return "vfs"
    return "overlay"


def _make_base(store: Store) -> None:
    """Debian with Python, made from its packages."""
    tell(f"making the base image: Debian {RELEASE} with {', '.join(PACKAGES)} ...")
    began = time.monotonic()
    tar = str(store.run_root / "base.tar")
    packages = f"--include={','.join(PACKAGES)}"
    run(["mmdebstrap", "--quiet", "--variant=minbase", packages, RELEASE, tar])
    container = store.buildah("from", "scratch").strip()
    store.buildah("add", "--quiet", container, tar, "/")
    store.buildah("commit", "--quiet", "--rm", container, BASE)
    tell(f"made the base image in {time.monotonic() - began:.0f} s")


def _size(root: Path) -> int:
    """What the files of a store take; overlay shares nothing that would count twice."""
    return sum(path.lstat().st_size for path in root.rglob("*"))
