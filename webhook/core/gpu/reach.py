"""Which groups of nodes a pod can reach, without a look at each node."""

from collections.abc import Hashable
from typing import Final

import msgspec
from msgspec import Struct

from webhook.core.api import names
from webhook.core.api.pod import NodeSelectorTerm, Pod, required_terms
from webhook.core.gpu.placement import is_gpu_taint, selects_node, tolerates
from webhook.core.gpu.values import NodeGroup, NodeLabels

MOST_KEYS: Final = 16
"""Labels by which the nodes of a group are told apart: pods ask for few."""
MOST_KEPT: Final = 64
"""Sets of labels of which the distinct nodes are kept with a group: anybody may ask for any."""

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


def named_nodes(pod: Pod) -> frozenset[str] | None:
    """Return the names of the only nodes that a pod selects, None for any."""
    selector = pod.spec.node_selector or {}
    if names.HOSTNAME in selector:
        return frozenset({selector[names.HOSTNAME]})
    found = [_listed(term) for term in required_terms(pod) or ()]
    listed = [each for each in found if each is not None]
    return frozenset().union(*listed) if listed and len(listed) == len(found) else None


def _listed(term: NodeSelectorTerm) -> tuple[str, ...] | None:
    for each in (*(term.match_expressions or ()), *(term.match_fields or ())):
        if each.operator == "In" and each.key in (names.HOSTNAME, names.NODE_NAME_FIELD):
            return each.values or ()
    return None


def _by_name(group: NodeGroup) -> dict[str, tuple[NodeLabels, ...]]:
    """The nodes of a group by name and host name, kept with it."""
    if not group.by_name:
        for node in group.nodes:
            for key in {node.name, node.labels.get(names.HOSTNAME, node.name)}:
                group.by_name[key] = (*group.by_name.get(key, ()), node)
    return group.by_name


class Reach(Struct, frozen=True, eq=False):
    """The groups that a pod, with our GPU toleration, can land in.

    Each is looked at once, and of nodes that have the same of `keys` one. `keys` are the labels by
    which it selects, `named` the nodes, as above. `groups` has which groups are selected, of this
    pod or of others with the same `selection_of`.
    """

    pod: Pod
    gpu_taints: frozenset[str]
    keys: frozenset[str] | None
    named: frozenset[str] | None
    seen: dict[int, bool] = {}
    selected: dict[Hashable, bool] = {}
    groups: dict[int, bool] = {}

    def __call__(self, group: NodeGroup) -> bool:
        """Whether the pod can land in the group."""
        place = id(group)
        if self.groups.get(place) is False:  # as for pods before, whatever this one tolerates
            return False
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
        if name:
            nodes = () if partial else _by_name(group).get(name, ())
            nodes = tuple(each for each in nodes if each.name == name)
        elif not self.pod.spec.node_selector and required_terms(self.pod) is None:
            return bool(group.nodes)
        elif self.named is not None and not partial:
            known = _by_name(group)
            nodes = tuple(node for each in self.named for node in known.get(each, ()))
        else:
            nodes = distinct_nodes(group, self.keys)
        return any(self._selects(node, partial=partial) for node in nodes)

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
    keys, named = label_keys(pod), named_nodes(pod)
    return Reach(pod, gpu_taints, keys, named, groups={} if groups is None else groups)
