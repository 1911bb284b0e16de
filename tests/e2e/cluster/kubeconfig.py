"""Kubeconfig files: who one is, and where the API server is."""

import json
from pathlib import Path

from tests.e2e.cluster.network import API_PORT, NODE_ADDRESS
from tests.e2e.cluster.pki import Authority

SERVER = f"https://{NODE_ADDRESS}:{API_PORT}"


def write_kubeconfig(
    authority: Authority, name: str, user: str, group: str = "", user_name: str = ""
) -> Path:
    """A kubeconfig with a client certificate of its own; JSON is YAML too."""
    pair = authority.client(name, user, group)
    path = authority.directory / f"{name}.kubeconfig"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "e2e",
        "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": user}}],
        "clusters": [
            {
                "name": "e2e",
                "cluster": {
                    "server": SERVER,
                    "certificate-authority": str(authority.pair.certificate),
                },
            }
        ],
        "users": [
            {
                "name": user_name or user,
                "user": {
                    "client-certificate": str(pair.certificate),
                    "client-key": str(pair.key),
                },
            }
        ],
    }
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    path.chmod(0o600)
    return path
