"""A release: what is the same from the same files, and what the scripts tell people."""

import os
import stat
import subprocess
import tarfile
import tomllib
from io import BytesIO
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.release.chart import chart_archive
from deploy.release.notes import release_notes
from deploy.release.versions import locked_versions

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "chart"
SCRIPT = ROOT / "deploy" / "image.sh"


def test_the_chart_is_one_folder_with_every_file_and_the_same_bytes_each_time() -> None:
    name, archive = chart_archive(CHART, 1)
    assert (name, archive) == chart_archive(CHART, 1)
    with tarfile.open(fileobj=BytesIO(archive)) as opened:
        inside = {member.name for member in opened}
    files = [each for each in CHART.rglob("*") if each.is_file()]
    assert name.startswith("gpu-sharing-")
    assert inside == {f"gpu-sharing/{each.relative_to(CHART)}" for each in files}


CHANGES = "# Changelog\n\n## Unreleased\n\n- New.\n\n## 0.1.0 (2026-01-01)\n\n- Old.\n"


@pytest.mark.parametrize(("version", "notes"), [("0.1.0", "- Old.\n"), ("0.2.0", "- New.\n")])
def test_the_notes_are_the_part_of_the_changelog(version: str, notes: str) -> None:
    assert release_notes(CHANGES, version) == notes


def test_a_changelog_without_a_word_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"says nothing under '## 0.2.0' or '## Unreleased'"):
        release_notes("# Changelog\n", "0.2.0")


def test_the_plugin_has_the_versions_that_were_tested() -> None:
    lock = "a-b==1.2 \\\n    --hash=sha256:00\nc==3 ; os_name != 'nt' \\\n    # via a-b\n"
    assert locked_versions(lock) == "a-b==1.2\nc==3\n"


def test_the_image_has_what_the_project_asks_for() -> None:
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())
    optional, groups = stated["project"]["optional-dependencies"], stated["dependency-groups"]
    asked = [*stated["project"]["dependencies"], *optional["serve"], *groups["image"]]
    lines = locked_versions((ROOT / "requirements.txt").read_text()).split()
    locked = dict(line.split("==") for line in lines)
    stale = [
        str(each)
        for each in map(Requirement, asked)
        if not each.specifier.contains(locked.get(canonicalize_name(each.name), "0"))
    ]
    assert stale == [], "requirements.txt is stale: make lock"


@pytest.fixture
def programs(tmp_path: Path):
    """A PATH of stand-ins, which write down how they were called; no engine runs here."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def add(name: str, prints: str = "") -> None:
        script = folder / name
        script.write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/calls\n{prints}\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)

    for name in ("dirname", "sed", "mktemp", "cat", "rm", "sh"):
        (folder / name).symlink_to(
            f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}"
        )
    return add


def told(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": str(tmp_path / "bin"),
        "TMPDIR": str(tmp_path),
        "HOME": os.environ["HOME"],
    }
    return subprocess.run(
        ["/bin/sh", str(SCRIPT), *arguments],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip


def test_the_first_program_that_is_there_builds(tmp_path: Path, programs) -> None:
    programs("buildah")
    done = told(tmp_path, "build", "gpu-sharing:1")
    assert done.returncode == 0
    assert "buildah build --tag gpu-sharing:1" in (tmp_path / "calls").read_text()
    assert "next: make push" in done.stdout


def test_without_one_the_error_says_what_to_install(tmp_path: Path, programs) -> None:
    done = told(tmp_path, "build", "gpu-sharing:1")
    assert done.returncode == 2
    assert "no docker, podman or buildah here; install one" in done.stderr


def test_a_push_tells_the_digest_to_install(tmp_path: Path, programs) -> None:
    digest = "sha256:" + "a" * 64
    programs("docker", f'[ "$1" = inspect ] && echo registry.example.org/x@{digest} || true')
    done = told(tmp_path, "push", "registry.example.org/x:1")
    assert f"next: make install IMAGE=registry.example.org/x@{digest}" in done.stdout


def test_what_was_built_by_its_own_name_is_pushed_by_that_of_the_registry(
    tmp_path: Path, programs
) -> None:
    programs("buildah")  # an older build may have the name of the registry already
    assert told(tmp_path, "push", "r.io/x:1", "gpu-sharing:1").returncode == 0
    _, tagged, pushed = (tmp_path / "calls").read_text().splitlines()
    assert tagged == "buildah tag gpu-sharing:1 r.io/x:1"
    assert pushed.startswith("buildah push ")


def test_what_was_built_by_the_name_of_the_registry_is_the_newest_build(
    tmp_path: Path, programs
) -> None:
    programs("buildah")
    assert told(tmp_path, "build", "r.io/x:1", "gpu-sharing:1").returncode == 0
    assert "buildah tag r.io/x:1 gpu-sharing:1\n" in (tmp_path / "calls").read_text()


def test_an_image_that_was_not_built_here_is_pushed_as_it_is(tmp_path: Path, programs) -> None:
    programs("podman", '[ "$1" != tag ]')
    assert told(tmp_path, "push", "r.io/x:1", "gpu-sharing:1").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "programs_are", "said"),
    [
        (("push", "gpu-sharing:1"), {"docker": ""}, "make push IMAGE=REGISTRY/gpu-sharing:TAG"),
        (("build", "r.io/x@sha256:a"), {"docker": ""}, "write a tag: IMAGE=r.io/x:TAG"),
        (("install", "a|b"), {}, "IMAGE='a|b' is no image; write REGISTRY/gpu-sharing:TAG"),
        (("build", "x:1"), {"docker": "exit 1"}, "docker does not work here ('docker info' says"),
        (("push", "r.io/x:1", "x:1"), {"podman": '[ "$1" = info ]'}, "x:1 is not built; make"),
        (("push", "r.io/x:1"), {"podman": '[ "$1" != push ]'}, "if you may not: podman login r.io"),
        (("install", "x:1"), {}, "no kubectl here; install it"),
        (("install", "x:1"), {"kubectl": "echo refused; exit 1"}, "answers: refused; name one"),
        (("install", "x:1"), {"kubectl": '[ "$1" != auth ]'}, "you may not create Mutating"),
        (("load", "gpu-sharing:1"), {"docker": ""}, "make push"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_with_what_to_do(
    tmp_path: Path, programs, arguments, programs_are, said
) -> None:
    for name, prints in programs_are.items():
        programs(name, prints)
    done = told(tmp_path, *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_docker_without_its_daemon_is_passed_over(tmp_path: Path, programs) -> None:
    programs("docker", "exit 1")
    programs("buildah")
    assert told(tmp_path, "build", "gpu-sharing:1").returncode == 0


def test_a_registry_with_a_port_and_no_tag_keeps_its_port(tmp_path: Path, programs) -> None:
    programs("docker", '[ "$1" != inspect ] || echo r.io:5000/x@sha256:a')
    done = told(tmp_path, "push", "r.io:5000/x")
    assert "next: make install IMAGE=r.io:5000/x@sha256:a" in done.stdout


@pytest.mark.parametrize(
    ("cluster", "call"),
    [
        ("kind", "kind load docker-image gpu-sharing:1"),
        ("minikube", "minikube image load gpu-sharing:1"),
        ("k3s", "k3s ctr images import -"),
    ],
)
def test_a_local_cluster_gets_the_image_loaded(tmp_path, programs, cluster, call) -> None:
    programs("docker")
    programs(cluster)
    done = told(tmp_path, "load", "gpu-sharing:1")
    assert call in (tmp_path / "calls").read_text()
    assert "next: make install IMAGE=gpu-sharing:1" in done.stdout


def test_install_puts_the_image_into_every_container(tmp_path: Path, programs) -> None:
    programs("kubectl", '[ "$1" != apply ] || cat > ${0%/*}/../applied')
    image = "registry.example.org:5000/team/gpu-sharing@sha256:" + "b" * 64
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    subprocess.run(
        ["make", "--silent", "install", f"IMAGE={image}"],
        check=True, cwd=ROOT, env={**os.environ, "PATH": path},
    )  # fmt: skip
    applied = (tmp_path / "applied").read_text()
    lines = [each.strip() for each in applied.splitlines() if each.strip().startswith("image:")]
    assert lines
    assert set(lines) == {f"image: {image}"}
