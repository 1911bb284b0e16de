"""The command `gpu-sharing pools move`."""

import argparse
from collections.abc import Iterator
from typing import Any, Final

import yaml

from webhook.cli import manifests
from webhook.cli.cluster import flags
from webhook.cli.cluster.flags import Commands, Verb
from webhook.cli.manifests import InputError
from webhook.cli.pool_data import load_catalog
from webhook.cli.verbs.pools.move import Clock, Move, MoveError, observe, run_move
from webhook.core.gpu.dialects.gfd.labels import MIG_CAPABLE, MIG_STATE
from webhook.core.pools import moving
from webhook.core.pools.catalog import find_model
from webhook.core.pools.hardware import physical_gpus
from webhook.core.pools.layouts import Layout
from webhook.core.pools.mig_parted_file import (
    DISABLED,
    as_counts,
    layouts_of,
    parse_mig_parted_file,
)
from webhook.core.pools.moving import MIG_CONFIG, PLUGIN_CONFIG, Goal, NodeProgress
from webhook.core.pools.plugin_file import ConfigError
from webhook.core.pools.settings import MIG, MPS, TIME_SLICING, WHOLE

KINDS: Final = (WHOLE, TIME_SLICING, MPS, MIG)
BALANCED: Final = "all-balanced"
MOVE: Final = Verb(
    "move",
    "Move a node to another pool, the safe way.",
    """\
Cordons the node, evicts the pods that hold its GPUs (as PodDisruptionBudgets allow), sets the two
labels, waits until labels and allocatable are what was asked, and uncordons it. Without --yes the
steps are only printed. What stands on the node says how far it is: an interrupted move goes on with
the same command, or back with --undo.

exit codes: 0 the node is in the pool (or the steps were printed), 1 a step failed or took too long,
2 the cluster could not be read or changed

examples:
  gpu-sharing pools move gpu-7 --to mig --mig-config all-1g.10gb          what would be done
  gpu-sharing pools move gpu-7 --to mig --mig-config all-1g.10gb --yes    do it
  gpu-sharing pools move gpu-7 --to all-1g.10gb --yes                     the same, shorter
  gpu-sharing pools move gpu-7 --to whole --yes                           leave MIG again
""",
)


def add_move(commands: Commands) -> None:
    """Add `pools move`."""
    parser = flags.add_verb(commands, MOVE, run)
    parser.add_argument("node", metavar="NODE")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--to", metavar="POOL",
                       help=f"{', '.join(KINDS)}, or a MIG layout such as all-1g.10gb")  # fmt: skip
    where.add_argument("--undo", action="store_true", help="back to the labels of before")
    parser.add_argument(
        "--mig-config", metavar="LAYOUT", help=f"for mig, such as all-1g.10gb (default {BALANCED})"
    )
    parser.add_argument(
        "--plugin-config", metavar="KEY", help="of the device plugin's ConfigMap; else the pool"
    )
    parser.add_argument(
        "--layouts", metavar="FILE", help="layouts of your own: Helm values, or mig-parted's file"
    )
    parser.add_argument("--yes", action="store_true", help="do it")
    parser.add_argument("--force", action="store_true", help="evict pods that nothing makes again")
    parser.add_argument("--timeout", type=float, default=1800.0, metavar="SECONDS",
                        help="for each step that waits (default %(default)g)")  # fmt: skip
    parser.add_argument("--poll", type=float, default=2.0, help=argparse.SUPPRESS)
    parser.set_defaults(clock=Clock())
    flags.add_cluster_flags(parser, of_nodes=True)


def run(args: argparse.Namespace) -> int:
    """Print the steps, or do them. See the exit codes above."""
    _check(args)
    with flags.open_cluster(args) as client:
        seen, _ = observe(client, args.node)
        goal = _goal(args, seen)
        if not args.yes:
            _say("\n".join(_steps(args.node, seen, goal)))
            return flags.FINE
        how = args.timeout, args.poll, args.force, args.clock
        move = Move(client, args.node, goal, _say, *how)
        try:
            run_move(move)
        except MoveError as error:
            _say(f"error: {error}")
            return flags.FOUND
        except KeyboardInterrupt:
            _say(f"interrupted: the same command goes on; back: --undo ({args.node})")
            raise
    return flags.FINE


def _check(args: argparse.Namespace) -> None:
    if args.undo:
        return
    if args.to not in KINDS and not args.to.startswith(("all-", "plan-")):
        raise InputError(f"--to {args.to}: write {', '.join(KINDS)} or a MIG layout (all-1g.10gb)")
    if args.to not in KINDS:
        args.to, args.mig_config = MIG, args.mig_config or args.to
    if args.to == MIG and args.mig_config == DISABLED:
        raise InputError(f"--to mig with {DISABLED}: write --to {WHOLE}")
    if args.to == MIG:
        args.mig_config = args.mig_config or BALANCED
    elif args.mig_config not in (None, DISABLED):
        raise InputError(f"--mig-config {args.mig_config} is for --to mig alone")


def _goal(args: argparse.Namespace, seen: NodeProgress) -> Goal:
    """The labels asked for: always both, and a pool without MIG leaves MIG mode."""
    if args.undo:
        if seen.mark is None:
            raise InputError(f"{args.node} is not on its way to another pool")
        mig = seen.mark.mig or (DISABLED if moving.has_mig_manager(seen.node) else None)
        before = seen.mark.plugin
        kind = before if before in KINDS else None
        return Goal(kind, before, mig, _layout(args, seen, mig or DISABLED))
    if args.to == MIG and not moving.has_mig_manager(seen.node):
        raise InputError(f"{args.node}: its GPUs have no MIG ({MIG_CAPABLE} is not true)")
    mig = args.mig_config or DISABLED
    return Goal(args.to, args.plugin_config or args.to, mig, _layout(args, seen, mig))


def _layout(args: argparse.Namespace, seen: NodeProgress, name: str) -> Layout | None:
    """What a layout makes of the node: of a file, else as mig-manager makes it."""
    catalog = load_catalog()
    if args.layouts is None:
        return moving.layout_of(seen.node, name, catalog)
    gpus = physical_gpus(seen.node, catalog)
    try:
        entries = parse_mig_parted_file(_mig_parted_text(args.layouts)).mig_configs.get(name)
        if entries is None or gpus is None:
            raise InputError(f"{args.layouts}: no layout {name}, or {args.node} has no GPU labels")
        model = find_model(catalog, gpus.product, gpus.memory)
        return as_counts(layouts_of(entries, model, gpus.count))
    except ConfigError as error:
        raise InputError(f"{args.layouts}: {error}") from None


def _mig_parted_text(path: str) -> str:
    """The file itself, or that within Helm values."""
    text = manifests.read_text(path)
    value: Any = yaml.safe_load(text)
    for key in ("migManager", "config", "data", "config.yaml"):
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else text


def _steps(name: str, seen: NodeProgress, goal: Goal) -> Iterator[str]:
    """The move as kubectl commands, for who wants to do it by hand."""
    yield f"# {name} to {PLUGIN_CONFIG}={goal.plugin} {MIG_CONFIG}={goal.mig}; --yes does this:"
    yield f"kubectl cordon {name}"
    yield f"kubectl drain {name} --ignore-daemonsets --delete-emptydir-data   # GPU pods only:"
    for each in seen.holders:
        yield f"#   evict {each}"
    failed = seen.label(MIG_STATE) == "failed" and seen.label(MIG_CONFIG) == goal.mig
    if failed:
        other = moving.other_config(goal)
        both = f"{MIG_STATE}- {MIG_CONFIG}={other}"
        yield f"kubectl label --overwrite node {name} {both}   # and wait"
    labels = ((PLUGIN_CONFIG, goal.plugin), (MIG_CONFIG, goal.mig))
    words = " ".join(f"{key}-" if value is None else f"{key}={value}" for key, value in labels)
    old = f"{MIG_STATE}- " if failed or seen.label(MIG_CONFIG) != goal.mig else ""
    yield f"kubectl label --overwrite node {name} {old}{words}"
    if moving.has_mig_manager(seen.node):
        path = r"{.metadata.labels.nvidia\.com/mig\.config\.state}"
        yield f"kubectl wait --for=jsonpath='{path}'=success node/{name} --timeout=30m"
    yield f"gpu-sharing pools   # until {name} offers what was asked, old names at 0"
    yield f"kubectl uncordon {name}"


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - each step is told when it begins
