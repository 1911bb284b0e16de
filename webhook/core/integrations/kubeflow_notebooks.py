"""Kubeflow Notebooks (kubeflow/notebooks components/notebook-controller notebook_controller.go)."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import (
    Integration,
    PodLabel,
    WellKnownLabel,
    WorkloadResource,
)

_NAME: Final = PodLabel("notebook-name", Workload.DEV)
NOTEBOOK: Final = WorkloadResource(
    "Notebook",
    "notebooks",
    "kubeflow.org",
    pod_labels=(_NAME,),
    copies=frozenset({"labels"}),
)
INTEGRATION: Final = Integration(
    "Kubeflow Notebooks",
    resources=(NOTEBOOK,),
    well_known_labels=(
        WellKnownLabel("notebooks.kubeflow.org/workspace-name", Workload.DEV),  # of version 2
    ),
)
