"""etcd, API server, controller manager, scheduler, and kwok for the nodes that are not real."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.cluster import network
from tests.e2e.cluster.audit import POLICY
from tests.e2e.cluster.kubeconfig import write_kubeconfig
from tests.e2e.cluster.pki import Authority, new_signing_key
from tests.e2e.cluster.sandbox import Sandbox
from tests.e2e.cluster.service import Service

ETCD = "http://127.0.0.1:2379"
CALLER = "kube-apiserver-webhooks"
"""The name in the certificate that the API server shows to webhooks."""
CALLED = "gpu-sharing.gpu-sharing.svc"
FAKE = "kwok.x-k8s.io/node=fake"
"""The annotation of the nodes that kwok plays."""

API_HOSTS = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "localhost",
    "127.0.0.1",
    network.FIRST_SERVICE,
    network.NODE_ADDRESS,
)


@dataclass(frozen=True, slots=True)
class Site:
    """What the parts of one cluster share: namespaces, programs, certificates."""

    sandbox: Sandbox
    programs: Mapping[str, Path]
    authority: Authority

    def service(self, name: str, *arguments: str | Path) -> Service:
        """A program of the cluster with its arguments, not yet started."""
        return Service(name, self.sandbox, [self.programs[name], *arguments])

    def directory(self, name: str) -> Path:
        """A directory in the state directory."""
        path = self.sandbox.state / name
        path.mkdir(exist_ok=True)
        return path


def etcd(site: Site) -> Service:
    """The store; it need not survive a power cut."""
    peers = "http://127.0.0.1:2380"
    return site.service(
        "etcd",
        f"--data-dir={site.directory('etcd')}",
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    )


def audit_log(state: Path) -> Path:
    """Where the API server writes one JSON object per request."""
    return state / "audit.log"


def api_server(site: Site, *, routes_itself: bool, more: tuple[str, ...] = ()) -> Service:
    """The API server; where no kube-proxy runs it finds a Service's endpoints itself."""
    return site.service(
        "kube-apiserver",
        f"--etcd-servers={ETCD}",
        "--bind-address=0.0.0.0",
        f"--secure-port={network.API_PORT}",
        f"--advertise-address={network.NODE_ADDRESS}",
        f"--service-cluster-ip-range={network.SERVICE_RANGE}",
        f"--enable-aggregator-routing={str(routes_itself).lower()}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        *_identities(site.authority),
        *_service_accounts(site.authority),
        *_front_proxy(site.authority),
        *_caller(site.authority),
        *_audit(site.sandbox.state),
        *more,
    )


def _identities(authority: Authority) -> tuple[str, ...]:
    """Who it is to its clients and to kubelets, and whom it believes."""
    serving = authority.server("kube-apiserver", API_HOSTS)
    to_kubelet = authority.client("to-kubelet", "kube-apiserver", "system:masters")
    return (
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        f"--client-ca-file={authority.pair.certificate}",
        f"--kubelet-client-certificate={to_kubelet.certificate}",
        f"--kubelet-client-key={to_kubelet.key}",
        f"--kubelet-certificate-authority={authority.pair.certificate}",
        "--kubelet-preferred-address-types=InternalIP",
    )


def _service_accounts(authority: Authority) -> tuple[str, ...]:
    """How tokens of ServiceAccounts are signed."""
    private, public = authority.directory / "sa.key", authority.directory / "sa.pub"
    if not private.exists():
        new_signing_key(private, public)
    return (
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-signing-key-file={private}",
        f"--service-account-key-file={public}",
    )


def _front_proxy(authority: Authority) -> tuple[str, ...]:
    """Without these the controllers log errors all the time."""
    pair = authority.client("front-proxy", "front-proxy-client")
    return (
        f"--requestheader-client-ca-file={authority.pair.certificate}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pair.certificate}",
        f"--proxy-client-key-file={pair.key}",
    )


def _caller(authority: Authority) -> tuple[str, ...]:
    """Who it is to webhooks, as docs/security.md has it."""
    users = write_kubeconfig(authority, "webhooks", CALLER, user_name=CALLED)
    config = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "WebhookAdmissionConfiguration"}
    plugins = [
        {"name": name, "configuration": config | {"kubeConfigFile": str(users)}}
        for name in ("MutatingAdmissionWebhook", "ValidatingAdmissionWebhook")
    ]
    path = authority.directory / "admission.json"
    whole = {"apiVersion": config["apiVersion"], "kind": "AdmissionConfiguration"}
    path.write_text(json.dumps(whole | {"plugins": plugins}), encoding="utf-8")
    return (f"--admission-control-config-file={path}",)


def _audit(state: Path) -> tuple[str, ...]:
    """The audit log, never rotated: tests read it whole."""
    policy = state / "audit-policy.json"
    policy.write_text(json.dumps(POLICY), encoding="utf-8")
    return (
        f"--audit-policy-file={policy}",
        f"--audit-log-path={audit_log(state)}",
        "--audit-log-maxsize=0",
    )


def controller_manager(site: Site) -> Service:
    """The controllers; at their usual 20 requests/s a new namespace waits for its account."""
    return site.service(
        "kube-controller-manager",
        *_identity(site, "kube-controller-manager"),
        f"--root-ca-file={site.authority.pair.certificate}",
        f"--service-account-private-key-file={site.authority.directory / 'sa.key'}",
        "--use-service-account-credentials=true",
        "--kube-api-qps=500",
        "--kube-api-burst=500",
    )


def scheduler(site: Site) -> Service:
    """The real scheduler: it decides which node has the resource a pod asks for."""
    return site.service(
        "kube-scheduler",
        *_identity(site, "kube-scheduler"),
        "--kube-api-qps=500",
        "--kube-api-burst=500",
    )


def kwok(site: Site, stages: Path) -> Service:
    """Play the kubelet of each annotated node, and of the pods on it."""
    kubeconfig = write_kubeconfig(site.authority, "kwok", "kwok", "system:masters")
    return site.service(
        "kwok",
        f"--kubeconfig={kubeconfig}",
        "--manage-all-nodes=false",
        f"--manage-nodes-with-annotation-selector={FAKE}",
        "--node-lease-duration-seconds=40",
        f"--config={stages}",
    )


def _identity(site: Site, name: str) -> tuple[str, ...]:
    """The flags of a part that has the user of its own name."""
    kubeconfig = write_kubeconfig(site.authority, name, f"system:{name}")
    return (
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
    )
