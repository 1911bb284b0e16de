"""Reviews of a dev pod with something else in it, as their bytes."""

import copy
import json
from typing import Any

import yaml
from webhook_process import EXAMPLES, Json, Webhook, gpu_pod, question

from webhook.core.integrations import registry

JSON = {"Content-Type": "application/json"}
LIMITS = "spec.containers[0].resources.limits"


def still_serves(webhook: Webhook) -> bool:
    """Whether the next good review gets its patch."""
    return "patch" in webhook.review("/mutate", question(gpu_pod("dev")))


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def good() -> bytes:
    return encoded(question(gpu_pod("dev")))


def put(root: Json, path: str, value: Any) -> Json:
    """A copy with the value at a dotted path; a number is an index, missing objects are made."""
    made = copy.deepcopy(root)
    steps = [
        int(s) if s.isdigit() else s for s in path.replace("[", ".").replace("]", "").split(".")
    ]
    at: Any = made
    for step in steps[:-1]:
        at = at.setdefault(step, {}) if isinstance(step, str) else at[step]
    at[steps[-1]] = value
    return made


def pod_with(path: str, value: Any) -> bytes:
    """A review of a pod that has the value at a path."""
    return encoded(question(put(gpu_pod("dev"), path, value)))


def pod_with_raw(path: str, raw: bytes) -> bytes:
    """The same with bytes that no JSON library would write."""
    return pod_with(path, "@raw@").replace(b'"@raw@"', raw)


PROMISES: dict[str, Json] = yaml.safe_load((EXAMPLES / "promises.yaml").read_text())


def example(file: str) -> tuple[Json, str]:
    """The pod of an example and its namespace, as an API server would send it."""
    found = yaml.safe_load((EXAMPLES / file).read_text())
    [made] = registry.find_templates(found)
    pod = {"apiVersion": "v1", "kind": "Pod", **made.pod}
    return json.loads(json.dumps(pod)), found["metadata"]["namespace"]


def with_env(pod: Json, value: str) -> Json:
    """The pod with a variable that reaches other GPUs, or with an innocent one."""
    made = copy.deepcopy(pod)
    made["spec"]["containers"][0]["env"] = [{"name": "NVIDIA_VISIBLE_DEVICES", "value": value}]
    return made
