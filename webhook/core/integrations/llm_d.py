"""llm-d: pods of models behind its inference scheduler (https://llm-d.ai).

Source: llm-d-incubation/llm-d-modelservice examples, llm-d/llm-d guides.
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, WellKnownLabel

_MODEL: Final = "llm-d.ai/model"
INTEGRATION: Final = Integration(
    "llm-d",
    well_known_labels=(
        WellKnownLabel("llm-d.ai/inference-serving", Workload.INFERENCE, "true"),
        WellKnownLabel("llm-d.ai/inferenceServing", Workload.INFERENCE, "true"),
        WellKnownLabel("llm-d.ai/role", Workload.INFERENCE),
        WellKnownLabel(_MODEL, Workload.INFERENCE),
    ),
    model_keys=(_MODEL,),
)  # fmt: skip
