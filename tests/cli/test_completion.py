"""Completion: scripts that shells accept, and the words that kubectl is given."""

import subprocess

import pytest
from command_line import Run

from webhook.cli import main
from webhook.cli.verbs import completion


def offered(*words: str) -> tuple[list[str], str]:
    """The words offered, without their descriptions, and the directive."""
    *lines, directive = completion.for_kubectl(main.whole_parser(), words)
    return [line.partition("\t")[0] for line in lines], directive


def test_the_script_for_bash_is_one_that_bash_reads(run: Run) -> None:
    done = run("completion", "bash")
    assert (done.code, done.err) == (0, "")
    subprocess.run(["bash", "-n"], input=done.out, text=True, check=True)
    assert "review" in done.out


def test_the_script_for_fish_has_every_command_and_flag(run: Run) -> None:
    lines = run("completion", "fish").out.splitlines()
    assert all(line.startswith("complete -c gpu-sharing ") for line in lines)
    assert any("-a review -d '" in line for line in lines)
    assert any("from review' -l output -x -a 'table wide json yaml diff'" in line for line in lines)
    assert all(line.count("'") % 2 == line.count("\\'") % 2 for line in lines)


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_there_is_one_for_other_shells(run: Run, shell: str) -> None:
    assert "gpu-sharing" in run("completion", shell).out


def test_an_unknown_shell_is_refused_with_those_that_are_known(run: Run) -> None:
    done = run("completion", "elvish")
    assert done.code == 2
    assert "bash" in done.err


@pytest.mark.parametrize(
    ("words", "some", "directive"),
    [
        ([], {"audit", "review", "policy"}, ":4"),
        (["aud"], {"audit"}, ":4"),
        (["audit", "--nam"], {"--namespace"}, ":4"),
        (["audit", "-o", ""], {"table", "wide", "json", "yaml"}, ":4"),
        (["audit", "-o", "y"], {"yaml"}, ":4"),
        (["audit", "--policy", ""], set(), ":0"),  # a file: the shell knows
        (["audit", "--namespace", ""], set(), ":4"),
        (["completion", "z"], {"zsh"}, ":4"),
        (["nonsense", ""], set(), ":4"),
        (["audit", "-o", "json", "--names"], {"--namespace"}, ":4"),
    ],
)
def test_what_kubectl_is_offered(words: list[str], some: set[str], directive: str) -> None:
    found, last = offered(*words)
    assert (some <= set(found), last) == (True, directive)
    if words and words[-1]:
        assert all(each.startswith(words[-1]) for each in found)


def test_what_is_offered_says_what_it_is() -> None:
    lines = list(completion.for_kubectl(main.whole_parser(), ["audit", "--out"]))
    assert lines == ["--output\ttable, wide, json, yaml, plan, html; default table", ":4"]
