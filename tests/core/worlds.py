"""Generated pods in generated worlds, asked as the API server asks."""

import copy
import json
import os
from typing import Any

import jsonpatch
import msgspec
import strategies
from hypothesis import HealthCheck, given, settings

from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.api.node import Node
from webhook.core.api.pod import Pod
from webhook.core.gpu import inventory
from webhook.core.gpu.values import Inventory
from webhook.core.policy.values import Policy
from webhook.core.verdict import Verdict

Json = dict[str, Any]

everything = given(
    pod=strategies.pods(),
    nodes=strategies.clusters(),
    namespace=strategies.namespaces,
    policy=strategies.policies,
)


DEEP = 8 if os.environ.get("GPU_SHARING_E2E_RUN") == "1" else 1
"""`make e2e` judges so many times the examples of `make test`."""


def examples(most: int) -> settings:
    """So many examples, more in `make e2e`."""
    return settings(max_examples=most * DEEP, suppress_health_check=[HealthCheck.too_slow])


def ask(pod: Json, namespace: dict[str, str], side: Side = Side.MUTATE) -> AdmissionRequest:
    """The CREATE of a pod in a namespace with these labels."""
    return AdmissionRequest(
        side=side,
        mode=Mode.ENFORCE,
        uid="u",
        operation="CREATE",
        namespace="n",
        pod=msgspec.convert(pod, Pod),
        namespace_labels=namespace,
    )


def world(nodes: list[Json], policy: Policy) -> Inventory:
    """What nodes, and the pools of a policy, offer."""
    read = [msgspec.convert(n, Node) for n in nodes]
    return inventory.build_inventory(read, policy.pools, policy.momentary_taints)


def patched(pod: Json, verdict: Verdict) -> Json:
    """The pod after the patch of a verdict, by a library that is not ours."""
    operations = json.loads(msgspec.json.encode(verdict.patch))
    made: Json = jsonpatch.apply_patch(copy.deepcopy(pod), operations)
    return made
