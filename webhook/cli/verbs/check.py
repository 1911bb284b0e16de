"""`gpu-sharing check`: whether a policy file is right, and if not, where."""

import argparse
from typing import Final

from webhook.cli import loaders, manifests, output, policy_texts
from webhook.cli.cluster import flags
from webhook.cli.cluster.flags import Commands, Verb

VERB: Final = Verb(
    "check",
    "Read a policy as `serve` would. Exit code 0: right; 2: wrong or unreadable.",
)


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = flags.add_verb(commands, VERB, run)
    parser.add_argument("policy", metavar="POLICY", help="a YAML file, or - for standard input")


def run(args: argparse.Namespace) -> int:
    """Print what the policy means, or what is wrong with it."""
    policy = loaders.load_policy(args.policy)
    console = output.create_console()
    name = "standard input" if args.policy == manifests.STDIN else args.policy
    console.print(f"{name}: right. It means:\n")
    console.print(policy_texts.policy_tables(policy))
    return flags.FINE
