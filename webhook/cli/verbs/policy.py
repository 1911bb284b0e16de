"""`gpu-sharing policy`: the matrix as a table, a whole policy as YAML, and the JSON Schema."""

import argparse
from typing import Final

from webhook.cli import loaders, output, policy_texts
from webhook.cli.cluster import flags
from webhook.cli.cluster.flags import Commands, Verb
from webhook.core.policy import load

VERB: Final = Verb(
    "policy",
    "Show a policy, the built-in one if no file is named.",
    """\
exit codes: 0 shown, 2 the file cannot be read or is wrong

examples:
  gpu-sharing policy                        who gets what, where nobody changed it
  gpu-sharing policy --yaml > policy.yaml   a file to start from; then `gpu-sharing check`
""",
)


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = flags.add_verb(commands, VERB, run)
    parser.add_argument("policy", nargs="?", metavar="POLICY", help="a policy file")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--yaml",
        action="store_true",
        help="POLICY with all that it leaves out; without one the built-in policy, to start from",
    )
    how.add_argument("--schema", action="store_true", help="JSON Schema of policy files")


def run(args: argparse.Namespace) -> int:
    """Print what was asked for."""
    if args.schema:
        print(output.structured(load.policy_schema(), output.JSON))  # noqa: T201 - the output
    elif args.yaml:
        print(_yaml(args.policy))  # noqa: T201 - the output
    else:
        policy = loaders.load_policy(args.policy)
        output.put(policy_texts.policy_tables(policy))
    return flags.FINE


def _yaml(path: str | None) -> str:
    if path is None:
        return loaders.default_policy_text().rstrip("\n")
    return output.structured(loaders.whole_policy(path), output.YAML)
