"""`gpu-sharing check`: is a policy file right, and if not, where; changes nothing."""

import argparse
import sys

from webhook.cli import loaders, manifests, output
from webhook.cli.manifests import InputError
from webhook.cli.verbs.policy import tables

RIGHT, WRONG = 0, 2


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "check",
        help="what is wrong with a policy file, with line and path",
        description="Read a policy as `serve` would. Exit code 0: right; 2: wrong or unreadable.",
    )
    parser.add_argument("policy", metavar="POLICY", help="a YAML file, or - for standard input")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Say what the policy means, or what is wrong with it."""
    try:
        policy = loaders.load_policy(args.policy)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the command's output
        return WRONG
    console = output.console()
    name = "standard input" if args.policy == manifests.STDIN else args.policy
    console.print(f"{name}: right. It means:\n")
    console.print(tables(policy))
    return RIGHT
