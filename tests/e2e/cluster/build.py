"""Building the programs from their Go modules, once per machine."""

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.cluster import programs
from tests.e2e.cluster.errors import BuildError
from tests.e2e.cluster.settings import cache_directory
from tests.e2e.cluster.toolchain import Go, find_go
from tests.e2e.cluster.waiting import tell

STAGES = "kwok-stages.yaml"
"""What kwok does to nodes and pods; a file of its module, kept beside its program."""

_STAGE_FOLDERS = ("node/fast", "node/heartbeat-with-lease", "pod/fast")


@dataclass(frozen=True, slots=True)
class Builder:
    """Gives the path of each program of one Kubernetes version, building what is missing."""

    kubernetes: str
    cache: Path
    go: Go

    def paths(self, names: Iterable[str]) -> dict[str, Path]:
        """Where these programs are, after building those that were never built."""
        given = _given(os.environ)
        return {name: given.get(name) or self._built(name) for name in names}

    def stages(self) -> Path:
        """The file of kwok's stages."""
        module = programs.kwok()
        target = self._directory(module) / STAGES
        if not target.exists():
            folder = self._run(module, "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok").strip()
            found = [
                path.read_text(encoding="utf-8")
                for part in _STAGE_FOLDERS
                for path in sorted(Path(folder, "kustomize/stage", part).glob("*.yaml"))
                if path.name != "kustomization.yaml"
            ]
            target.write_text("\n---\n".join(found), encoding="utf-8")
        return target

    def find(self, name: str) -> Path | None:
        """The program, if it was built before."""
        target = self._directory(self._module(name)) / name
        return target if target.exists() else None

    def _built(self, name: str) -> Path:
        module = self._module(name)
        target = self._directory(module) / name
        if not target.exists():
            with _locked(self.cache / "build.lock"):
                if not target.exists():
                    self._build(module, name, target)
        return target

    def _module(self, name: str) -> programs.Module:
        all_modules = programs.modules(self.kubernetes)
        return next(module for module in all_modules if name in module.packages)

    def _directory(self, module: programs.Module) -> Path:
        return self.cache / module.key(self.go.version) / "bin"

    def _build(self, module: programs.Module, name: str, target: Path) -> None:
        """Build to a name beside the target and move it there, so that it is whole or absent."""
        tell(f"building {name} ({module.folder.name}) ...")
        began = time.monotonic()
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{name}.partial")
        package = module.packages[name]
        self._run(module, "build", "-p", "2", *module.flags, "-o", str(partial), package)
        partial.rename(target)
        tell(f"built {name} in {time.monotonic() - began:.0f} s")

    def _run(self, module: programs.Module, *arguments: str) -> str:
        """What a go command in the module's folder prints, at a low priority."""
        environment = {**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "CGO_ENABLED": "0"}
        nice = ["nice"] if shutil.which("nice") else []
        done = subprocess.run(
            [*nice, str(self.go.command), *arguments],
            cwd=module.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            errors = done.stderr[-3000:]
            raise BuildError(f"go {' '.join(arguments)} in {module.folder}:\n{errors}")
        return done.stdout


def builder(kubernetes: str) -> Builder:
    """A builder with the machine's Go and the cache directory."""
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    return Builder(kubernetes, cache, find_go(cache))


def _given(environ: Mapping[str, str]) -> dict[str, Path]:
    """The programs that KUBEBUILDER_ASSETS brings, as setup-envtest lays them out."""
    folder = environ.get("KUBEBUILDER_ASSETS")
    if not folder:
        return {}
    found = {name: Path(folder, name) for name in programs.ASSETS}
    return {name: path for name, path in found.items() if path.exists()}


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes, so that two runs do not build at once."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
