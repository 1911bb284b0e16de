"""Shell completion: scripts for shells, and what kubectl asks for the plugin.

argparse has no public way to look at a parser; shtab and argcomplete read the same attributes.
"""

import argparse
from collections.abc import Iterator, Sequence
from typing import Final

import shtab

from webhook.cli.cluster import flags
from webhook.cli.cluster.flags import Commands, Verb

FISH: Final = "fish"
SHELLS: Final = ("bash", "zsh", FISH, "tcsh")
# What kubectl's own completion does next (cobra's ShellCompDirective), as its last line.
_FILES, _NO_FILES = ":0", ":4"
VERB: Final = Verb(
    "completion",
    "Print a completion script.",
    """\
exit code: 0

examples:
  source <(gpu-sharing completion bash)        now; put it into ~/.bashrc to keep it
  gpu-sharing completion zsh > ~/.zfunc/_gpu-sharing
  gpu-sharing completion fish > ~/.config/fish/completions/gpu-sharing.fish

`kubectl gpu-sharing <TAB>` needs none of this: kubectl 1.26 and newer asks the program
kubectl_complete-gpu_sharing, which is installed with this command.
""",
)


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    flags.add_verb(commands, VERB, run).add_argument("shell", choices=SHELLS)


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    whole = args.whole()
    text = "\n".join(for_fish(whole)) if args.shell == FISH else shtab.complete(whole, args.shell)
    print(text)  # noqa: T201 - the command's output
    return 0


def for_fish(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the lines of a script for fish, which shtab does not write."""
    begin = f"complete -c {parser.prog}"
    yield f"{begin} -f"
    for name, below in _subparsers(parser).items():
        text = next(iter((below.description or name).splitlines()))
        yield f"{begin} -n __fish_use_subcommand -a {name} -d {_quoted(text)}"
        for action in below._actions:
            names = (f"-l {each[2:]}" for each in action.option_strings if each.startswith("--"))
            value = "" if action.nargs == 0 else _value_of(action)
            for each in names:
                seen = f"-n '__fish_seen_subcommand_from {name}' {each}{value}"
                yield f"{begin} {seen} -d {_quoted(_help_of(action))}"


def _value_of(action: argparse.Action) -> str:
    """What fish offers for the value of a flag: its words, else files."""
    words = " ".join(map(str, action.choices or ()))
    return f" -x -a {_quoted(words)}" if words else " -r -F"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def for_kubectl(parser: argparse.ArgumentParser, words: Sequence[str]) -> Iterator[str]:
    """Yield what kubectl reads: `word<TAB>description` lines, then a directive.

    `words` are those after `kubectl gpu-sharing`; the last is the one being written, maybe empty.
    Source: kubectl pkg/cmd/plugin/plugin_completion.go.
    """
    *before, begun = words or [""]
    here, awaited, given = _walk(parser, before)
    if awaited is not None:
        yield from _starting(begun, dict.fromkeys(map(str, awaited.choices or ()), ""))
        yield _NO_FILES if awaited.choices or awaited.metavar == "NAME" else _FILES
        return
    if begun.startswith("-"):
        yield from _starting(begun, _flags(here))
        yield _NO_FILES
        return
    places = [a for a in here._actions if not a.option_strings]
    place = places[given] if given < len(places) else None
    yield from _starting(begun, _values(place))
    yield _NO_FILES


def _walk(
    parser: argparse.ArgumentParser, words: Sequence[str]
) -> tuple[argparse.ArgumentParser, argparse.Action | None, int]:
    """The subparser of the words, the flag that waits for its value, other words."""
    here, awaited, given = parser, None, 0
    for word in words:
        if awaited is not None:
            awaited = None
        elif word.startswith("-"):
            action = here._option_string_actions.get(word)
            awaited = action if action is not None and action.nargs != 0 else None
        else:
            below = _subparsers(here).get(word)
            here, given = (below, 0) if below else (here, given + 1)
    return here, awaited, given


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _values(place: argparse.Action | None) -> dict[str, str]:
    if place is None:
        return {}
    if isinstance(place, argparse._SubParsersAction):
        return {each.dest: each.help or "" for each in place._choices_actions}
    return dict.fromkeys(map(str, place.choices or ()), "")


def _flags(parser: argparse.ArgumentParser) -> dict[str, str]:
    return {
        flag: _help_of(action)
        for action in parser._actions
        for flag in action.option_strings
        if flag.startswith("--")
    }


def _help_of(action: argparse.Action) -> str:
    choices = ", ".join(map(str, action.choices or ()))
    return (action.help or "") % {"default": action.default, "choices": choices}


def _starting(begun: str, values: dict[str, str]) -> Iterator[str]:
    for value, text in values.items():
        if value.startswith(begun):
            yield f"{value}\t{text}" if text else value
