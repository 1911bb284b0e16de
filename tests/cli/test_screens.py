"""Every screen at three widths, as files: no word is broken, and what is least needed goes first.

`UPDATE_SCREENS=1` writes the files anew.
"""

import os
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from command_line import EXAMPLES, INVENTORY, Done, Run
from fake_cluster import FakeCluster
from small_cluster import made

from webhook.cli.progress import progress
from webhook.cli.table import SHORT_KINDS

FOLDER = Path(__file__).parent / "screens"
WIDTHS = (60, 80, 120)
EXAMPLE_FILES = [
    part
    for path in sorted(EXAMPLES.glob("*.yaml"))
    if path.name not in ("inventory.yaml", "promises.yaml")
    for part in ("-f", str(path))
]
LOCAL = {
    "help": (),
    "review": ("review", *EXAMPLE_FILES, "--inventory", INVENTORY),
    "review-wide": ("review", *EXAMPLE_FILES, "--inventory", INVENTORY, "-o", "wide"),
    "policy": ("policy",),
    "reason": ("reasons", "tenant_needs_isolation"),
    "reasons": ("reasons",),
}
LIVE = {
    "audit": ("audit",),
    "audit-namespace": ("audit", "-n", "shop"),
    "pods": ("pods", "-A"),
    "status": ("status",),
    "why": ("why", "deployment/chat", "-n", "shop"),
    "why-waiting": ("why", "deployment/recommender", "-n", "shop"),
    "explain": ("explain", "recommender-7d4b9-aaaaa", "-n", "shop"),
    "pools": ("pools",),
    "neighbours": ("neighbours",),
    "conformance": ("conformance", "-n", "red"),
    "logs": ("logs",),
}
SHARED = {"resources": {"limits": {"nvidia.com/gpu.shared": "1"}}, "name": "main"}


def inhabited(cluster: FakeCluster) -> FakeCluster:
    """The cluster with a tenant's namespace, whose pod shares a GPU with others."""
    labels = {"gpu-sharing.io/mode": "enforce", "gpu-sharing.io/tenant": "red"}
    cluster.put("namespaces", made("Namespace", "v1", "red", "", labels=labels))
    spec = {"containers": [SHARED], "nodeName": "t4-dev-1"}
    for namespace, name in (("red", "ranker-5d8f7-x2x4k"), ("lab", "notebook-of-ann-0")):
        cluster.put("pods", made("Pod", "v1", name, namespace, spec=spec, status=RUNNING))
    return cluster


INHABITED = {"conformance", "neighbours"}
RUNNING = {"phase": "Running"}
_MOMENT = re.compile(r"\d\d-\d\dT[\d:]+|\d{4}-\d\d-\d\d(T[\d:]+)?|\d\d:\d\d(:\d\d)?|127.0.0.1:\d+")
UPDATE = "if it is meant: UPDATE_SCREENS=1 .venv/bin/python -m pytest tests/cli/test_screens.py"
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def resized(width: int) -> None:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", str(width))

    return resized


def screen(done: Done) -> str:
    plain = _STYLE.sub("", done.out).replace(str(EXAMPLES), "examples")
    assert plain.strip(), done.err
    return "\n".join(line.rstrip() for line in plain.splitlines()) + "\n"


def matches(name: str, text: str) -> None:
    """The text is that of the file."""
    path = FOLDER / name
    if os.environ.get("UPDATE_SCREENS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), UPDATE


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", LOCAL)
def test_a_screen_without_a_cluster(
    name: str, width: int, run: Run, terminal: Callable[[int], None]
) -> None:
    terminal(width)
    matches(f"{name}.{width}.txt", screen(run(*LOCAL[name])))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", LIVE)
def test_a_screen_of_a_cluster(
    name: str, width: int, look: Run, cluster: FakeCluster, terminal: Callable[[int], None]
) -> None:
    terminal(width)
    if name in INHABITED:
        inhabited(cluster)
    shown = _MOMENT.sub(lambda found: "0" * len(found[0]), screen(look(*LIVE[name])))
    matches(f"{name}.{width}.txt", shown)


@pytest.mark.parametrize("name", [*LOCAL, *LIVE])
def test_no_word_is_broken(
    name: str, run: Run, look: Run, cluster: FakeCluster, terminal: Callable[[int], None]
) -> None:
    """Each word of a narrow screen is one of the wide screen, but for a kind that is shortened."""
    words = []
    if name in INHABITED:
        inhabited(cluster)
    for width in (60, 80, 400):
        terminal(width)
        shown = screen(run(*LOCAL[name]) if name in LOCAL else look(*LIVE[name]))
        words.append(set(shown.split()))
    narrow, usual, whole = words
    for kind, short in SHORT_KINDS.items():
        whole |= {short + each.removeprefix(kind) for each in whole if each.startswith(kind)}
    assert (narrow | usual) - whole == set()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.*.txt")), ids=lambda path: path.name)
def test_no_line_runs_over_the_edge(path: Path) -> None:
    """But for a word that is longer than the screen is wide."""
    width = int(path.suffixes[0][1:])
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > width and len(line.split()) > 1] == []


def test_a_line_is_whole_where_it_is_piped(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    [line] = [line for line in run(*LOCAL["review"]).out.splitlines() if "blue-cheap:" in line]
    assert line.startswith("refused: blue-cheap: ")
    assert line.endswith("[tenant_needs_isolation]")


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_are_left_out_where_nobody_wants_them(
    variable: str, value: str, run: Run, terminal: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    terminal(80)
    assert _STYLE.search(run("policy").out)
    monkeypatch.setenv(variable, value)
    assert not _STYLE.search(run("policy").out)


def test_a_line_that_no_terminal_shows_is_whole(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, run("reasons").out.splitlines())) > 60


class Terminal(StringIO):
    """What somebody reads as it comes."""

    def isatty(self) -> bool:
        return True


def test_what_takes_long_is_said_and_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", shown := Terminal())
    with progress("asking …") as step:
        step("half")
    assert shown.getvalue().split("\r\x1b[2K") == ["", "asking … ", "half ", ""]
