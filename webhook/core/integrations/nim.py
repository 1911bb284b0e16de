"""NVIDIA NIM Operator (https://docs.nvidia.com/nim-operator)."""

from functools import partial
from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import (
    Integration,
    PodLabel,
    WellKnownLabel,
    WorkloadResource,
)
from webhook.core.integrations.templates import stated_templates

_LABEL: Final = "app.kubernetes.io/managed-by"
_OPERATOR: Final = "k8s-nim-operator"
NIM_SERVICE: Final = WorkloadResource(
    "NIMService",
    "nimservices",
    "apps.nvidia.com",
    find_templates=partial(stated_templates, patterns=(("spec",),)),
    pod_labels=(PodLabel(_LABEL, _OPERATOR),),
)
INTEGRATION: Final = Integration(
    "NIM Operator",
    resources=(NIM_SERVICE,),
    well_known_labels=(WellKnownLabel(_LABEL, Workload.INFERENCE, _OPERATOR),),
)
