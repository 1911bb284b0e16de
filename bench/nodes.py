"""The CPU of a decision by the number and kinds of nodes, with and without selectors.

`python bench/nodes.py` prints medians of the CPU time of `admit` for a pod that asks for one GPU:
the same pod again and again, and pods of which each tolerates another taint, so that none is known.
"""

import itertools
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from tests.core import large_cluster
from webhook.cli import loaders
from webhook.core.admit import admit
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.api.pod import Pod
from webhook.core.gpu.values import Inventory
from webhook.core.policy.values import Policy

ROUNDS, REVIEWS = 9, 20
CLUSTERS = ((5, 5), (5000, 5), (5000, 40))
GPU = {"name": "main", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
ZONE = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a", "b"]}
PRODUCT = {"key": "nvidia.com/gpu.product", "operator": "Exists"}
NAME = {"key": "kubernetes.io/hostname", "operator": "In"}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def required(*requirements: dict[str, Any]) -> dict[str, Any]:
    """The spec of a pod with one term of required node affinity."""
    terms = {"nodeSelectorTerms": [{"matchExpressions": requirements}]}
    return {"affinity": {"nodeAffinity": {REQUIRED: terms}}}


SPECS: dict[str, dict[str, Any]] = {
    "plain": {},
    "affinity": required(PRODUCT),
    "refused, nodeSelector": {"nodeSelector": {"pool": "none"}},
    "refused, affinity": required(ZONE, PRODUCT),
    "one node by name": required({**NAME, "values": ["node-3"]}),
    "1,900 by name": required({**NAME, "values": [f"node-{n}" for n in range(1900)]}),
}


def review(spec: dict[str, Any], tolerated: str) -> AdmissionRequest:
    """The CREATE of an inference pod."""
    labels = {"gpu-sharing.io/workload": "inference"}
    made = {"containers": [GPU], "tolerations": [{"key": tolerated, "operator": "Exists"}], **spec}
    pod = msgspec.convert({"metadata": {"labels": labels}, "spec": made}, Pod)
    return AdmissionRequest(Side.MUTATE, Mode.ENFORCE, "u", "CREATE", "n", pod=pod)


def measure(pods: Iterator[AdmissionRequest], policy: Policy, nodes: Inventory) -> str:
    """The microseconds of a decision: the median, and the least to the most."""
    times = []
    for _ in range(ROUNDS):
        asked = list(itertools.islice(pods, REVIEWS))
        began = time.process_time()
        for each in asked:
            admit(each, policy, nodes)
        times.append((time.process_time() - began) / REVIEWS * 1e6)
    return f"{statistics.median(times):6.0f} us ({min(times):.0f} to {max(times):.0f})"


def main() -> None:
    """Measure each pod in each cluster."""
    policy = loaders.load_policy(None)
    for count, kinds in CLUSTERS:
        nodes = large_cluster.inventory(count, kinds)
        for name, spec in SPECS.items():
            same = itertools.repeat(review(spec, "a"))
            others = (review(spec, f"taint-{each}") for each in itertools.count())
            sys.stdout.write(
                f"{count:5} nodes of {kinds:2} kinds, {name:21}: the same "
                f"{measure(same, policy, nodes)}, others {measure(others, policy, nodes)}\n"
            )


if __name__ == "__main__":
    main()
