"""The `gpu-sharing` command: its parser. Each subcommand is a package of its own."""

import argparse
import gc
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from webhook.cli.help_page import HelpPage
from webhook.cli.verbs import SUMMARIES
from webhook.process.version import version

_SCRIPT, _PLUGIN = "kubectl-gpu_sharing", "kubectl gpu-sharing"
"""As kubectl finds it, and as people call it; the command is the same."""
SERVE = "serve"
NO_SERVER = "error: the server is not installed: pip install 'gpu-sharing[serve]'"
HELP, VERSION = "help", "--version"
EPILOG = """\
how a GPU is given:
  exclusive     a whole GPU for one container; isolated
  mig           a hardware slice of a GPU, with memory
                of its own; isolated
  mps           a share of a GPU under NVIDIA MPS;
                memory is limited, not isolated
  time-slicing  turns on a GPU with other pods; nothing
                is limited or isolated

new here? try it on your own cluster, which is only read:
  kubectl get nodes -o json > nodes.json
  gpu-sharing review -f YOUR.yaml --inventory nodes.json
  gpu-sharing policy    who gets what
  gpu-sharing audit     what if it were on

`gpu-sharing COMMAND --help` has examples and exit codes.
"""


class CommandParser(argparse.ArgumentParser):
    """A parser whose errors are short, and name a wrong flag first."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse, and refuse what is not known here, not in the command above."""
        flags = [each.partition("=")[0] for each in args or () if each.startswith("--")]
        known = self._option_string_actions
        wrong = [each for each in flags if not any(flag.startswith(each) for flag in known)]
        if self._subparsers is None and wrong:
            near = get_close_matches(wrong[0], known, n=1)
            self.error(f"unknown flag {wrong[0]}" + (f"; did you mean {near[0]}?" if near else ""))
        found, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error(f"unknown: {' '.join(rest)}")
        return found, rest

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and where the usage is told."""
        self.exit(2, f"error: {message}\nSee '{self.prog} --help' for usage.\n")


def parser(*verbs: str) -> argparse.ArgumentParser:
    """Return the parser of the command line, which knows the flags of these verbs only.

    A verb that is not used is not imported: most of them take longer than a help page.
    """
    made = CommandParser(
        prog=_PLUGIN if Path(sys.argv[0]).name == _SCRIPT else "gpu-sharing",
        description="Safe, automatic GPU sharing on Kubernetes, by admission.",
        epilog=EPILOG,
        formatter_class=HelpPage,
    )
    made.add_argument(VERSION, action="version", version="%(prog)s " + version())
    commands = made.add_subparsers(title="commands", metavar="COMMAND")
    for name, summary in SUMMARIES.items():
        if name in verbs:
            _module(name).add_parser(commands)
        else:
            commands.add_parser(name, help=summary)
    made.set_defaults(whole=whole_parser)
    return made


def whole_parser() -> argparse.ArgumentParser:
    """Return the parser with the flags of every verb that can be used here."""
    return parser(*(name for name in SUMMARIES if name != SERVE or has_server()))


def has_server() -> bool:
    """Whether the packages of the extra `serve` are installed."""
    return find_spec("gunicorn") is not None


def _module(verb: str) -> ModuleType:
    module = import_module(f"webhook.cli.verbs.{verb}")
    return import_module(f"{module.__name__}.command") if hasattr(module, "__path__") else module


def main(now: datetime | None = None) -> int:
    """Run the command line, with ages as of a moment. Returns the exit code."""
    arguments = sys.argv[1:]
    if arguments[:1] == [HELP]:  # `help VERB` is `VERB --help`
        arguments = [*arguments[1:2], "--help"]
    if not arguments:
        parser().print_help()
        return 0
    words = [each for each in arguments if not each.startswith("-")]
    named = [each for each in words[:1] if each in SUMMARIES]
    if words[:1] == arguments[:1] and not named:
        return _unknown(words[0])
    if named == [SERVE] and not has_server():
        print(NO_SERVER, file=sys.stderr)  # noqa: T201 - the command's output
        return 2
    args = _parsed(named, arguments)
    args.now = now or datetime.now(UTC)
    try:
        code: int = args.run(args)
    except BrokenPipeError:  # `| head` has seen enough
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130
    return code


def _parsed(named: list[str], arguments: list[str]) -> argparse.Namespace:
    gc.disable()  # a tenth of a start went into looking for garbage among modules
    args = parser(*named).parse_args(arguments)
    gc.freeze()
    gc.enable()
    return args


def _unknown(word: str) -> int:
    near = get_close_matches(word, SUMMARIES, n=1)
    mend = f"did you mean {near[0]}?" if near else f"there are {', '.join(SUMMARIES)}"
    print(f"error: there is no command {word[:63]!r}; {mend}", file=sys.stderr)  # noqa: T201
    return 2


def complete() -> int:
    """Answer kubectl, which completes a word of the plugin: `kubectl_complete-gpu_sharing`."""
    lines = _module("completion").for_kubectl(whole_parser(), sys.argv[1:])
    print("\n".join(lines))  # noqa: T201 - what kubectl reads
    return 0


if __name__ == "__main__":
    sys.exit(main())
