"""Docker archives: reading an image's names from one, and writing one of a single program."""

import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path
from typing import Any

PAUSE_IMAGE = "localhost/pause:1"


def write_image(archive: Path, program: Path, name: str) -> None:
    """An image that holds one static program and runs it."""
    layer = _tar({program.name: program.read_bytes()})
    config = {
        "architecture": _architecture(),
        "os": "linux",
        "config": {"Entrypoint": [f"/{program.name}"], "User": "65535:65535"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    archive.write_bytes(
        _tar(
            {
                "layer.tar": layer,
                "config.json": json.dumps(config).encode(),
                "manifest.json": json.dumps(manifest).encode(),
            }
        )
    )


def names(archive: Path) -> list[str]:
    """The names an archive gives its image."""
    with tarfile.open(archive) as tar:
        member = tar.extractfile("manifest.json")
        if member is None:
            raise ValueError(f"{archive} is no docker archive")
        manifest: list[dict[str, Any]] = json.load(member)
    return [name for image in manifest for name in image["RepoTags"] or ()]


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _architecture() -> str:
    """The machine's architecture by the name Go gives it."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
