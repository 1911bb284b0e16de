"""`gpu-sharing check`: whether a policy file is right, and if not, where."""

import argparse
from typing import Final

from webhook.cli import loaders, manifests, output, policy_texts
from webhook.cli.cluster import flags
from webhook.cli.cluster.flags import Commands, Verb
from webhook.core.policy import mistakes

VERB: Final = Verb(
    "check",
    "Read a policy as `serve` would.",
    "exit codes: 0 right, 1 right in form, but something in it will not be as it is meant, "
    "2 wrong or unreadable\n",
)

_WITHOUT_THE_WEBHOOK: Final = """
While no replica of the webhook answers, the API server itself holds the guards, exemptUsers and
wellKnownLabels of the chart's `policy`: change them by `helm upgrade`. It does not hold the
matrix: a pod that somebody pinned by hand gets any strategy, a tenant's any that isolates."""


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = flags.add_verb(commands, VERB, run)
    parser.add_argument("policy", metavar="POLICY", help="a YAML file, or - for standard input")
    parser.add_argument(
        "--inventory", metavar="FILE", help="also say what matches no GPU of these nodes"
    )


def run(args: argparse.Namespace) -> int:
    """Print what the policy means, or what is wrong with it."""
    policy = loaders.load_policy(args.policy)
    doubts = list(mistakes.doubtful(policy))
    if args.inventory is not None:
        cluster = loaders.load_cluster(args.inventory)
        doubts += mistakes.unmatched(policy, loaders.inventory_of(cluster, policy))
    name = "standard input" if args.policy == manifests.STDIN else args.policy
    output.put(
        f"{name}: {'right in form, but:' if doubts else 'right. It means:'}",
        *(output.item(each) for each in doubts),
        "",
        policy_texts.policy_tables(policy),
        _WITHOUT_THE_WEBHOOK,
    )
    return flags.FOUND if doubts else flags.FINE
