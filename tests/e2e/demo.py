"""`make demo-cluster`: the story of `make demo` on a real cluster, told by kubectl's own output."""

import argparse
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e import cluster
from tests.e2e.chart import ROOT
from tests.e2e.cluster import Cluster, lifecycle
from tests.e2e.installation import Installed, install
from tests.e2e.user import MODE, until

BOLD, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
EXAMPLES = ROOT / "examples"
APPLIED = ("training", "inference", "inference-t4", "dev", "tenant", "unclassified", "no-gpu")


def say(text: str = "") -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def show(made: Cluster, *arguments: str) -> None:
    """Run kubectl and print what a person would see."""
    say(f"{BOLD}$ kubectl {shlex.join(arguments)}{PLAIN}")
    done = made.kubectl(*arguments)
    say((done.stdout + done.stderr).rstrip() + "\n")


def settled(installed: Installed, *namespaces: str) -> bool:
    """Whether every pod of these namespaces runs or is done."""
    phases = (
        p["status"].get("phase")
        for namespace in namespaces
        for p in installed.user.get("-n", namespace, "pods")["items"]
    )
    return all(phase in ("Running", "Succeeded") for phase in phases)


def story(installed: Installed) -> None:
    """Opt in, see pods arrive rewritten, see a tenant refused, opt out."""
    made = installed.cluster
    show(made, "get", "nodes", "-L", "nvidia.com/gpu.product,nvidia.com/gpu.sharing-strategy")
    show(made, "-n", "gpu-sharing", "get", "deployments,pods,pdb")
    say("Two namespaces opt in; one belongs to a tenant.")
    for name in ("shop", "team-blue"):
        installed.user.namespace(name)
    show(made, "label", "namespace", "shop", f"{MODE}=enforce")
    show(made, "label", "namespace", "team-blue", f"{MODE}=enforce", "gpu-sharing.io/tenant=blue")
    for name in APPLIED:
        show(made, "apply", "-f", os.path.relpath(EXAMPLES / f"{name}.yaml"))
    until("the pods run", lambda: settled(installed, "shop", "team-blue"))
    for namespace in ("shop", "team-blue"):
        show(made, "-n", namespace, "get", "pods", "-L", "gpu-sharing.io/strategy", "-o", "wide")
    say("A tenant who requests a shared GPU by name is refused, and reads why:")
    show(made, "apply", "-f", os.path.relpath(EXAMPLES / "tenant-shared.yaml"))
    limits = "jsonpath={.spec.containers[0].resources.limits}"
    show(made, "-n", "team-blue", "get", "pod", "blue-chat", "-o", limits)


@contextmanager
def kept() -> Iterator[Cluster]:
    """A cluster that stays, with a word on how to use and end it."""
    with lifecycle.staying() as made:
        yield made
    say("The cluster stays. To use it, and to end it:")
    say('  eval "$(.venv/bin/python -m tests.e2e.cluster env)"')
    say("  .venv/bin/python -m tests.e2e.cluster down")


def main() -> None:
    """Run the story."""
    parser = argparse.ArgumentParser(prog="make demo-cluster", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the cluster running")
    chosen = parser.parse_args()
    with kept() if chosen.keep else cluster.running() as made:
        story(install(made))


if __name__ == "__main__":
    main()
