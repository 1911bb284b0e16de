"""A cluster by hand: `python -m tests.e2e.cluster up|down|status|env|build`."""

import argparse
import sys
from pathlib import Path

from tests.e2e.cluster import lifecycle, machine, programs, state
from tests.e2e.cluster.build import builder
from tests.e2e.cluster.errors import ClusterError, NotReadyError
from tests.e2e.cluster.settings import from_environment


def up(_: argparse.Namespace) -> None:
    """Start a cluster that stays until `down`."""
    with lifecycle.staying() as made:
        directory = made.site.sandbox.state
    _print(f'{directory}\nto use it: eval "$(python -m tests.e2e.cluster env)"')


def down(choice: argparse.Namespace) -> None:
    """Remove the cluster that `up` started; with --all every cluster of this machine."""
    for directory in state.all_states() if choice.all else _detached():
        _print(f"removing {directory.name}")
        lifecycle.stop(directory)
    lifecycle.clean_leftovers()


def status(_: argparse.Namespace) -> None:
    """List the clusters of this machine."""
    for directory in state.running_states():
        facts = state.facts(directory)
        _print(f"{directory}  {facts or 'starting'}")
    for directory in state.leftovers():
        _print(f"{directory}  left over: down removes it")


def env(_: argparse.Namespace) -> None:
    """Print the shell settings with which kubectl reaches the cluster."""
    found = _detached()
    if not found:
        raise NotReadyError("no cluster is up")
    _print(f'export PATH={found[-1]}/bin:"$PATH" KUBECONFIG={state.facts(found[-1])["kubeconfig"]}')


def build(_: argparse.Namespace) -> None:
    """Build every program a cluster here can use, and print where they are."""
    options = from_environment()
    alone = machine.reason_without_node(options.node)
    wanted = programs.CONTROL_PLANE if alone else programs.CONTROL_PLANE + programs.NODE
    made = builder(options.kubernetes)
    for name, path in made.paths((*wanted, "helm")).items():
        _print(f"{name}\t{path}")
    _print(f"kwok stages\t{made.stages()}")


def _detached() -> list[Path]:
    return [path for path in state.running_states() if state.facts(path).get("detached")]


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.cluster", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for command in (up, down, status, env, build):
        sub = commands.add_parser(command.__name__, help=command.__doc__)
        sub.set_defaults(command=command)
        if command is down:
            sub.add_argument("--all", action="store_true", help="also those of running tests")
    choice = parser.parse_args()
    try:
        choice.command(choice)
    except ClusterError as error:
        sys.exit(f"cluster: {error}")


if __name__ == "__main__":
    main()
