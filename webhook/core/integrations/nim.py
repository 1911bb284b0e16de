"""NVIDIA NIM Operator (https://docs.nvidia.com/nim-operator).

`app.kubernetes.io/managed-by` is on all that it makes, also builds of engines and caches.
Source: NVIDIA/k8s-nim-operator api/apps/v1alpha1 (nimservice_types.go GetStandardLabels,
nimpipeline_types.go, nemo_customizer_types.go).
"""

from functools import partial
from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.field_path import parse_pattern
from webhook.core.integrations.integration import Integration, PodLabel, WorkloadResource
from webhook.core.integrations.leaderworkerset import LEADER_WORKER_SET
from webhook.core.integrations.templates import stated_templates

_GROUP: Final = "apps.nvidia.com"
_SERVICE: Final = PodLabel("app.kubernetes.io/part-of", Workload.INFERENCE, "nim-service")
_in_spec: Final = partial(stated_templates, patterns=(("spec",),))
_in_pipeline: Final = partial(stated_templates, patterns=(parse_pattern("spec.services[].spec"),))
NIM_SERVICE: Final = WorkloadResource(
    "NIMService", "nimservices", _GROUP,
    find_templates=_in_spec, pod_labels=(_SERVICE,), owns=(LEADER_WORKER_SET,),
)  # fmt: skip
INTEGRATION: Final = Integration(
    "NIM Operator",
    resources=(
        NIM_SERVICE,
        WorkloadResource(
            "NIMPipeline", "nimpipelines", _GROUP,
            find_templates=_in_pipeline, pod_labels=(_SERVICE,), owns=(NIM_SERVICE,), runs=False,
        ),
        WorkloadResource("NIMBuild", "nimbuilds", _GROUP, find_templates=_in_spec),
    ),
)  # fmt: skip
