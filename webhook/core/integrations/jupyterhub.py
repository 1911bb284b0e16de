"""Jupyter: servers of notebooks, also those that JupyterHub makes (https://z2jh.jupyter.org)."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, KnownProgram, WellKnownLabel

INTEGRATION: Final = Integration(
    "JupyterHub",
    well_known_labels=(WellKnownLabel("hub.jupyter.org/username", Workload.DEV),),
    programs=(
        KnownProgram(
            Workload.DEV,
            command=r"jupyter(?:\s+|-)(?:lab|notebook|server)|jupyterhub-singleuser|start-notebook\.",
            image=r"/(jupyter|[a-z]+-notebook)[:@/]|-jupyter(@|$)",
        ),
    ),
)
