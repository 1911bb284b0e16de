"""KubeDL: training jobs of its own group, with kinds named as Kubeflow's (https://kubedl.io).

Source: kubedl-io/kubedl pkg/job_controller/api/v1/constants.go, apis/training/v1alpha1.
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, PodLabel, WorkloadResource

_GROUP: Final = "training.kubedl.io"
_GROUP_NAME: Final = PodLabel("group-name", Workload.TRAINING, _GROUP)
_KINDS: Final = (
    "PyTorchJob", "TFJob", "MPIJob", "XGBoostJob", "XDLJob", "MarsJob", "ElasticDLJob",
)  # fmt: skip
INTEGRATION: Final = Integration(
    "KubeDL",
    resources=tuple(
        WorkloadResource(kind, f"{kind.lower()}s", _GROUP, pod_labels=(_GROUP_NAME,))
        for kind in _KINDS
    ),
)
