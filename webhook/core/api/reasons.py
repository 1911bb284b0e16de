"""The reasons of pods that are allowed, and all reasons by their codes."""

from typing import Final

from webhook.core.api import denials
from webhook.core.api.reason import Group, Reason

NO_GPU: Final = Reason(
    "no_gpu",
    Group.ALLOWED,
    "The pod requests no GPU; it is left as it is.",
    example="a web server.",
    detail="In a cluster such a pod does not even reach the webhook.",
)
NOT_REVIEWED: Final = Reason(
    "not_reviewed",
    Group.ALLOWED,
    "The request is not one that this webhook decides; nothing is changed.",
    example="a Deployment sent to /mutate.",
    detail="It is about another kind, or another operation.",
)
EXEMPT: Final = Reason(
    "exempt",
    Group.ALLOWED,
    "The policy exempts the user that made the request; nothing is changed.",
    example="the GPU Operator's own pods.",
    to_do="if that is wrong, change the policy.",
    detail="The list is the policy's `exemptUsers`.",
)
WHOLE_GPU: Final = Reason(
    "whole_gpu",
    Group.ALLOWED,
    "The workload gets whole GPUs that no other pod uses.",
    example="training with `nvidia.com/gpu: 4`.",
)
SEVERAL_GPUS: Final = Reason(
    "several_gpus",
    Group.ALLOWED,
    "More than one GPU in a container: that many whole GPUs.",
    example="inference with `nvidia.com/gpu: 2`.",
    to_do="request 1 if one slice is enough.",
    detail="Slices and shares would add no compute.",
)
FALLBACK_WHOLE_GPU: Final = Reason(
    "fallback_whole_gpu",
    Group.ALLOWED,
    "No strategy of the workload is offered; a whole GPU instead.",
    example="inference that needs 60Gi where the largest slice has 20.",
    to_do="add a MIG or shared pool, or lower `gpu-sharing.io/gpu-memory`.",
    detail="None is offered where the pod can go, or none is large enough. A warning says so.",
)
UNCLASSIFIED: Final = Reason(
    "unclassified",
    Group.ALLOWED,
    "Nothing says what the pod is for; whole GPUs until a label does.",
    example="a pod without our label in a namespace without a default.",
    to_do="label the pod `gpu-sharing.io/workload`, or the namespace with a default.",
    detail="A warning names the label. An unshared MIG device that the pod names is given.",
)
MIG_SLICE: Final = Reason(
    "mig_slice",
    Group.ALLOWED,
    "The workload gets an unshared MIG device.",
    example="inference on A100s that are cut.",
    to_do="for more memory annotate `gpu-sharing.io/gpu-memory` or `gpu-sharing.io/mig-profile`.",
)
MPS_SHARE: Final = Reason(
    "mps_share",
    Group.ALLOWED,
    "The workload gets a share of a GPU under MPS.",
    example="inference on T4s.",
    to_do="for more memory annotate `gpu-sharing.io/gpu-memory`.",
    detail="Its memory is limited, errors of neighbours reach it.",
)
TIME_SLICED_SHARE: Final = Reason(
    "time_sliced_share",
    Group.ALLOWED,
    "The workload takes turns on a GPU with other pods.",
    example="a notebook.",
    to_do="if it needs protection, it is not dev: label it otherwise.",
    detail="Neither memory nor errors are kept apart.",
)
MIXED: Final = Reason(
    "mixed",
    Group.ALLOWED,
    "The containers of the pod get their GPUs in different ways.",
    example="one container requests 1, another 2.",
    to_do="see the annotation `gpu-sharing.io/decision` for each.",
)
SAFE: Final = Reason(
    "safe",
    Group.ALLOWED,
    "Every GPU request of the pod amounts to a strategy that it may use.",
    example="a pod as /mutate left it.",
    detail="/validate says so.",
)
WORKLOAD_HINT: Final = Reason(
    "workload_hint",
    Group.TOLD,
    "No label says what the pod is for, but what a container runs does.",
    example="a Deployment that runs `vllm serve` is taken for inference.",
    to_do="label the pod `gpu-sharing.io/workload`.",
    detail="The policy's `commandHints` turns it off; it never counts for a tenant's pod.",
)
MEMORY_ESTIMATED: Final = Reason(
    "memory_estimated",
    Group.TOLD,
    "Nothing says how much memory inference needs; it is estimated from the model's name.",
    example="`--model meta-llama/Llama-3.1-8B-Instruct` needs about 18.4 GiB, so no `1g.10gb`.",
    to_do="annotate `gpu-sharing.io/gpu-memory` with what it really needs.",
    detail="The policy's `modelMemory` turns it off, and `memory` of the matrix comes before it.",
)
UNKNOWN_KEY: Final = Reason(
    "unknown_key",
    Group.TOLD,
    "A label or annotation begins with `gpu-sharing.io/`, but says nothing where it stands.",
    example="the annotation `gpu-sharing.io/workload`, or the label `gpu-sharing.io/workloads`.",
    to_do="write what the warning names, where it names it.",
)
REASONS: Final = {
    each.code: each
    for each in (*globals().values(), *vars(denials).values())
    if isinstance(each, Reason)
}
"""Every constant above and every denial by its code, in order."""
