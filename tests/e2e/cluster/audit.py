"""The API server's audit policy: what a test may want to see, without the noise."""

from typing import Any

POLICY: dict[str, Any] = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        # Leases and events come several times a second from every part.
        {
            "level": "None",
            "resources": [
                {"group": "coordination.k8s.io", "resources": ["leases"]},
                {"group": "", "resources": ["events"]},
                {"group": "events.k8s.io", "resources": ["events"]},
            ],
        },
        {"level": "None", "userGroups": ["system:nodes"], "verbs": ["get", "list", "watch"]},
        {
            "level": "None",
            "users": [
                "system:apiserver",
                "system:kube-controller-manager",
                "system:kube-scheduler",
                "system:kube-proxy",
                "kwok",
            ],
            "verbs": ["get", "list", "watch"],
        },
        # With the patches of mutating webhooks, which level Metadata leaves out.
        {
            "level": "Request",
            "verbs": ["create", "update", "patch"],
            "resources": [{"group": "", "resources": ["pods"]}],
        },
        {"level": "Metadata"},
    ],
}
