"""A cluster with a history: eight days of made series, and the objects that they are of.

| node | GPU | who | what |
|---|---|---|---|
| whole | 0 | train/llama, a Job | trains, 97 %; a second exporter names no pod |
| whole | 1 | shop/recommender, its pod renamed after four days | 5 to 15 %, 9000 MiB |
| whole | 2 | shop/chat, vLLM | 30 %, 72000 MiB from the start on |
| whole | 3 | lab/notebook | never used; for four days the exporter gave its own pod's name |
| whole | 4 | nobody | - |
| mig | 3g | serve/embed | 20 % of the slice, 12000 MiB |
| mig | 1g | acme/api, a tenant's | 50 %, 6000 MiB |
| mig | 1g | nobody | - |
| shared | 0 | dev/ann-0 and dev/bob-0, zeros beside the device's 70 % | time-sliced |

Three hours are missing on the fifth day, and GPU 4 has been there for one day only.
"""

import math
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fake_cluster import FakeCluster
from small_cluster import made

from tests.monitoring import tools

DAYS, STEP = 8, 300
ACTIVE, UTIL = "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_DEV_GPU_UTIL"
USED, FREE = "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE"
H100, A100, T4 = "NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB", "Tesla T4"
Json = dict[str, Any]


@dataclass(frozen=True)
class Series:
    """One device, or one pod's series of it, from one day to another."""

    labels: dict[str, str]
    total: int
    active: tuple[float, float]  # mean and swing
    used: float
    days: tuple[float, float] = (0, DAYS)
    free: int = 0

    def samples(self, now: float) -> Iterator[tuple[str, dict[str, str], float, int]]:
        """Yield name, labels, value and time of every sample."""
        start = int(now) - DAYS * 86400
        first, last = (int(start + day * 86400) for day in self.days)
        for at in range(first, last + 1, STEP):
            hours = (at - start) / 3600
            if 4 * 24 + 3 <= hours < 4 * 24 + 6:
                continue
            wave = math.sin(hours * math.pi / 12)
            active = max(0.0, self.active[0] + self.active[1] * wave)
            used = self.used if self.used in (0, 72000) else self.used * (0.9 + 0.1 * wave)
            yield ACTIVE, self.labels, round(active, 4), at
            yield USED, self.labels, round(used), at
            yield FREE, self.labels, self.free or round(self.total - used), at


def series() -> list[Series]:
    """The devices of the table above."""
    renamed = ("recommender-5d9c7bff9-zzzzz", "recommender-6c8d8cbb4-bbbbb")
    return [
        Series(_whole(0, "train", "llama-x2x4k"), 81000, (0.97, 0.01), 70000),
        Series({"UUID": "GPU-whole-0", "modelName": H100, "Hostname": "whole"}, 81000, (0.97, 0.01),
               70000),
        Series(_whole(1, "shop", renamed[0]), 81000, (0.1, 0.05), 9000, (0, 4)),
        Series(_whole(1, "shop", renamed[1]), 81000, (0.1, 0.05), 9000, (4, DAYS)),
        Series(_whole(2, "shop", "chat-7d4b9c5f6-ccccc"), 81000, (0.2, 0.1), 72000),
        Series(_whole(3, "lab", "notebook-0", "dcgm-exporter-x1y2z"), 81000, (0, 0), 600, (0, 4)),
        Series(_whole(3, "lab", "notebook-0"), 81000, (0, 0), 600, (4, DAYS)),
        Series(_whole(4), 81000, (0, 0), 0, (DAYS - 1, DAYS)),
        Series(_slice("1", "3g.40gb", "serve", "embed-0"), 40320, (0.15, 0.05), 12000),
        Series(_slice("7", "1g.10gb", "acme", "api-0"), 9856, (0.4, 0.1), 6000),
        Series(_slice("8", "1g.10gb"), 9856, (0, 0), 6),
        Series(_shared(), 15000, (0.6, 0.1), 11000, free=4000),
        Series(_shared("ann-0"), 15000, (0, 0), 0, free=4000),
        Series(_shared("bob-0"), 15000, (0, 0), 0, free=4000),
    ]  # fmt: skip


def _held(namespace: str, pod: str) -> dict[str, str]:
    return {"exported_namespace": namespace, "exported_pod": pod} if pod else {}


def _whole(
    index: int, namespace: str = "", pod: str = "", hostname: str = "whole"
) -> dict[str, str]:
    gpu = {"UUID": f"GPU-whole-{index}", "modelName": H100, "hostname": hostname}
    return gpu | _held(namespace, pod)


def _slice(instance: str, profile: str, namespace: str = "", pod: str = "") -> dict[str, str]:
    cut = {"GPU_I_ID": instance, "GPU_I_PROFILE": profile}
    gpu = {"UUID": "GPU-mig-0", "modelName": A100, "Hostname": "mig"}
    return gpu | cut | _held(namespace, pod)


def _shared(pod: str = "") -> dict[str, str]:
    gpu = {"UUID": "GPU-shared-0", "modelName": T4, "hostname": "shared"}
    return gpu | _held("dev", pod)


def write_history(folder: Path, now: float) -> Path:
    """Write the series as blocks of Prometheus; returns their folder."""
    text, data = folder / "history.txt", folder / "data"
    with text.open("w") as out:
        for name in (ACTIVE, USED, FREE):
            out.write(f"# TYPE {name} gauge\n")
            for each in series():
                for metric, labels, value, at in each.samples(now):
                    if metric == name:
                        shown = ",".join(f'{key}="{v}"' for key, v in labels.items())
                        out.write(f"{name}{{{shown}}} {value} {at}\n")
        out.write("# EOF\n")
    promtool = str(tools.find("promtool"))
    command = [promtool, "tsdb", "create-blocks-from", "openmetrics", text, data]
    subprocess.run(command, check=True, capture_output=True)
    text.unlink()
    return data


def cluster() -> FakeCluster:
    """The objects: nodes as GPU Feature Discovery labels them, workloads and their pods."""
    found = FakeCluster()
    found.put("nodes", *_nodes())
    for name, labels in (
        ("train", {}), ("shop", {}), ("lab", {"gpu-sharing.io/workload": "dev"}),
        ("serve", {}), ("acme", {"gpu-sharing.io/tenant": "acme"}),
        ("dev", {"gpu-sharing.io/workload": "dev"}),
    ):  # fmt: skip
        found.put("namespaces", made("Namespace", "v1", name, "", labels=labels))
    gpu, shared, vllm = "nvidia.com/gpu", "nvidia.com/gpu.shared", "vllm/vllm-openai:v0.9"
    _run(found, "Job", "train/llama", "llama-x2x4k", "whole", gpu, "training")
    _run(
        found,
        "Deployment",
        "shop/recommender",
        "recommender-6c8d8cbb4-bbbbb",
        "whole",
        gpu,
        "inference",
    )
    _run(found, "Deployment", "shop/chat", "chat-7d4b9c5f6-ccccc", "whole", gpu, "inference", vllm)
    _run(found, "StatefulSet", "lab/notebook", "notebook-0", "whole", gpu, "")
    _run(
        found, "StatefulSet", "serve/embed", "embed-0", "mig", "nvidia.com/mig-3g.40gb", "inference"
    )
    _run(found, "StatefulSet", "acme/api", "api-0", "mig", "nvidia.com/mig-1g.10gb", "")
    for name in ("ann", "bob"):
        _run(found, "StatefulSet", f"dev/{name}", f"{name}-0", "shared", shared, "")
    return found  # fmt: skip


_PLURALS = {"Job": "jobs", "Deployment": "deployments", "StatefulSet": "statefulsets"}
_GROUPS = {"Job": "batch/v1", "Deployment": "apps/v1", "StatefulSet": "apps/v1"}


def _run(found: FakeCluster, kind: str, path: str, pod: str, node: str, resource: str,
         workload: str, image: str = "app:1") -> None:  # fmt: skip
    namespace, _, name = path.partition("/")
    labels = {"gpu-sharing.io/workload": workload} if workload else {}
    container = {"name": "main", "image": image, "resources": {"limits": {resource: "1"}}}
    spec = {"containers": [container]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    owner = made(kind, _GROUPS[kind], name, namespace, spec={"replicas": 1, "template": template})
    found.put(_PLURALS[kind], owner)
    holder = owner
    if kind == "Deployment":
        hashed = pod.split("-")[-2]
        template = {"metadata": {"labels": labels | {"pod-template-hash": hashed}}, "spec": spec}
        whole = {"replicas": 1, "template": template}
        set_name = f"{name}-{hashed}"
        holder = made("ReplicaSet", "apps/v1", set_name, namespace, owner=owner, spec=whole)
        found.put("replicasets", holder)
    live = made("Pod", "v1", pod, namespace, owner=holder, labels=template["metadata"]["labels"])
    live |= {"spec": spec | {"nodeName": node}, "status": {"phase": "Running"}}
    found.put("pods", live)


def _nodes() -> Iterator[Json]:
    def node(name: str, allocatable: Json, **labels: str) -> Json:
        known = {f"nvidia.com/{key.replace('__', '-').replace('_', '.')}": v
                 for key, v in labels.items()}  # fmt: skip
        amounts = {key: str(value) for key, value in allocatable.items()}
        metadata = {"name": name, "labels": known}
        return {"kind": "Node", "apiVersion": "v1", "metadata": metadata,
                "status": {"allocatable": amounts, "capacity": amounts}}  # fmt: skip

    plain = {"mig.strategy": "mixed"}
    whole = node("whole", {"nvidia.com/gpu": 5}, gpu_product="NVIDIA-H100-80GB-HBM3",
                 gpu_memory="81559", gpu_count="5", gpu_replicas="1")  # fmt: skip
    whole["metadata"]["labels"] |= {"nvidia.com/gpu.sharing-strategy": "none",
                                    "nvidia.com/mig.capable": "true"}  # fmt: skip
    cut = node("mig", {"nvidia.com/mig-3g.40gb": 1, "nvidia.com/mig-1g.10gb": 2},
               gpu_product="NVIDIA-A100-SXM4-80GB", gpu_memory="81920", gpu_count="1",
               gpu_replicas="1")  # fmt: skip
    cut["metadata"]["labels"] |= {"nvidia.com/gpu.sharing-strategy": "none",
                                  "nvidia.com/mig.capable": "true"}  # fmt: skip
    for profile, count, memory in (("3g.40gb", "1", "40320"), ("1g.10gb", "2", "9856")):
        prefix = f"nvidia.com/mig-{profile}"
        cut["metadata"]["labels"] |= {
            f"{prefix}.count": count, f"{prefix}.memory": memory, f"{prefix}.replicas": "1",
            f"{prefix}.sharing-strategy": "none",
            f"{prefix}.product": f"NVIDIA-A100-SXM4-80GB-MIG-{profile}",
        }  # fmt: skip
    shared = node("shared", {"nvidia.com/gpu.shared": 4}, gpu_product="Tesla-T4",
                  gpu_memory="15360", gpu_count="1", gpu_replicas="4")  # fmt: skip
    shared["metadata"]["labels"] |= {"nvidia.com/gpu.sharing-strategy": "time-slicing"}
    for each in (whole, cut, shared):
        each["metadata"]["labels"] |= {f"nvidia.com/{key}": v for key, v in plain.items()}
        yield each
