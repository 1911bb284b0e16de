"""Which cluster, as whom: the service account of the pod, or a kubeconfig."""

from __future__ import annotations

import base64
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from webhook.kube.credentials import authorization_of, impersonation_of, load_client_certificate
from webhook.kube.errors import ApiError, library_errors_as_api_errors
from webhook.kube.kubeconfig import kubeconfig_files, read_login
from webhook.kube.proxy import proxy_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

DEFAULT_NAMESPACE: Final = "default"
SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """Where an API server is and what it is shown.

    `server` is its URL; `authorization` returns the header for the next request, None for none;
    `server_name` is the name in its certificate, where that is not its host; `proxy` is a URL;
    `impersonation` are headers, of which one may stand several times.
    """

    server: str
    tls: ssl.SSLContext
    authorization: Callable[[], Awaitable[str | None]]
    server_name: str | None = None
    proxy: str | None = None
    impersonation: tuple[tuple[str, str], ...] = ()


def load_cluster_config(kubeconfig: str | None = None, context: str | None = None) -> ClusterConfig:
    """Return the cluster of a kubeconfig, or, with neither argument, the one we run in.

    Outside of a cluster that is the default kubeconfig's. Raises ApiError without a status where
    no usable configuration is found.
    """
    with library_errors_as_api_errors():
        if kubeconfig is None and context is None:
            found = load_service_account(os.environ, SERVICE_ACCOUNT)
            if found is not None:
                return found
        return _load_kubeconfig(kubeconfig, context)


def load_service_account(environ: Mapping[str, str], folder: Path) -> ClusterConfig | None:
    """Return the cluster that a pod runs in, None outside of one.

    Kubelet renews the token about hourly and a cluster may renew its CA: both are read again.
    """
    host, port = (environ.get(f"KUBERNETES_SERVICE_{part}", "") for part in ("HOST", "PORT"))
    token, ca = folder / "token", folder / "ca.crt"
    if not (host and port and _has_content(token) and _has_content(ca)):
        return None
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    tls = _tls_context(ca)
    loaded = ca.stat().st_mtime_ns

    async def authorization() -> str:
        nonlocal loaded
        if ca.stat().st_mtime_ns != loaded:
            tls.load_verify_locations(ca)
            loaded = ca.stat().st_mtime_ns
        return f"Bearer {token.read_text().strip()}"

    return ClusterConfig(server, tls, authorization, proxy=proxy_of(server))


def _load_kubeconfig(path: str | None, context: str | None) -> ClusterConfig:
    login = read_login(kubeconfig_files(path, os.environ), context)
    cluster, user = login.cluster, login.user
    if not urlsplit(cluster.server).hostname:
        raise ApiError(None, f"the server of the cluster is no URL: {cluster.server!r}")
    data = cluster.certificate_authority_data
    tls = _tls_context(cluster.certificate_authority, base64.b64decode(data) if data else None)
    if cluster.insecure_skip_tls_verify:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    load_client_certificate(tls, user)
    return ClusterConfig(
        cluster.server.rstrip("/"),
        tls,
        authorization_of(login, tls),
        cluster.tls_server_name or None,
        proxy_of(cluster.server, cluster.proxy_url),
        impersonation_of(user),
    )


def current_namespace(kubeconfig: str | None = None, context: str | None = None) -> str:
    """Return the namespace of the kubeconfig's context, or the one we run in.

    Without either it is `default`.
    """
    try:
        namespace = read_login(kubeconfig_files(kubeconfig, os.environ), context).namespace
    except ApiError:  # a pod with its own service account
        own = SERVICE_ACCOUNT / "namespace"
        namespace = own.read_text() if own.exists() else None
    return namespace or DEFAULT_NAMESPACE


def _tls_context(ca: str | Path | None, data: bytes | None = None) -> ssl.SSLContext:
    tls = ssl.create_default_context(cafile=ca, cadata=data.decode() if data else None)
    # From Python 3.13 on certificates need extensions that CAs of clusters often lack.
    tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return tls


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
