"""Kubeconfigs: the files that say which cluster, and as whom.

Read as client-go reads them (k8s.io/client-go/tools/clientcmd): KUBECONFIG may name several
files, the first that names a thing wins, and paths in a file are relative to its folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import yaml

from webhook.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT_FILE: Final = Path("~/.kube/config")
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class KubeconfigCluster(msgspec.Struct, frozen=True, rename="kebab"):
    """Where an API server is, and how it is recognised."""

    server: str = ""
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool = False
    proxy_url: str | None = None


class EnvironmentVariable(msgspec.Struct, frozen=True):
    """A variable that a plugin is given."""

    name: str
    value: str


class Exec(msgspec.Struct, frozen=True, rename="camel"):
    """A program that prints credentials (client.authentication.k8s.io)."""

    command: str
    api_version: str
    args: list[str] | None = None
    env: list[EnvironmentVariable] | None = None
    install_hint: str | None = None
    provide_cluster_info: bool = False


class AuthProvider(msgspec.Struct, frozen=True):
    """A login of a kind that client-go had built in."""

    name: str
    config: dict[str, Any] | None = None


class KubeconfigUser(msgspec.Struct, frozen=True, rename="kebab"):
    """What a person shows the API server."""

    token: str | None = None
    token_file: str | None = msgspec.field(default=None, name="tokenFile")
    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: str | None = None
    username: str | None = None
    password: str | None = None
    as_user: str | None = msgspec.field(default=None, name="as")
    as_groups: list[str] | None = None
    exec: Exec | None = None
    auth_provider: AuthProvider | None = None


class KubeconfigContext(msgspec.Struct, frozen=True):
    """A cluster, a user and a namespace that go together."""

    cluster: str = ""
    user: str = ""
    namespace: str | None = None


class _NamedCluster(msgspec.Struct, frozen=True):
    name: str
    cluster: KubeconfigCluster | None = None


class _NamedUser(msgspec.Struct, frozen=True):
    name: str
    user: KubeconfigUser | None = None


class _NamedContext(msgspec.Struct, frozen=True):
    name: str
    context: KubeconfigContext | None = None


class _File(msgspec.Struct, frozen=True, rename="kebab"):
    clusters: list[_NamedCluster] | None = None
    users: list[_NamedUser] | None = None
    contexts: list[_NamedContext] | None = None
    current_context: str | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """What one context of a kubeconfig amounts to."""

    cluster: KubeconfigCluster
    user: KubeconfigUser
    namespace: str | None


def kubeconfig_files(path: str | None, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the files to read: the named one, those of KUBECONFIG, or the default."""
    if path is not None:
        return (Path(path).expanduser(),)
    listed = [each for each in environ.get("KUBECONFIG", "").split(os.pathsep) if each]
    return tuple(Path(each).expanduser() for each in listed or (DEFAULT_FILE,))


def read_login(files: Iterable[Path], context: str | None = None) -> Login:
    """Return the login of a context, or of the current one.

    Files that do not exist are skipped, as by kubectl. Raises ApiError without a status: a file
    cannot be read, or does not say what it must, with what to write instead.
    """
    asked = tuple(files)
    found = [(each, _read(each)) for each in asked if each.exists()]
    where = ", ".join(map(str, asked))
    if not found:
        raise ApiError(None, f"there is no kubeconfig: {where}; see --kubeconfig, KUBECONFIG")
    contexts: dict[str, KubeconfigContext] = {}
    for _, file in found:
        for each in file.contexts or ():
            contexts.setdefault(each.name, each.context or KubeconfigContext())
    name = context or next((f.current_context for _, f in found if f.current_context), None)
    if name is None:
        raise ApiError(None, f"{where}: no current-context; name one with --context")
    if name not in contexts:
        raise ApiError(None, f"{where}: no context {name!r}; there are: {_names(contexts)}")
    return _login(found, contexts[name], where)


def _login(found: list[tuple[Path, _File]], context: KubeconfigContext, where: str) -> Login:
    clusters: dict[str, tuple[Path, KubeconfigCluster]] = {}
    users: dict[str, tuple[Path, KubeconfigUser]] = {}
    for path, file in found:
        for one in file.clusters or ():
            clusters.setdefault(one.name, (path, one.cluster or KubeconfigCluster()))
        for each in file.users or ():
            users.setdefault(each.name, (path, each.user or KubeconfigUser()))
    if context.cluster not in clusters:
        text = f"{where}: no cluster {context.cluster!r}; there are: {_names(clusters)}"
        raise ApiError(None, text)
    if context.user and context.user not in users:
        raise ApiError(None, f"{where}: no user {context.user!r}; there are: {_names(users)}")
    at, cluster = clusters[context.cluster]
    by, user = users.get(context.user, (at, KubeconfigUser()))
    return Login(_cluster_at(at.parent, cluster), _user_at(by.parent, user), context.namespace)


def _read(path: Path) -> _File:
    try:
        document = yaml.load(path.read_bytes(), _Loader)  # noqa: S506 - a safe loader, in C
        return msgspec.convert(document or {}, _File, strict=False)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ApiError(None, f"{path} is no kubeconfig: {error}") from None


def _names(entries: Mapping[str, object]) -> str:
    return ", ".join(sorted(entries)) or "none"


def _cluster_at(folder: Path, cluster: KubeconfigCluster) -> KubeconfigCluster:
    ca = _beside(folder, cluster.certificate_authority)
    return msgspec.structs.replace(cluster, certificate_authority=ca)


def _user_at(folder: Path, user: KubeconfigUser) -> KubeconfigUser:
    plugin = user.exec
    if plugin is not None and os.sep in plugin.command:
        command = str(folder / plugin.command)
        plugin = msgspec.structs.replace(plugin, command=command)
    return msgspec.structs.replace(
        user,
        token_file=_beside(folder, user.token_file),
        client_certificate=_beside(folder, user.client_certificate),
        client_key=_beside(folder, user.client_key),
        exec=plugin,
    )


def _beside(folder: Path, path: str | None) -> str | None:
    return str(folder / path) if path else None
