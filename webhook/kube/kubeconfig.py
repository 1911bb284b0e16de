"""Which cluster, as whom: the one we run in, or a kubeconfig's; sends nothing.

The `kubernetes` package is imported where it is used: it takes a quarter of a second, and most
commands, and the completion of a word, ask no cluster.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from webhook.kube.connection import Connection
from webhook.kube.errors import library_errors_as_api_errors

if TYPE_CHECKING:
    from kubernetes.client.configuration import Configuration

USER_AGENT: Final = "gpu-sharing"
DEFAULT_NAMESPACE: Final = "default"
_OWN_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def connect(kubeconfig: str | None = None, *, context: str | None = None) -> Connection:
    """Open the cluster that a kubeconfig names, or, with neither argument, the one we run in.

    Outside of a cluster the default kubeconfig is used. Raises ApiError without a status when
    no usable configuration is found. Nothing is sent yet.
    """
    from kubernetes.client.api_client import ApiClient  # noqa: PLC0415 - see above
    from kubernetes.client.configuration import Configuration  # noqa: PLC0415 - see above

    configuration = Configuration()
    with library_errors_as_api_errors():
        _load(configuration, kubeconfig, context)
    configuration.retries = False  # the watcher's own policy retries, and tells of it
    configuration.keep_alive = True  # a watch whose peer vanished ends, in about 3 minutes
    api = ApiClient(configuration)
    api.user_agent = USER_AGENT
    return Connection(api)


def _load(configuration: Configuration, kubeconfig: str | None, context: str | None) -> None:
    from kubernetes import config  # noqa: PLC0415 - see above

    if kubeconfig is None and context is None:
        try:
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        except config.ConfigException:
            pass  # no service account here: a person's machine
        else:
            return
    config.load_kube_config(  # type: ignore[no-untyped-call]
        config_file=kubeconfig, context=context, client_configuration=configuration
    )


def current_namespace(kubeconfig: str | None = None, context: str | None = None) -> str:
    """The namespace that the kubeconfig's context names, or the one we run in; else `default`."""
    from kubernetes import config  # noqa: PLC0415 - see above

    try:
        contexts, active = config.list_kube_config_contexts(kubeconfig)  # type: ignore[no-untyped-call]
    except config.ConfigException:  # a pod with its own service account
        return _OWN_NAMESPACE.read_text() if _OWN_NAMESPACE.exists() else DEFAULT_NAMESPACE
    chosen = next((each for each in contexts if each["name"] == context), active)
    namespace: str = (chosen["context"] or {}).get("namespace") or DEFAULT_NAMESPACE
    return namespace
