"""Building an image from a Dockerfile without registry and container engine.

The base image is Debian with Python, made on the spot and kept in the cache; the Dockerfile
takes its name as the build argument BASE.
"""

import os
import tempfile
import time
from pathlib import Path

from tests.e2e.cluster import machine
from tests.e2e.cluster.errors import BuildError
from tests.e2e.cluster.image_store import BASE, Store, open_store
from tests.e2e.cluster.settings import cache_directory
from tests.e2e.cluster.waiting import tell

CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
"""pip in the build trusts what this machine trusts."""


def build_image(context: Path, dockerfile: Path, name: str = "localhost/gpu-sharing:e2e") -> Path:
    """Build a Dockerfile; return a docker archive, which belongs to the caller."""
    if os.geteuid() != 0:
        raise BuildError("building an image here needs root")
    machine.require(machine.IMAGES)
    began = time.monotonic()
    with open_store(cache_directory()) as store:
        _build(store, context, dockerfile, name)
        archive = _new_archive()
        store.buildah("push", name, f"docker-archive:{archive}:{name}")
    tell(f"built image {name} in {time.monotonic() - began:.0f} s")
    return archive


def _build(store: Store, context: Path, dockerfile: Path, name: str) -> None:
    choices = ["--isolation", "chroot", "--network", "host", "--build-arg", f"BASE={BASE}"]
    choices += ["--pull-never", "--tag", name, "--file", str(dockerfile)]
    choices += ["--volume", f"{CA_BUNDLE}:{CA_BUNDLE}:ro"] if CA_BUNDLE.exists() else []
    choices += ["--layers"] if store.driver == "overlay" else []
    store.buildah("bud", *choices, str(context))


def _new_archive() -> Path:
    """A name for the archive: buildah refuses to write to a file that exists."""
    return Path(tempfile.mkdtemp(prefix="gpu-sharing-archive-")) / "image.tar"
