"""OME, the Open Model Engine (https://github.com/sgl-project/ome).

Source: pkg/apis/ome/v1beta1/inference_service.go, pkg/constants/constants.go.
"""

from functools import partial
from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.field_path import parse_pattern
from webhook.core.integrations.integration import Integration, PodLabel, WorkloadResource
from webhook.core.integrations.leaderworkerset import LEADER_WORKER_SET
from webhook.core.integrations.templates import stated_templates

_GROUP: Final = "ome.io"
_SERVICE: Final = PodLabel("ome.io/inferenceservice", Workload.INFERENCE)
_POD_SPECS: Final = tuple(
    parse_pattern(f"spec{part}{below}")
    for part in (
        "", ".predictor", ".engine", ".decoder", ".router",
        ".engineConfig", ".decoderConfig", ".routerConfig",
    )
    for below in ("", ".leader", ".worker")
)  # fmt: skip
_find_templates: Final = partial(stated_templates, patterns=_POD_SPECS, mains=("runner",))
INTEGRATION: Final = Integration(
    "OME",
    resources=(
        WorkloadResource(
            "InferenceService", "inferenceservices", _GROUP,
            find_templates=_find_templates, pod_labels=(_SERVICE,), owns=(LEADER_WORKER_SET,),
        ),
        WorkloadResource(
            "ServingRuntime", "servingruntimes", _GROUP,
            find_templates=_find_templates, pod_labels=(_SERVICE,), runs=False,
        ),
        WorkloadResource(
            "ClusterServingRuntime", "clusterservingruntimes", _GROUP,
            namespaced=False, find_templates=_find_templates, pod_labels=(_SERVICE,), runs=False,
        ),
    ),
)  # fmt: skip
