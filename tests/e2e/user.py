"""What a person does with kubectl, and how long one waits for what comes of it."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.e2e.cluster import Cluster

T = TypeVar("T")
Json = dict[str, Any]
PATIENCE = 180.0  # seconds any condition may take: a machine under load is slow, not wrong
MODE = "gpu-sharing.io/mode"


class NeverError(AssertionError):
    """A condition did not come true in time."""


def until(what: str, look: Callable[[], T | None], seconds: float = PATIENCE) -> T:
    """Return the first result that is true, looking again and again."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise NeverError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.2)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with kubectl and a cluster."""

    cluster: Cluster

    def kubectl(self, *arguments: str, data: str | None = None) -> str:
        """Standard output of a kubectl that must succeed."""
        done = self.cluster.kubectl(*arguments, data=data)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def get(self, *arguments: str) -> Json:
        """An object as the API server has it."""
        found: Json = json.loads(self.kubectl("get", *arguments, "-o", "json"))
        return found

    def serves(self, group_version: str, resource: str) -> bool:
        """Whether this cluster's API server has a resource, as `kubectl get --raw` tells."""
        done = self.cluster.kubectl("get", "--raw", f"/apis/{group_version}")
        found = json.loads(done.stdout)["resources"] if done.returncode == 0 else []
        return any(each["name"] == resource for each in found)

    def namespace(self, name: str, labels: Mapping[str, str] | None = None) -> str:
        """A namespace with its default service account, so that pods can be made at once."""
        made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        made["metadata"]["labels"] = dict(labels or {})  # type: ignore[index]
        self.cluster.apply(made)
        until(
            f"service account of {name}",
            lambda: self.cluster.kubectl("-n", name, "get", "sa", "default").returncode == 0,
        )
        return name

    def create(self, namespace: str, pod: Json, *flags: str) -> tuple[bool, str]:
        """Create an object as it is; whether it was let in, and all that kubectl printed."""
        done = self.cluster.kubectl(
            "-n", namespace, "create", "-f", "-", *flags, data=json.dumps(pod)
        )
        return done.returncode == 0, done.stdout + done.stderr

    def running(self, namespace: str, selector: str) -> list[Json]:
        """The pods of a selector, once all of them run."""

        def look() -> list[Json] | None:
            items: list[Json] = self.get("-n", namespace, "pods", "-l", selector)["items"]
            ready = items and all(p["status"].get("phase") == "Running" for p in items)
            return items if ready else None

        return until(f"pods {selector} of {namespace} run", look)


def pod(name: str, workload: str | None = None, **more: Any) -> Json:
    """A pod of one container that requests a GPU; `gpu` names another resource or none."""
    labels = {"run": name}
    if workload:
        labels["gpu-sharing.io/workload"] = workload
    resource = more.pop("gpu", "nvidia.com/gpu")
    count = more.pop("count", 1)
    container: Json = {"name": "main", "image": "app:1"}
    if resource:
        container["resources"] = {"limits": {resource: str(count)}}
    metadata = {"name": name, "labels": labels, "annotations": more.pop("annotations", {})}
    spec = {"containers": [container | more.pop("container", {})], **more}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def limits(found: Json) -> Json:
    """The limits of a pod's first container."""
    value: Json = found["spec"]["containers"][0]["resources"]["limits"]
    return value
