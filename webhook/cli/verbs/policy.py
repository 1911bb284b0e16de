"""`gpu-sharing policy`: the matrix as a table, the built-in YAML, the JSON Schema; reads only."""

import argparse
import sys

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from webhook.cli import loaders, output
from webhook.cli.manifests import InputError
from webhook.core.policy import load
from webhook.core.policy.values import Otherwise, Policy, Row, RowName, SeveralGpus

_ROWS = {
    RowName.TRAINING: "training",
    RowName.INFERENCE: "inference",
    RowName.DEV: "dev",
    RowName.TENANT: "any pod of a tenant",
    RowName.TENANT_TRAINING: "a tenant's training",
    RowName.UNCLASSIFIED: "nothing says what for",
}
_OTHERWISE = {Otherwise.EXCLUSIVE: "a whole GPU, with a warning", Otherwise.DENY: "refused"}
_SEVERAL = {
    SeveralGpus.EXCLUSIVE: "that many whole GPUs",
    SeveralGpus.DENY: "refused",
    SeveralGpus.SHARE: "that many shares",
}


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "policy",
        help="who gets what: the matrix as a table, as YAML, or the schema for editors",
        description="Show a policy, the built-in one if no file is named.",
    )
    parser.add_argument("policy", nargs="?", metavar="POLICY", help="a policy file")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--yaml", action="store_true", help="the built-in policy with its comments, to start from"
    )
    how.add_argument("--schema", action="store_true", help="JSON Schema of policy files")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what was asked for."""
    if args.schema:
        body = msgspec.json.format(msgspec.json.encode(load.policy_schema()), indent=2)
        print(body.decode())  # noqa: T201 - the command's output
        return 0
    if args.yaml:
        print(loaders.default_policy_text(), end="")  # noqa: T201 - the command's output
        return 0
    try:
        output.console().print(tables(loaders.load_policy(args.policy)))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the command's output
        return 2
    return 0


def tables(policy: Policy) -> RenderableType:
    """The matrix and the guards as a person reads them."""
    return Group(_matrix(policy), Text(), _guards(policy))


def _guards(policy: Policy) -> RenderableType:
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("A WAY AROUND THE DEVICE PLUGIN", "TENANTS", "OTHERS"):
        made.add_column(column)
    for reason, treatments in policy.guards.items():
        made.add_row(reason.code, treatments.tenants.value, treatments.others.value)
    return made


def _matrix(policy: Policy) -> RenderableType:
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("WORKLOAD", "GETS, IN ORDER", "IF NONE IS OFFERED", "SEVERAL GPUS"):
        made.add_column(column)
    for name, row in policy.matrix.items():
        gets, otherwise = _choices(row), _OTHERWISE[row.otherwise]
        made.add_row(_ROWS[name], gets, otherwise, _SEVERAL[row.several_gpus])
    return made


def sentence(name: RowName, row: Row) -> str:
    """One row as a person reads it in a line."""
    otherwise, several = _OTHERWISE[row.otherwise], _SEVERAL[row.several_gpus]
    return f"{_ROWS[name]}: {_choices(row)}; none offered: {otherwise}; several GPUs: {several}"


def _choices(row: Row) -> str:
    parts = (c.strategy.value + (f" on {', '.join(c.on)}" if c.on else "") for c in row.choices)
    memory = f" (at least {row.memory} MiB)" if row.memory else ""
    return ", then ".join(parts) + memory
