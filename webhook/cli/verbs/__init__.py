"""The verbs of `gpu-sharing`: one module or package for each."""

from typing import Final

SUMMARIES: Final = {
    "review": "what would happen to the pods of some manifests, and why",
    "audit": "what if enforcement were on, and what is used of what is held: GPUs and money saved",
    "rightsize": "sizes by what was used, as changes for a pull request",
    "explain": "why a pod has the GPU that it has, and what it would get if it were new",
    "why": "why a workload has no pods, or why they wait",
    "neighbours": "who shares a GPU with whom now, and by which path",
    "pods": "who has which GPU, by strategy",
    "logs": "what was decided, over all replicas: who requested, who got what, who was refused",
    "status": "is the webhook well, what do the nodes offer, who opted in, who was refused",
    "pools": "which pools of GPUs there are, which there should be, and how to get there",
    "conformance": "does each way around the isolation of GPUs really end in a refusal here",
    "reasons": "what a reason code means, and what to do about it",
    "policy": "who gets what: the matrix as a table, as YAML, or the schema for editors",
    "check": "what is wrong with a policy file, with line and path",
    "serve": "run the webhook",
    "completion": "a script by which your shell completes this command",
}
"""Each verb with what it answers, in the order of the help."""
