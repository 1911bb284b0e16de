"""What the scheduler's message on a waiting pod means for its GPU."""

import re
from typing import Final

from webhook.core.api import names

_LACKS: Final = re.compile(r"Insufficient ([A-Za-z0-9.-]+(?:/[A-Za-z0-9.-]*[A-Za-z0-9])?)")
_PREEMPTION: Final = re.compile(r"[,.] *(?:no new claims to deallocate, )?preemption: ")
_AFFINITY: Final = ("didn't match Pod's node affinity", "didn't match node selector")


def meaning(message: str) -> str | None:
    """Return why a pod waits, where that has to do with its GPU.

    | the scheduler says | it means |
    |---|---|
    | Insufficient nvidia.com/… | all of them are taken: the pod waits for its turn |
    | Insufficient of something else, too | where the GPU is, that is missing |
    | only affinity, taints and the like | no node has what its pins ask for any more |
    """
    cause = _PREEMPTION.split(message, maxsplit=1)[0]
    lacking = list(dict.fromkeys(_LACKS.findall(cause)))
    gpus = [each for each in lacking if each.startswith(names.NVIDIA)]
    if gpus:
        return (
            f"every {' and '.join(gpus)} that it may use is taken; it starts when one is "
            "free, or when a node with more joins"
        )
    if lacking:
        return f"the nodes that have its GPU lack {' and '.join(lacking)}"
    if any(each in cause for each in _AFFINITY):
        return (
            "no node matches its node affinity and its own selectors; if nodes changed after it "
            "was reviewed, delete it, so that it is created and reviewed again"
        )
    if "untolerated taint" in cause:
        return "the nodes that it may use have taints that it does not tolerate"
    return None
