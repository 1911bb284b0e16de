"""Stand-ins for mig-manager, GPU Feature Discovery and device plugin, as the facts say they behave.

mig-manager reacts to a change of `nvidia.com/mig.config` alone: never again to a value that failed.
It asserts the name (else failed), says success at once where nothing is to be done, and otherwise
pending; then GFD is down (its labels are stale) and allocatable `nvidia.com/*` is 0. After success
labels and amounts come later, and the kubelet keeps old names at 0.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from webhook.cli.pool_data import load_catalog
from webhook.core.api import node as nodes
from webhook.core.pools.catalog import find_model
from webhook.core.pools.demand import Replicas
from webhook.core.pools.layouts import all_layouts, holds
from webhook.core.pools.plugin_file import parse_plugin_file, sharing_of
from webhook.core.pools.settings import plugin_files
from webhook.core.pools.simulated import simulate_node

CONFIG, STATE = "nvidia.com/mig.config", "nvidia.com/mig.config.state"
PLUGIN = "nvidia.com/device-plugin.config"
Json = dict[str, Any]


@dataclass
class Agents:
    """What runs on one node. `look` is called again and again with the node as it is.

    `late` is how many turns labels and amounts come behind mig-manager's success.
    """

    product: str
    gpus: int
    fail: Callable[[str], bool] = lambda _: False
    applied: str = "all-disabled"
    seen: str = "all-disabled"
    task: str = ""
    delay: int = 0
    late: int = 1
    states: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.model = find_model(load_catalog(), self.product)

    def fresh(self, plugin: str = "whole") -> Json:
        """The node as it is when all agents have had their time."""
        made = simulate_node(self.model, self._sharing(plugin), self._layouts())
        return {"labels": dict(nodes.labels(made)), "amounts": dict(nodes.allocatable(made))}

    def look(self, node: Json) -> None:
        """One turn: mig-manager, then GFD and the plugin."""
        labels = node["metadata"]["labels"]
        wanted = labels.get(CONFIG, "all-disabled")
        if self.task:
            self._go_on(node)
        elif wanted != self.seen:
            self._begin(node, wanted)
        elif self.delay:
            self.delay -= 1
        else:
            self._publish(node)

    def _begin(self, node: Json, wanted: str) -> None:
        self.seen = wanted
        if self._layout(wanted) is None and wanted != "all-disabled":
            self._say(node, "failed")
        elif wanted == self.applied:
            self._say(node, "success")
        else:
            self._say(node, "pending")
            self.task, self.delay = wanted, 1
            amounts = node["status"]["allocatable"]
            amounts.update({key: "0" for key in amounts if key.startswith("nvidia.com/")})

    def _go_on(self, node: Json) -> None:
        if self.delay:
            self.delay -= 1
            return
        if self.fail(self.task):
            self._say(node, "failed")
        else:
            self.applied, self.delay = self.task, self.late
            self._say(node, "success")
        self.task = ""

    def _say(self, node: Json, state: str) -> None:
        node["metadata"]["labels"][STATE] = state
        self.states.append(state)

    def _publish(self, node: Json) -> None:
        """The truth of labels and amounts. Old names stay, at 0."""
        labels, amounts = node["metadata"]["labels"], node["status"]["allocatable"]
        now = self.fresh(labels.get(PLUGIN, "whole"))
        kept = (PLUGIN, CONFIG, STATE)
        for key in [k for k in labels if k.startswith("nvidia.com/") and k not in kept]:
            del labels[key]
        labels.update(now["labels"])
        amounts.update({key: "0" for key in amounts if key.startswith("nvidia.com/")})
        amounts.update({key: str(value) for key, value in now["amounts"].items()})

    def _layouts(self) -> list[dict[str, int] | None]:
        return [self._layout(self.applied)] * self.gpus

    def _layout(self, name: str) -> dict[str, int] | None:
        """The layout of a name, as mig-manager makes them from the hardware."""
        if name == "all-balanced":
            return dict(self.model.balanced)
        profile = name.removeprefix("all-")
        found = [each for each in all_layouts(self.model) if holds(each, {profile: 1})]
        return {profile: max(each[profile] for each in found)} if found else None

    def _sharing(self, plugin: str) -> Any:
        file = plugin_files(Replicas()).get(plugin) or plugin_files(Replicas())["whole"]
        return sharing_of(parse_plugin_file(msgspec.json.encode(file).decode()))


def total(amounts: Json) -> Counter[str]:
    """GPU resources above zero."""
    return Counter({k: int(v) for k, v in amounts.items() if "nvidia" in k and int(v)})
