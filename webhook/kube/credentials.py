"""What a user of a kubeconfig shows with each request: tokens, certificates, programs.

A program is asked as client-go asks it (k8s.io/client-go/plugin/pkg/client/auth/exec), and again
when its credentials have expired.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from webhook.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from webhook.kube.kubeconfig import Exec, KubeconfigCluster, KubeconfigUser, Login

INFO: Final = "KUBERNETES_EXEC_INFO"


class _CredentialStatus(msgspec.Struct, frozen=True, rename="camel"):
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None
    expiration_timestamp: datetime | None = None


class _ExecCredential(msgspec.Struct, frozen=True, rename="camel"):
    api_version: str
    kind: str
    status: _CredentialStatus


def authorization_of(login: Login, tls: ssl.SSLContext) -> Callable[[], Awaitable[str | None]]:
    """Return what gives the Authorization header of the next request, None for none.

    | the user has | header |
    |---|---|
    | token | Bearer, as it stands |
    | tokenFile | Bearer, read again each time |
    | username, password | Basic |
    | exec | Bearer of what the program prints; its certificate goes into `tls` |
    | auth-provider oidc | Bearer of its id-token |
    | a client certificate only | none |
    """
    user = login.user
    if user.exec is not None:
        return _Plugin(user.exec, login.cluster, tls).authorization
    fixed = None if user.token_file else _fixed(user)

    async def authorization() -> str | None:
        if user.token_file:
            return f"Bearer {Path(user.token_file).read_text().strip()}"
        return fixed

    return authorization


def _fixed(user: KubeconfigUser) -> str | None:
    if user.token:
        return f"Bearer {user.token}"
    if user.username:
        pair = f"{user.username}:{user.password or ''}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"
    if user.auth_provider is None:
        return None
    token = (user.auth_provider.config or {}).get("id-token")
    if user.auth_provider.name != "oidc" or not token:
        text = "is no longer built into clients; use the exec plugin of its maker"
        raise ApiError(None, f"auth-provider {user.auth_provider.name!r} {text}")
    return f"Bearer {token}"


def impersonation_of(user: KubeconfigUser) -> tuple[tuple[str, str], ...]:
    """Return the headers by which a user acts as somebody else (`as`, `as-groups`)."""
    if not user.as_user:
        return ()
    groups = tuple(("Impersonate-Group", each) for each in user.as_groups or ())
    return (("Impersonate-User", user.as_user), *groups)


def load_client_certificate(tls: ssl.SSLContext, user: KubeconfigUser) -> None:
    """Load the certificate that a user shows, if any, from its data or its files."""
    if not (user.client_certificate_data or user.client_certificate):
        return
    load_pair(
        tls,
        _content(user.client_certificate_data, user.client_certificate),
        _content(user.client_key_data, user.client_key or user.client_certificate),
    )


def load_pair(tls: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Load a certificate and its key, PEM. The ssl module takes them from files only."""
    with tempfile.TemporaryDirectory() as folder:  # of mode 0700
        both = Path(folder) / "pair.pem"
        both.write_bytes(certificate + b"\n" + key)
        tls.load_cert_chain(both)


def _content(data: str | None, path: str | None) -> bytes:
    if data:
        return base64.b64decode(data)
    return Path(path).read_bytes() if path else b""


class _Plugin:
    """Asks a program for credentials, and again when they have expired."""

    def __init__(self, plugin: Exec, cluster: KubeconfigCluster, tls: ssl.SSLContext) -> None:
        self._plugin, self._cluster, self._tls = plugin, cluster, tls
        self._status: _CredentialStatus | None = None
        self._lock = asyncio.Lock()

    async def authorization(self) -> str | None:
        """Return the header. The program may ask a person, so it runs in a thread."""
        async with self._lock:
            if self._status is None or _expired(self._status):
                self._status = await asyncio.to_thread(self._ask)
        token = self._status.token
        return f"Bearer {token}" if token else None

    def _ask(self) -> _CredentialStatus:
        status = run_plugin(self._plugin, self._cluster)
        if status.client_certificate_data and status.client_key_data:
            certificate = status.client_certificate_data.encode()
            load_pair(self._tls, certificate, status.client_key_data.encode())
        return status


def run_plugin(plugin: Exec, cluster: KubeconfigCluster) -> _CredentialStatus:
    """Run the program and return its credentials.

    Raises ApiError: it is missing, it failed, or it printed no ExecCredential.
    """
    spec: dict[str, object] = {"interactive": sys.stdin is not None and sys.stdin.isatty()}
    if plugin.provide_cluster_info:
        spec["cluster"] = _cluster_info(cluster)
    info = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    added = {each.name: each.value for each in plugin.env or ()}
    try:
        done = subprocess.run(  # noqa: S603 - what the kubeconfig names, as kubectl runs it
            [plugin.command, *(plugin.args or ())],
            env={**os.environ, **added, INFO: json.dumps(info)},
            stdout=subprocess.PIPE,
            check=True,
        )
        answer = msgspec.json.decode(done.stdout, type=_ExecCredential)
    except FileNotFoundError:
        hint = f"; {plugin.install_hint}" if plugin.install_hint else ""
        raise ApiError(None, f"the kubeconfig's {plugin.command} is not there{hint}") from None
    except subprocess.CalledProcessError as error:
        raise ApiError(None, f"{plugin.command} ended with {error.returncode}") from None
    except msgspec.DecodeError as error:
        raise ApiError(None, f"{plugin.command} printed no ExecCredential: {error}") from None
    return answer.status


def _cluster_info(cluster: KubeconfigCluster) -> dict[str, str | bool]:
    ca = cluster.certificate_authority
    info = {
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": cluster.certificate_authority_data
        or (ca and base64.b64encode(Path(ca).read_bytes()).decode()),
        "proxy-url": cluster.proxy_url,
    }
    return {key: value for key, value in info.items() if value}


def _expired(status: _CredentialStatus) -> bool:
    expiry = status.expiration_timestamp
    return expiry is not None and expiry.replace(tzinfo=expiry.tzinfo or UTC) <= datetime.now(UTC)
