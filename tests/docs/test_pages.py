"""Links lead somewhere, and the commands that pages show can be typed."""

import re
import shlex
from pathlib import Path

import pytest
from pages import PAGES, ROOT, anchors, commands, links, shell_lines

from webhook.cli import main
from webhook.cli.verbs import SUMMARIES

OURS = ("gpu-sharing", ".venv/bin/gpu-sharing")
PLUGIN = ["kubectl", "gpu-sharing"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_pages_and_headings_that_exist(page: Path) -> None:
    for link in links(page):
        target, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), f"{link}: no such file"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{link}: no such heading"


def ours(text: str) -> list[str] | None:
    """The words after the program's name, None where the line is another program's."""
    if not re.match(r"(kubectl |\.venv/bin/)?gpu-sharing [^…]", text):
        return None
    words = shlex.split(re.split(r"\s[|>&;]|\s#|\|\|", text, maxsplit=1)[0])
    if words[:2] == PLUGIN:
        return words[2:]
    return words[1:] if words[:1] and words[0] in OURS else None


OUR_COMMANDS = [(each, words) for each in commands() if (words := ours(each.text))]


@pytest.mark.parametrize(
    ("command", "words"), OUR_COMMANDS, ids=[f"{c.page}:{c.line} {c.text}" for c, _ in OUR_COMMANDS]
)
def test_our_commands_are_taken_by_the_parser(command, words, capsys) -> None:
    if len(words) == 1:  # a verb that is spoken of
        assert words[0] in SUMMARIES, f"{command.page}:{command.line}: no verb {words[0]}"
        return
    code = 0
    try:
        main.whole_parser().parse_args(words)
    except SystemExit as stop:
        code = stop.code
    assert code == 0, f"{command.page}:{command.line}: {capsys.readouterr().err}"


# What no test of this folder reads, and why that is well.
RUN_ELSEWHERE = {
    "kubectl": "the end-to-end tests do the same on a real cluster",
    "helm": "test_95_helm.py installs, upgrades and uninstalls; NVIDIA's chart is not reached here",
    "pipx": "the image installs the same package; test_plugin_size.py reads what it brings",
    ".ci/run": "it is what runs these tests",
    "source": "test_completion.py has bash read the same text",
    ".venv/bin/python": "test_by_hand.py writes certificates and serves with them",
    "curl": "test_by_hand.py asks over TLS too",
    "mkdir": "of a control plane node, which no test is on",
    "openssl": "the same",
    "for": "break glass: test_40_outages.py sets the same annotation",
    "name": "the same",
    "done": "the same",
}


def test_every_line_of_a_shell_block_is_read_by_a_test_or_stands_in_the_table() -> None:
    lines = [each.text for each in shell_lines() if each.text and not each.text.startswith("#")]
    programs = {re.match(r"(?:[A-Z0-9_]+=\S+ )?([^\s=]+)", line)[1] for line in lines}
    assert programs - {"make", *OURS} == RUN_ELSEWHERE.keys()


def test_targets_of_make_exist() -> None:
    known = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        word
        for each in commands()
        if (found := re.match(r"make ([a-z0-9-]+)", each.text))
        for word in (found[1],)
    }
    assert named - known == set()
    assert len(named) > 3
