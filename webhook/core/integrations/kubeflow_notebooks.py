"""Kubeflow Notebooks (kubeflow/notebooks, notebook-controller)."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import (
    Integration,
    PodLabel,
    WellKnownLabel,
    WorkloadResource,
)

_NAME: Final = "notebook-name"
NOTEBOOK: Final = WorkloadResource(
    "Notebook", "notebooks", "kubeflow.org", pod_labels=(PodLabel(_NAME),)
)
INTEGRATION: Final = Integration(
    "Kubeflow Notebooks",
    resources=(NOTEBOOK,),
    well_known_labels=(WellKnownLabel(_NAME, Workload.DEV),),
)
