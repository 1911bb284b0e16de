"""The kinds that the commands read: how people spell them and where the API server has them."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource of the API server; `names` are what people may write, as kubectl takes them.

    An empty `version` means the one that the group prefers: only the cluster knows it.
    """

    name: str
    plural: str
    group: str = ""
    version: str = "v1"
    names: tuple[str, ...] = ()
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As objects spell it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """As `kubectl auth can-i` spells it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str | None = None, *below: str) -> str:
        """The URL path of the collection, or of an object and what is below it."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        where = f"/namespaces/{quote(namespace)}" if namespace and self.namespaced else ""
        return "/".join((f"{root}{where}/{self.plural}", *map(quote, below)))


POD: Final = Kind("Pod", "pods", names=("po",))
NODE: Final = Kind("Node", "nodes", names=("no",), namespaced=False)
NAMESPACE: Final = Kind("Namespace", "namespaces", names=("ns",), namespaced=False)
CONFIG_MAP: Final = Kind("ConfigMap", "configmaps", names=("cm",))
# Of the core group: the same objects as in events.k8s.io, which the roles view and edit did not let
# people read before kubernetes/kubernetes#133740.
EVENT: Final = Kind("Event", "events")
RESOURCE_QUOTA: Final = Kind("ResourceQuota", "resourcequotas", names=("quota",))
DEPLOYMENT: Final = Kind("Deployment", "deployments", "apps", names=("deploy",))
REPLICA_SET: Final = Kind("ReplicaSet", "replicasets", "apps", names=("rs",))
STATEFUL_SET: Final = Kind("StatefulSet", "statefulsets", "apps", names=("sts",))
DAEMON_SET: Final = Kind("DaemonSet", "daemonsets", "apps", names=("ds",))
JOB: Final = Kind("Job", "jobs", "batch")
CRON_JOB: Final = Kind("CronJob", "cronjobs", "batch", names=("cj",))
MUTATING: Final = Kind(
    "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", "admissionregistration.k8s.io",
    namespaced=False,
)  # fmt: skip
VALIDATING: Final = Kind(
    "ValidatingWebhookConfiguration", "validatingwebhookconfigurations",
    "admissionregistration.k8s.io", namespaced=False,
)  # fmt: skip
WORKLOADS: Final = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, CRON_JOB, JOB)
"""What people apply to get pods."""

CUSTOM: Final = (
    *(
        Kind(name, f"{name.lower()}s", "kubeflow.org", "")
        for name in ("PyTorchJob", "TFJob", "MPIJob", "XGBoostJob", "PaddleJob", "JAXJob")
    ),
    Kind("Notebook", "notebooks", "kubeflow.org", ""),
    Kind("TrainJob", "trainjobs", "trainer.kubeflow.org", ""),
    Kind("RayService", "rayservices", "ray.io", ""),
    Kind("RayJob", "rayjobs", "ray.io", ""),
    Kind("RayCluster", "rayclusters", "ray.io", ""),
    Kind("InferenceService", "inferenceservices", "serving.kserve.io", "", ("isvc",)),
    Kind("LLMInferenceService", "llminferenceservices", "serving.kserve.io", ""),
    Kind("JobSet", "jobsets", "jobset.x-k8s.io", ""),
    Kind("LeaderWorkerSet", "leaderworkersets", "leaderworkerset.x-k8s.io", "", ("lws",)),
    Kind("NIMService", "nimservices", "apps.nvidia.com", ""),
)
"""Custom resources that make pods; the same that the chart's `advise.customResources` names."""

KNOWN: Final = (POD, REPLICA_SET, *WORKLOADS, *CUSTOM)


def named(text: str) -> Kind | None:
    """The kind that people mean: its name, plural, singular or short name, in any case."""
    wanted = text.lower().split(".", 1)[0]
    for kind in KNOWN:
        if wanted in (kind.name.lower(), kind.plural, *kind.names):
            return kind
    return None
