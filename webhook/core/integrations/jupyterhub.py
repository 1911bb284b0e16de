"""JupyterHub on Kubernetes: its spawner makes the pods itself (https://z2jh.jupyter.org)."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, WellKnownLabel

INTEGRATION: Final = Integration(
    "JupyterHub", well_known_labels=(WellKnownLabel("hub.jupyter.org/username", Workload.DEV),)
)
