"""A minimal client of the API server: raw JSON there and back, small errors; knows no resource.

From the `kubernetes` package it takes configuration and HTTP, never the models.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal

import msgspec
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 10.0  # a webhook behind a dry run may take all of its own 3 seconds
MESSAGE_LIMIT: Final = 1000  # characters: a proxy may answer with a whole page, and this is logged
JSON: Final = "application/json"
JSON_PATCH: Final = "application/json-patch+json"
USER_AGENT: Final = "gpu-sharing-certs"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One request as plain data. `body` is an object, or for PATCH a list of operations."""

    method: Literal["GET", "POST", "PUT", "PATCH"]
    path: str
    body: object = None
    dry_run: bool = False


Api = Callable[[Request], Json]  # raises ApiError


class ApiError(Exception):
    """A request failed: `status` is the HTTP status, or None if no answer came at all."""

    def __init__(self, status: int | None, message: str) -> None:
        self.status = status
        self.message = " ".join(message.split())[:MESSAGE_LIMIT]
        super().__init__(self.message if status is None else f"HTTP {status}: {self.message}")


class ForbiddenError(ApiError):
    """403: by authorization, or by admission."""


class NotFoundError(ApiError):
    """404: the object, or its namespace, is not there."""


class ConflictError(ApiError):
    """409: someone else wrote or created it first; read again."""


_ERRORS: Final[Mapping[int, type[ApiError]]] = {
    HTTPStatus.FORBIDDEN: ForbiddenError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.CONFLICT: ConflictError,
}


class _Status(msgspec.Struct):
    message: str = ""


def connect(kubeconfig: str | None = None) -> Api:
    """Open the cluster of a kubeconfig, or without one that in which we run, else the default.

    Nothing is sent yet. Raises ApiError without a status when no usable configuration is found.
    """
    configuration = Configuration()
    with _translated():
        _load(configuration, kubeconfig)
    configuration.retries = False  # the next look retries
    api = ApiClient(configuration)
    api.user_agent = USER_AGENT

    def call(request: Request) -> Json:
        with _translated():
            return _send(api, request)

    return call


def failure(status: int, body: bytes) -> ApiError:
    """Make the error that an answer stands for."""
    try:
        message = msgspec.json.decode(body, type=_Status).message
    except msgspec.MsgspecError:
        message = body.decode(errors="replace")
    return _ERRORS.get(status, ApiError)(status, message)


def _load(configuration: Configuration, kubeconfig: str | None) -> None:
    if kubeconfig is None:
        try:
            load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        except ConfigException:
            pass  # no service account here: a person's machine
        else:
            return
    load_kube_config(config_file=kubeconfig, client_configuration=configuration)  # type: ignore[no-untyped-call]


def _send(api: ApiClient, request: Request) -> Json:
    # The token is asked for with each request: service account tokens rotate hourly.
    method, url, headers, body, _ = api.param_serialize(
        request.method,
        request.path,
        query_params=[("dryRun", "All")] if request.dry_run else [],
        header_params={
            "Accept": JSON,
            "Content-Type": JSON_PATCH if request.method == "PATCH" else JSON,
        },
        body=request.body,
        auth_settings=["BearerToken"],
    )
    timeouts = (CONNECT_SECONDS, READ_SECONDS)
    answer = api.call_api(method, url, headers, body, _request_timeout=timeouts).response
    with answer:
        data: bytes = answer.read()
    if answer.status not in (HTTPStatus.OK, HTTPStatus.CREATED):
        raise failure(answer.status, data)
    return msgspec.json.decode(data, type=Json)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn every error of the libraries below into ApiError without a status.

    Every one: urllib3, ssl, yaml, and plugins that fetch tokens, have no common base.
    """
    try:
        yield
    except ApiError:
        raise
    except Exception as error:
        raise ApiError(None, f"{type(error).__name__}: {error}") from error
