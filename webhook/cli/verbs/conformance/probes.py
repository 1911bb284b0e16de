"""The probes: for each check a pod that it must refuse."""

from importlib.resources import files
from typing import Any, Final

import msgspec

Json = dict[str, Any]

_SECURITY: Final[Json] = {  # what Pod Security's profile `restricted` asks for
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pod that must be refused, as what differs from an ordinary one."""

    check: str
    promise: str
    pod: Json = {}
    container: Json = {}
    annotations: Json = {}
    labels: Json = {}

    def build_pod(self) -> Json:
        """Return the pod. It is never created, and its image is nobody's."""
        security = self.container.get("securityContext")
        container = {
            "name": "probe",
            "image": "probe.invalid/never-pulled:0",
            **self.container,
            "securityContext": security or _SECURITY,
        }
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"gpu-sharing-probe-{self.check.replace('_', '-')}",
                "annotations": self.annotations,
                "labels": self.labels,
            },
            "spec": {"automountServiceAccountToken": False, **self.pod, "containers": [container]},
        }


def load_probes() -> tuple[Probe, ...]:
    """Return the probes, in the order of the file."""
    text = files(__package__).joinpath("probes.yaml").read_bytes()
    return tuple(msgspec.yaml.decode(text, type=list[Probe]))
