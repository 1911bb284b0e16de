"""Which cluster, as whom: the service account of the pod, or a kubeconfig.

The `kubernetes` package is imported only where a kubeconfig is read: that takes a whole second of
CPU on a small machine, and a webhook in its pod needs none of it.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from urllib.request import getproxies

from webhook.kube.errors import ApiError, library_errors_as_api_errors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from kubernetes.client.configuration import Configuration

DEFAULT_NAMESPACE: Final = "default"
SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """Where an API server is and what it is shown.

    `server` is its URL; `authorization` returns the header for the next request, None for none;
    `server_name` is the name in its certificate, where that is not its host; `proxy` is a URL.
    """

    server: str
    tls: ssl.SSLContext
    authorization: Callable[[], Awaitable[str | None]]
    server_name: str | None = None
    proxy: str | None = None


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

    proxies = getproxies()
    proxy = _proxy_unless_bypassed(proxies.get("https"), server, proxies.get("no"))
    return ClusterConfig(server, tls, authorization, proxy=proxy)


def _load_kubeconfig(path: str | None, context: str | None) -> ClusterConfig:
    from kubernetes import config  # noqa: PLC0415 - see above
    from kubernetes.client.configuration import Configuration  # noqa: PLC0415 - see above

    found = Configuration()
    config.load_kube_config(  # type: ignore[no-untyped-call]
        config_file=path, context=context, client_configuration=found
    )

    async def authorization() -> str | None:
        # A token may come from a plugin, which is a process that may ask a person.
        header: str | None = await asyncio.to_thread(found.get_api_key_with_prefix, "BearerToken")
        return header

    if not urlsplit(found.host).hostname:
        raise ApiError(None, f"the server of the cluster is no URL: {found.host!r}")
    return ClusterConfig(
        found.host,
        _tls_of(found),
        authorization,
        found.tls_server_name or None,
        _proxy_unless_bypassed(found.proxy, found.host, found.no_proxy),
    )


def current_namespace(kubeconfig: str | None = None, context: str | None = None) -> str:
    """Returns the namespace of the kubeconfig's context, or the one we run in.

    Without either it is `default`.
    """
    from kubernetes import config  # noqa: PLC0415 - see above

    try:
        contexts, active = config.list_kube_config_contexts(kubeconfig)  # type: ignore[no-untyped-call]
    except config.ConfigException:  # a pod with its own service account
        own = SERVICE_ACCOUNT / "namespace"
        return own.read_text() if own.exists() else DEFAULT_NAMESPACE
    chosen = next((each for each in contexts if each["name"] == context), active)
    namespace: str = (chosen["context"] or {}).get("namespace") or DEFAULT_NAMESPACE
    return namespace


def _tls_of(found: Configuration) -> ssl.SSLContext:
    tls = _tls_context(found.ssl_ca_cert)
    if not found.verify_ssl:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    if found.cert_file:
        tls.load_cert_chain(found.cert_file, found.key_file)
    return tls


def _tls_context(ca: str | Path | None) -> ssl.SSLContext:
    tls = ssl.create_default_context(cafile=ca)
    # From Python 3.13 on certificates need extensions that CAs of clusters often lack.
    tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return tls


def _proxy_unless_bypassed(proxy: str | None, server: str, bypass: str | None) -> str | None:
    if not proxy:
        return None
    from kubernetes.client.rest import should_bypass_proxies  # noqa: PLC0415 - see above

    return None if should_bypass_proxies(server, bypass or "") else proxy


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
