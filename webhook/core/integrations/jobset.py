"""JobSet: groups of Jobs (https://jobset.sigs.k8s.io)."""

from typing import Final

from webhook.core.integrations.integration import Integration, WorkloadResource

JOB_SET: Final = WorkloadResource("JobSet", "jobsets", "jobset.x-k8s.io")
INTEGRATION: Final = Integration("JobSet", resources=(JOB_SET,))
