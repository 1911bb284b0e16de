"""The CPU of a decision by the number and kinds of nodes, with and without selectors.

`python bench/nodes.py` prints medians of the CPU time of `admit` for a pod that asks for one GPU.
"""

import statistics
import sys
import time
from typing import Any

import msgspec

from tests.core import large_cluster
from webhook.cli import loaders
from webhook.core.admit import admit
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.api.pod import Pod

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


def review(spec: dict[str, Any]) -> AdmissionRequest:
    """The CREATE of an inference pod."""
    labels = {"gpu-sharing.io/workload": "inference"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [GPU], **spec}}
    made = msgspec.convert(pod, Pod)
    return AdmissionRequest(Side.MUTATE, Mode.ENFORCE, "u", "CREATE", "n", pod=made)


def main() -> None:
    """Measure each pod in each cluster."""
    policy = loaders.load_policy(None)
    for count, kinds in CLUSTERS:
        nodes = large_cluster.inventory(count, kinds)
        for name, spec in SPECS.items():
            asked, times = review(spec), []
            for _ in range(ROUNDS):
                began = time.process_time()
                for _ in range(REVIEWS):
                    admit(asked, policy, nodes)
                times.append((time.process_time() - began) / REVIEWS * 1e6)
            sys.stdout.write(
                f"{count:5} nodes of {kinds:2} kinds, {name:21}: "
                f"{statistics.median(times):6.0f} us ({min(times):.0f} to {max(times):.0f})\n"
            )


if __name__ == "__main__":
    main()
