"""The webhook on a cluster: of deploy/install.yaml on the real node, or as processes beside it."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.e2e import chart
from tests.e2e.cluster import Cluster, build_image
from tests.e2e.cluster.cluster import FULL
from tests.e2e.cluster.control_plane import CALLER
from tests.e2e.user import MODE, Json, User, pod, until

IMAGE = "localhost/gpu-sharing:e2e"
NAMESPACE = chart.RELEASE
REAL = {"gpu-sharing.test/real": "true"}
INVENTORY = chart.ROOT / "examples" / "inventory.yaml"
PORT = 8443
METRICS = 8080
KINDS = ("mutatingwebhookconfiguration", "validatingwebhookconfiguration")


@dataclass(slots=True)
class Installed:
    """An installed webhook, in either form."""

    user: User
    addresses: list[str] = field(default_factory=list)
    """Where the servers are that run as processes; empty where they are pods."""

    @property
    def cluster(self) -> Cluster:
        """The cluster it is on."""
        return self.user.cluster

    def calls(self, webhook: str) -> float:
        """How often the API server called a webhook, by its own count."""
        text = self.user.kubectl("get", "--raw", "/metrics")
        prefix = "apiserver_admission_webhook_request_total{"
        lines = (line for line in text.splitlines() if line.startswith(prefix))
        return sum(float(line.rpartition(" ")[2]) for line in lines if f'name="{webhook}"' in line)

    def policies(self) -> dict[str, str]:
        """The failurePolicy in force, by the name of the webhook."""
        return {
            each["name"]: each["failurePolicy"]
            for kind in KINDS
            for each in self.user.get(kind, NAMESPACE)["webhooks"]
        }

    def wait_in_force(self) -> None:
        """Wait until a refusal was proven and the configured failurePolicy is in force."""
        until("failurePolicy Fail", lambda: "Fail" in self.policies().values())

    def rollout(self, name: str = NAMESPACE) -> None:
        """Wait until a Deployment is wholly rolled out."""
        where = ("-n", NAMESPACE, "rollout", "status", f"deployment/{name}", "--timeout=180s")
        self.user.kubectl(*where)


def add_nodes(cluster: Cluster, inventory: Path = INVENTORY) -> None:
    """The GPU nodes of an inventory file, as fake nodes."""
    for each in yaml.safe_load(inventory.read_text(encoding="utf-8"))["items"]:
        if each["kind"] == "Node":
            gpus = {k: v for k, v in each["status"]["allocatable"].items() if "nvidia" in k}
            taints = each.get("spec", {}).get("taints", ())
            cluster.add_gpu_node(each["metadata"]["name"], each["metadata"]["labels"], gpus, taints)


def load(cluster: Cluster) -> None:
    """Build the image of our Dockerfile and give it to the real node."""
    archive = build_image(chart.ROOT, chart.ROOT / "Dockerfile", IMAGE)
    try:
        cluster.load_image(archive, IMAGE)
    finally:
        archive.unlink()
        archive.parent.rmdir()


def apply_install(installed: Installed) -> None:
    """Apply install.yaml, with the image that was just built, and for the API server only."""
    names = f"apiServerCertificate.names={json.dumps([CALLER])}"
    found = chart.objects(chart.template("--set", "namespace.create=true", "--set-json", names))
    installed.cluster.apply(chart.for_cluster(found, IMAGE, REAL))


def install(cluster: Cluster) -> Installed:
    """Install in the form that the cluster can run, and wait until it guards."""
    installed = Installed(User(cluster))
    add_nodes(cluster)
    if cluster.node_kind == FULL:
        load(cluster)
        apply_install(installed)
        installed.rollout(f"{NAMESPACE}-certificates")
        installed.rollout()
    else:
        _as_processes(installed)
    installed.wait_in_force()
    return installed


def _as_processes(installed: Installed) -> None:
    """The same objects but for the Deployments and what selects their pods."""
    skipped = ("Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy")
    text = chart.INSTALL.read_text(encoding="utf-8")
    installed.cluster.apply([o for o in chart.objects(text) if o["kind"] not in skipped])
    controller = ("-m", "certs", "--namespace", NAMESPACE, "--bind", "off")
    where = ("--kubeconfig", str(installed.cluster.kubeconfig))
    probe = ("--probe-namespace", f"{NAMESPACE}-probe")
    installed.cluster.in_netns([sys.executable, *controller, *where, "--once"])
    folder = _certificate(installed)
    named = f"KUBECONFIG={installed.cluster.kubeconfig}"
    program = ("env", named, sys.executable, "-m", "webhook.cli.main", "serve")
    clients = ("--client-ca", installed.cluster.site.authority.pair.certificate)
    serve = (*program, "--metrics-bind", "off", *clients, "--client-name", CALLER)
    pair = ("--tls-cert", str(folder / "tls.crt"), "--tls-key", str(folder / "tls.key"))
    for _ in range(2):
        command = [*serve, *pair, "--bind", f"{{address}}:{PORT}"]
        installed.addresses.append(installed.cluster.run_server(command, PORT))
    ready = dict.fromkeys(installed.addresses, True)
    installed.cluster.expose(NAMESPACE, NAMESPACE, (443, PORT), ready)
    done = installed.cluster.in_netns([sys.executable, *controller, *where, *probe, "--once"])
    assert done.returncode == 0, done.stderr


def _certificate(installed: Installed) -> Path:
    """The serving pair of the Secret as files, as the kubelet would mount it."""
    secret: Json = installed.user.get("-n", NAMESPACE, "secret", f"{NAMESPACE}-tls")
    folder = installed.cluster.logs.parent / "serving"
    folder.mkdir(exist_ok=True)
    template = "{{index .data %s | base64decode}}"
    for key in ("tls.crt", "tls.key"):
        assert key in secret["data"]
        text = installed.user.kubectl(
            *("-n", NAMESPACE, "get", "secret", f"{NAMESPACE}-tls"),
            *("-o", "go-template=" + template % json.dumps(key)),
        )
        (folder / key).write_text(text, encoding="utf-8")
    return folder


@contextmanager
def scaled_to_zero(installed: Installed) -> Iterator[None]:
    """While no replica answers; afterwards it is as it was."""
    where = ("-n", NAMESPACE, f"deployment/{NAMESPACE}")
    installed.user.kubectl("scale", *where, "--replicas=0")
    selector = ("-l", "app.kubernetes.io/component=server")
    try:
        until(
            "no replica is left",
            lambda: not installed.user.get("-n", NAMESPACE, "pods", *selector)["items"],
        )
        yield
    finally:
        installed.user.kubectl("scale", *where, "--replicas=2")
        installed.rollout()


@contextmanager
def kept_without(installed: Installed, kind: str, name: str) -> Iterator[None]:
    """While an object is away; afterwards it is there again, as new."""
    user = installed.user
    made = user.get(kind, name)
    user.kubectl("delete", kind, name)
    try:
        yield
    finally:
        for key in ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"):
            made["metadata"].pop(key, None)
        installed.cluster.apply(made)


@contextmanager
def without_backstop(installed: Installed) -> Iterator[None]:
    """While only the webhook refuses."""
    user = installed.user
    probe = user.namespace("backstop", {MODE: "enforce"})
    bad = pod("p", gpu=None, volumes=[{"name": "v", "hostPath": {"path": "/dev"}}])

    def on() -> bool:
        return "ValidatingAdmissionPolicy" in user.create(probe, bad, "--dry-run=server")[1]

    with kept_without(installed, "validatingadmissionpolicybinding", f"{NAMESPACE}-backstop"):
        until("the backstop is off", lambda: not on())
        yield
    until("the backstop is on again", on)
