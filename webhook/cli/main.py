"""The `gpu-sharing` command: its parser. Each subcommand is a package of its own."""

import argparse
import sys
from pathlib import Path

from webhook.cli.verbs import check, completion, policy, reasons, serve
from webhook.cli.verbs.audit import command as audit
from webhook.cli.verbs.explain import command as explain
from webhook.cli.verbs.logs import command as logs
from webhook.cli.verbs.pods import command as pods
from webhook.cli.verbs.review import command as review
from webhook.cli.verbs.status import command as status
from webhook.cli.verbs.why import command as why

_SCRIPT, _PLUGIN = "kubectl-gpu_sharing", "kubectl gpu-sharing"
"""As kubectl finds it, and as people call it; the command is the same."""
_COMMANDS = (
    review, audit, explain, why, pods, logs, status, reasons, policy, check, serve,
    completion,
)  # fmt: skip
EPILOG = """\
new here?
  1. kubectl get nodes -o json > nodes.json    your own cluster
     gpu-sharing review -f YOUR.yaml --inventory nodes.json
  2. gpu-sharing policy                        who gets what; `check` your own version of it
  3. gpu-sharing audit                         what if it were on in your cluster; reads only

`gpu-sharing COMMAND --help` has examples and exit codes.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    made = argparse.ArgumentParser(
        prog=_PLUGIN if Path(sys.argv[0]).name == _SCRIPT else "gpu-sharing",
        description="Safe and automatic GPU sharing on Kubernetes: an admission webhook.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = made.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(commands)
    made.set_defaults(whole=parser)
    return made


def main() -> int:
    """Run the command line. Returns the exit code."""
    args = parser().parse_args()
    try:
        code: int = args.run(args)
    except BrokenPipeError:  # `| head` has seen enough
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130
    return code


def complete() -> int:
    """Answer kubectl, which completes a word of the plugin: `kubectl_complete-gpu_sharing`."""
    print("\n".join(completion.for_kubectl(parser(), sys.argv[1:])))  # noqa: T201 - what it reads
    return 0


if __name__ == "__main__":
    sys.exit(main())
