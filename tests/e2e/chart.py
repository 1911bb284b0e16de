"""The chart -> objects, by the pinned Helm; `python -m tests.e2e.chart` writes install.yaml."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.cluster.build import Builder, builder
from tests.e2e.cluster.settings import NEWEST, cache_directory
from tests.e2e.cluster.toolchain import present_go

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "chart"
INSTALL = ROOT / "deploy" / "install.yaml"
RELEASE = "gpu-sharing"
REPOSITORY = "registry.example.org/gpu-sharing"
HEADER = """\
# Made from deploy/chart by `make generate`; change the chart, not this file.
# The image is yours: put its name in place of registry.example.org/gpu-sharing.
"""

Json = dict[str, Any]


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the pinned Helm."""
    program = builder(NEWEST).paths(("helm",))["helm"]
    return subprocess.run(
        [str(program), *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )


def template(*arguments: str) -> str:
    """Render the chart, with an image that nobody has; raises with what Helm said."""
    image = ("--set", f"image.repository={REPOSITORY}")
    done = helm("template", RELEASE, str(CHART), "--namespace", RELEASE, *image, *arguments)
    if done.returncode != 0:
        raise ValueError(done.stderr.strip())
    return done.stdout


def install_yaml() -> str:
    """What deploy/install.yaml must be."""
    return HEADER + template("--set", "namespace.create=true")


def objects(text: str) -> list[Json]:
    """The objects of some YAML."""
    return [each for each in yaml.safe_load_all(text) if each]


def for_cluster(found: Sequence[Json], image: str, node_labels: dict[str, str]) -> list[Json]:
    """The same objects with another image, kept to nodes with these labels."""
    for each in found:
        if each["kind"] == "Deployment":
            pod = each["spec"]["template"]["spec"]
            pod["nodeSelector"] = node_labels
            for container in pod["containers"]:
                container["image"] = image
                container["imagePullPolicy"] = "Never"
    return list(found)


def main() -> None:
    """Write deploy/install.yaml, if Helm was built."""
    go = present_go(cache_directory())
    if go is None or Builder(NEWEST, cache_directory(), go).find("helm") is None:
        print("deploy/install.yaml waits for `make e2e`, which builds Helm")  # noqa: T201
        return
    INSTALL.write_text(install_yaml(), encoding="utf-8")


if __name__ == "__main__":
    main()
