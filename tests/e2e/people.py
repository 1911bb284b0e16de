"""Other people than the administrator: what they may do, and the plugin as they run it."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.cluster.cluster import Result
from tests.e2e.user import User

BIN = Path(sys.executable).parent
"""Where the plugin is installed: kubectl finds it on PATH."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a kubeconfig."""

    user: User
    kubeconfig: Path

    def kubectl(self, *arguments: str) -> Result:
        """Run kubectl as this person, with the plugin on PATH."""
        program = self.user.cluster.site.programs["kubectl"]
        path = f"{BIN}:{Path(program).parent}:/usr/local/bin:/usr/bin:/bin"
        named = (f"KUBECONFIG={self.kubeconfig}", f"PATH={path}", "COLUMNS=120")
        return self.user.cluster.in_netns(["env", *named, str(program), *arguments])

    def plugin(self, *arguments: str) -> Result:
        """Run `kubectl gpu-sharing …`."""
        return self.kubectl("gpu-sharing", *arguments)

    def read(self, *arguments: str) -> Any:
        """What the plugin says to tools."""
        done = self.plugin(*arguments, "-o", "json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


def administrator(user: User) -> Person:
    """Who may do everything."""
    return Person(user, user.cluster.kubeconfig)


def member(user: User, namespace: str, role: str = "edit") -> Person:
    """Who has an ordinary role in one namespace, and nothing anywhere else."""
    where = ("-n", namespace)
    user.kubectl(*where, "create", "serviceaccount", "member")
    user.kubectl(
        *where, "create", "rolebinding", "member",
        f"--clusterrole={role}", f"--serviceaccount={namespace}:member",
    )  # fmt: skip
    token = user.kubectl(*where, "create", "token", "member").strip()
    config = json.loads(user.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    config["users"] = [{"name": "member", "user": {"token": token}}]
    context = {"cluster": config["clusters"][0]["name"], "user": "member", "namespace": namespace}
    config["contexts"] = [{"name": "member", "context": context}]
    config["current-context"] = "member"
    path = user.cluster.logs.parent / f"{namespace}.kubeconfig"
    path.write_text(json.dumps(config), encoding="utf-8")
    return Person(user, path)
