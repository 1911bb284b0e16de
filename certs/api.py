"""Requests that read and write whole objects.

They raise ApiError.
"""

from typing import Any, Final

from certs.secrets import Json
from webhook.kube.api_request import Body, Method
from webhook.kube.api_types import parse_json
from webhook.kube.client import ApiClient
from webhook.kube.errors import ApiError

SECONDS: Final = 15.0  # a request: a webhook behind a dry run may take all of its own 3 seconds


async def read_object(client: ApiClient, path: str) -> Json | None:
    """Return an object, None where there is none."""
    try:
        return parse_json(await client.get(path, timeout=SECONDS), dict[str, Any])
    except ApiError as error:
        if error.not_found:
            return None
        raise


async def send(client: ApiClient, method: Method, path: str, body: Body) -> None:
    """Create, replace or patch an object."""
    await client.send(method, path, body, timeout=SECONDS)
