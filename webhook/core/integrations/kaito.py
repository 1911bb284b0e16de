"""KAITO: workspaces that serve or tune a model (https://kaito-project.github.io).

Its fields stand beside `spec`, not in it, and most workspaces name no GPU, but a machine. Its
label `kaito.sh/workspace` is on pods that serve and on pods that tune, so it does not tell, but
what they run does.
Source: kaito-project/kaito api/v1beta1/workspace_types.go, api/v1beta1/labels.go.
"""

from functools import partial
from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.field_path import parse_pattern
from webhook.core.integrations.integration import Integration, KnownProgram, WorkloadResource
from webhook.core.integrations.templates import stated_templates

INTEGRATION: Final = Integration(
    "KAITO",
    resources=(
        WorkloadResource(
            "Workspace", "workspaces", "kaito.sh", short_names=("wk",),
            find_templates=partial(
                stated_templates, patterns=(parse_pattern("inference.template"),)
            ),
        ),
    ),
    programs=(KnownProgram(Workload.INFERENCE, command=r"\binference_api\.py\b"),),
)  # fmt: skip
