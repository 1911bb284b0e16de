"""The variants of `hostile-variants.yaml`, each as a pod."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.core import casefiles
from tests.core.casefiles import Case

_FILE = Path(__file__).parent / "hostile-variants.yaml"


def variants() -> Iterator[tuple[str, Case]]:
    """Yield what comes of each variant in a pod that is no tenant's, and the pod."""
    for kind, outcomes in casefiles.read(_FILE).items():
        for outcome, values in outcomes.items():
            yield from ((outcome, _pod(kind, value)) for value in values)


def _pod(kind: str, value: Any) -> Case:
    container: Case = {"name": "main", "image": "x"}
    pod: Case = {"metadata": {"name": "p"}, "spec": {"containers": [container]}}
    if kind == "hostPath":
        pod["spec"]["volumes"] = [{"name": "v", "hostPath": {"path": value}}]
    elif kind == "capability":
        container["securityContext"] = {"capabilities": {"add": [value]}}
    elif kind == "resource":
        container["resources"] = {"limits": {value: "1"}}
    elif kind == "variable":
        name, said = value
        container["env"] = [{"name": name} | ({"value": said} if isinstance(said, str) else said)]
    elif kind == "mount":
        container["volumeMounts"] = [{"name": "v", "mountPath": value}]
        pod["spec"]["volumes"] = [{"name": "v", "image": {"reference": "x"}}]
    else:
        pod["metadata"]["annotations"] = dict([value])
    return pod
