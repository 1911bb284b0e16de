"""Write the go.mod and go.sum of one Kubernetes version: `python tests/e2e/go/pin.py 1.37.2`.

A developer's command, run when a version is added or bumped; what it writes is committed.
`go install k8s.io/kubernetes/cmd/...@v1.37.2` is impossible: the go.mod of Kubernetes requires its
staging modules at v0.0.0 and replaces them by folders. So a module of our own requires Kubernetes,
replaces each staging module by its published version (v1.37.2 is v0.37.2 there), and names the
programs as tools. etcd is taken at the version Kubernetes itself requires: an older one makes Go
choose Kubernetes 1.13 without a word.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
KUBERNETES = "k8s.io/kubernetes"
COMMANDS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubectl",
    "kubelet",
)
KWOK = "sigs.k8s.io/kwok/cmd/kwok@v0.8.0"
KWOK_IS_IN = "1.37"
"""The one version kwok shares its dependencies with; older ones would get newer ones by it.

The judge of expressions, `cel`, is of this version too.
"""


def go(*arguments: str, cwd: Path = HERE, mod: str = "mod") -> str:
    """What a go command prints; its errors go to the terminal."""
    environment = {**os.environ, "GOFLAGS": f"-mod={mod}"}
    done = subprocess.run(
        ["go", *arguments], cwd=cwd, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def requirements_of(version: str) -> str:
    """The text of the go.mod of one Kubernetes version."""
    found = json.loads(go("mod", "download", "-json", f"{KUBERNETES}@v{version}", cwd=Path("/")))
    return Path(found["GoMod"]).read_text(encoding="utf-8")


def module_text(name: str, version: str, upstream: str) -> str:
    """Our go.mod: Kubernetes required, its staging modules replaced, its Go settings kept."""
    staging = sorted(set(re.findall(r"^\t(k8s\.io/[\w-]+) v0\.0\.0$", upstream, re.MULTILINE)))
    settings = re.findall(r"^(?:go|godebug) .*$", upstream, re.MULTILINE)
    minor = version.split(".", 1)[1]
    replaced = "".join(f"\t{module} => {module} v0.{minor}\n" for module in staging)
    return "\n\n".join(
        [
            f"module gpu-sharing.test/{name}",
            *settings,
            f"require {KUBERNETES} v{version}",
            f"replace (\n{replaced})\n",
        ]
    )


def pin(version: str) -> Path:
    """Write go.mod and go.sum of one version, checked to require just that version."""
    upstream = requirements_of(version)
    etcd = re.search(r"go\.etcd\.io/etcd/client/v3 (v\S+)", upstream)
    if etcd is None:
        raise ValueError(f"Kubernetes {version} requires no etcd client")
    folder = HERE / f"k8s-{version.rsplit('.', 1)[0]}"
    folder.mkdir(exist_ok=True)
    (folder / "go.mod").write_text(module_text(folder.name, version, upstream), encoding="utf-8")
    (folder / "go.sum").unlink(missing_ok=True)
    commands = [f"{KUBERNETES}/cmd/{name}@v{version}" for name in COMMANDS]
    more = [KWOK] if version.startswith(f"{KWOK_IS_IN}.") else []
    go("get", "-tool", *commands, f"go.etcd.io/etcd/server/v3@{etcd[1]}", *more, cwd=folder)
    chosen = go("list", "-m", KUBERNETES, cwd=folder).split()[1]
    if chosen != f"v{version}":
        raise ValueError(f"Go chose Kubernetes {chosen} instead of v{version}")
    if more:
        pin_judge(version, upstream)
    return folder


def pin_judge(version: str, upstream: str) -> None:
    """Write go.mod and go.sum of our own program that imports Kubernetes."""
    folder = HERE / "cel"
    (folder / "go.mod").write_text(module_text("cel", version, upstream), encoding="utf-8")
    go("mod", "tidy", cwd=folder)


if __name__ == "__main__":
    sys.stdout.write(f"{pin(sys.argv[1])}\n")
