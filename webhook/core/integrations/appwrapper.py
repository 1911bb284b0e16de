"""AppWrapper: any objects that are queued as one (https://project-codeflare.github.io/appwrapper)."""

from typing import Final

from webhook.core.integrations.field_path import parse_pattern
from webhook.core.integrations.integration import Integration, WorkloadResource

INTEGRATION: Final = Integration(
    "AppWrapper",
    resources=(
        WorkloadResource(
            "AppWrapper", "appwrappers", "workload.codeflare.dev", runs=False,
            embeds=(parse_pattern("spec.components[].template"),),
        ),
    ),
)  # fmt: skip
