"""Which groups of nodes a pod can reach, without a look at each node."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from webhook.core.api import names
from webhook.core.api.pod import NodeSelectorTerm, Pod, Requirement, required_terms
from webhook.core.gpu.placement import is_gpu_taint, selects_node, tolerates
from webhook.core.gpu.values import NodeGroup, NodeLabels

MOST_KEYS: Final = 16
"""Labels by which the nodes of a group are told apart: pods ask for few."""
MOST_KEPT: Final = 64
"""Sets of labels of which the distinct nodes are kept with a group: anybody may ask for any."""

MOST_INDEXED: Final = 8
"""Labels by whose values the nodes of a group are found: few differ on each node."""
MOST_ASKED: Final = 4
"""Requirements of which that is used which the fewest nodes meet."""
FEW: Final = 16
"""Distinct nodes that are rather looked at than found by a value."""

NODE_NAME: Final = "field metadata.name"
"""The key of a node's name among those of labels: none of these has a blank."""

AskedValues = tuple[Requirement, ...]
"""What is required of labels, or of the name, by listing values."""

_ENCODER: Final = msgspec.json.Encoder()


def label_keys(pod: Pod) -> frozenset[str] | None:
    """Return the labels by which a pod selects nodes, None for names or many."""
    terms = required_terms(pod) or ()
    if any(term.match_fields for term in terms):
        return None
    asked = (each.key for term in terms for each in term.match_expressions or ())
    found = frozenset((*(pod.spec.node_selector or ()), *asked))
    return found if len(found) <= MOST_KEYS else None


def distinct_nodes(group: NodeGroup, keys: frozenset[str] | None) -> tuple[NodeLabels, ...]:
    """Return a node for each way in which a group's nodes differ in labels.

    Pods of one controller ask for the same labels, so what is found is kept with the group.
    """
    if keys is None:
        return group.nodes
    found = group.distinct.get(keys)
    if found is None:
        ways: dict[Hashable, NodeLabels] = {}
        for node in group.nodes:
            ways.setdefault(way_of(node, keys), node)
        if len(group.distinct) >= MOST_KEPT:
            group.distinct.clear()
        found = group.distinct[keys] = tuple(ways.values())
    return found


def way_of(node: NodeLabels, keys: frozenset[str] | None) -> Hashable:
    """Return what a node has of some labels, its name where there are none."""
    return node.name if keys is None else tuple(map(node.labels.get, keys))


def asked_values(pod: Pod) -> list[AskedValues] | None:
    """Return what each term asks a node to have, None if anything or many things."""
    selected = (pod.spec.node_selector or {}).items()
    selector = [Requirement(key=key, operator="In", values=(value,)) for key, value in selected]
    terms = required_terms(pod)
    ways = [selector] if terms is None else [(*selector, *_listed(each)) for each in terms]
    asked = [tuple(sorted(way, key=_by_use)[:MOST_ASKED]) for way in ways]
    few = len({each.key for way in asked for each in way}) <= MOST_INDEXED
    return asked if few and all(asked) else None


def _by_use(asked: Requirement) -> bool:
    return asked.key not in (names.HOSTNAME, NODE_NAME)  # which tell most


def _listed(term: NodeSelectorTerm) -> Iterator[Requirement]:
    fields = [replace(each, key=NODE_NAME) for each in term.match_fields or ()]
    for each in (*(term.match_expressions or ()), *fields):
        if each.operator == "In":
            yield each


def nodes_with(group: NodeGroup, key: str) -> Mapping[str, list[NodeLabels]]:
    """Return a group's nodes by a label or by name, kept with it."""
    found = group.by_label.get(key)
    if found is None:
        found = defaultdict(list)
        for node in group.nodes:
            value = node.name if key == NODE_NAME else node.labels.get(key)
            if value is not None:
                found[value].append(node)
        if len(group.by_label) >= MOST_INDEXED:
            group.by_label.clear()
        group.by_label[key] = found
    return found


def nodes_having(group: NodeGroup, way: AskedValues) -> list[NodeLabels]:
    """Return the nodes that meet the rarest of these."""
    found = []
    for each in way:
        known = nodes_with(group, each.key)
        values = dict.fromkeys(each.values or ())  # a hostile pod writes one a thousand times
        found.append([known[value] for value in values if value in known])
    rarest = min(found, key=lambda lists: sum(map(len, lists)))
    return [node for nodes in rarest for node in nodes]


class Reach(Struct, frozen=True, eq=False):
    """The groups that a pod, with our GPU toleration, can land in.

    Each is looked at once, and of nodes that have the same of `keys` one. `keys` are the labels by
    which it selects, `asked` their values. `groups` has which groups are selected, of this pod or
    of others with the same `selection_of`.
    """

    pod: Pod
    gpu_taints: frozenset[str]
    keys: frozenset[str] | None
    asked: list[AskedValues] | None
    seen: dict[int, bool] = {}
    selected: dict[Hashable, bool] = {}
    groups: dict[int, bool] = {}

    def passed_by(self) -> frozenset[int]:
        """The groups that pods before did not select, whatever this one tolerates, by `id`."""
        return frozenset([place for place, selected in self.groups.items() if not selected])

    def __call__(self, group: NodeGroup) -> bool:
        """Whether the pod can land in the group."""
        place = id(group)
        found = self.seen.get(place)
        if found is None:
            found = self.seen[place] = self._tolerated(group) and self._selected(group)
        return found

    def _selected(self, group: NodeGroup) -> bool:
        found = self.groups.get(id(group))
        if found is None:
            found = self.groups[id(group)] = self._selects_one(group)
        return found

    def _tolerated(self, group: NodeGroup) -> bool:
        """A pod with `nodeName` is the kubelet's of that node: only NoExecute keeps it away."""
        spec, taints = self.pod.spec, group.taints
        if spec.node_name:
            taints = tuple(each for each in taints if each.effect == "NoExecute")
        tolerations = spec.tolerations or ()
        return all(is_gpu_taint(t, self.gpu_taints) or tolerates(tolerations, t) for t in taints)

    def _selects_one(self, group: NodeGroup) -> bool:
        partial, name = bool(group.declared), self.pod.spec.node_name
        nodes: Iterable[NodeLabels]
        if name:
            nodes = () if partial else nodes_with(group, NODE_NAME).get(name, ())
        elif not self.pod.spec.node_selector and required_terms(self.pod) is None:
            return bool(group.nodes)
        elif partial or self.asked is None:
            nodes = distinct_nodes(group, self.keys)
        else:
            nodes = self._asked_for(group, self.asked)
        return any(self._selects(node, partial=partial) for node in nodes)

    def _asked_for(self, group: NodeGroup, asked: list[AskedValues]) -> Iterable[NodeLabels]:
        """Return distinct nodes where these are few."""
        if self.keys is not None and names.HOSTNAME not in self.keys:
            distinct = distinct_nodes(group, self.keys)
            if len(distinct) <= FEW:
                return distinct
        return (node for way in asked for node in nodes_having(group, way))

    def _selects(self, node: NodeLabels, *, partial: bool) -> bool:
        way = partial, way_of(node, self.keys)
        found = self.selected.get(way)
        if found is None:
            found = self.selected[way] = selects_node(self.pod, node, partial=partial)
        return found


def selection_of(pod: Pod) -> bytes:
    """Return all by which a pod selects nodes, as bytes."""
    spec = pod.spec
    return _ENCODER.encode((spec.node_name, spec.node_selector, required_terms(pod)))


def reach_of(pod: Pod, gpu_taints: frozenset[str], groups: dict[int, bool] | None = None) -> Reach:
    """Return the reach of a pod."""
    groups = {} if groups is None else groups
    return Reach(pod, gpu_taints, label_keys(pod), asked_values(pod), groups=groups)
