"""`gpu-sharing review` with -o json, and the objects that the tests of it write."""

import json
from pathlib import Path
from typing import Any

from command_line import INVENTORY, Done, Json, Run


def reviewed(run: Run, *files: str | Path, flags: tuple[str, ...] = ()) -> tuple[Done, list[Json]]:
    """Review files with -o json; what it did, and the records."""
    named = [word for file in files for word in ("-f", str(file))]
    done = run("review", *named, "--inventory", INVENTORY, "-o", "json", *flags)
    return done, json.loads(done.out) if done.out else []


def spec(count: int = 1, name: str = "main") -> Json:
    limits = {"nvidia.com/gpu": count}
    return {"containers": [{"name": name, "image": "cuda", "resources": {"limits": limits}}]}


def pod_of(workload: str | None = "dev", **metadata: Any) -> Json:
    labels = {"gpu-sharing.io/workload": workload} if workload else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "pod", "labels": labels} | metadata,
        "spec": spec(),
    }


def made(kind: str, group: str, spec_of_it: Json, name: str = "thing") -> Json:
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": spec_of_it}
