"""Workspaces of developers: Coder, Eclipse Che, and what runs in those of others."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, KnownProgram, WellKnownLabel

INTEGRATION: Final = Integration(
    "Workspaces",
    well_known_labels=(
        WellKnownLabel("com.coder.resource", Workload.DEV),
        WellKnownLabel("controller.devfile.io/devworkspace_id", Workload.DEV),
    ),
    programs=(
        KnownProgram(
            Workload.DEV,
            command=r"code-server|openvscode-server|coder\s+agent|rserver|rsession|marimo\s+edit",
            image=r"/(code-server|openvscode-server|rstudio|r-session-complete)[:@]",
        ),
    ),
)
