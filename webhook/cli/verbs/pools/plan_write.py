"""The configuration of a plan: Helm values of the GPU Operator, and nodes' labels."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from webhook.cli.manifests import InputError
from webhook.cli.verbs.pools.plan_collect import Planned
from webhook.core.api.quantity import counted
from webhook.core.pools.plan import PlannedGpu
from webhook.core.pools.plugin_file import ConfigError
from webhook.core.pools.settings import NodeSetting, operator_values, read_back, wanted_offers
from webhook.core.pools.values_text import values_text

_HEAD: Final = """\
# Written by `gpu-sharing pools plan`: Helm values of the GPU Operator (nvidia/gpu-operator).
# helm upgrade --install gpu-operator nvidia/gpu-operator -n gpu-operator -f values.yaml
"""
_MOVES: Final = """\
#!/bin/sh
# Written by `gpu-sharing pools plan`: each node to its pool, one after the other.
set -eu
"""


def write_plan(found: Planned, folder: str) -> tuple[str, ...]:
    """Write values.yaml and moves.sh, read them back, and return what was done in words.

    Raises:
        InputError: the folder cannot be written, or what was read back is not the plan.
    """
    by_node: dict[str, list[PlannedGpu]] = defaultdict(list)
    for gpu in found.plan.gpus:
        by_node[gpu.node].append(gpu)
    settings = found.settings
    values = operator_values(settings, found.stock.replicas)
    top = Path(folder)
    try:
        top.mkdir(parents=True, exist_ok=True)
        (top / "values.yaml").write_text(_HEAD + values_text(values), encoding="utf-8")
        (top / "moves.sh").write_text(_MOVES + "".join(_moves(found)), encoding="utf-8")
        again = yaml.safe_load((top / "values.yaml").read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or error}") from None
    for each in settings:
        _compare(each, again, found, by_node[each.node])
    return (
        f"wrote {top / 'values.yaml'} and {top / 'moves.sh'}; read back: "
        f"{counted(len(settings), 'node')} as planned",
    )


def _compare(
    setting: NodeSetting, values: dict[str, Any], found: Planned, gpus: list[PlannedGpu]
) -> None:
    model = next(h.model for h in found.stock.hosts if setting.node in h.nodes)
    wanted = wanted_offers(gpus, found.stock.replicas)
    try:
        read = read_back(values, setting, model)
    except ConfigError as error:
        raise InputError(f"what was written is wrong: {error}") from None
    if read != wanted:
        raise InputError(f"{setting.node}: written for {dict(wanted)}, reads as {dict(read)}")


def _moves(found: Planned) -> Iterator[str]:
    """The moves that are needed: of nodes that exist, those that are not there yet."""
    moved = [each.setting for each in found.changes]
    for each in moved if found.busy is not None or moved else found.settings:
        layout = "" if each.mig_config == "all-disabled" else f" --mig-config {each.mig_config}"
        yield f"gpu-sharing pools move {each.node} --to {each.pool}{layout} --yes\n"
