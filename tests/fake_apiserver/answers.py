"""What the API server answers: bodies, and the errors in its own words."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fake_apiserver.paths import Json, ResourcePath

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; `warnings` become Warning headers."""

    status: int
    body: bytes
    warnings: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)


class StatusError(Exception):
    """A request is refused with a Status object."""

    def __init__(self, code: int, message: str, *causes: Json) -> None:
        super().__init__(message)
        self.answer = status(code, message, *causes)


def json_answer(code: int, body: object, warnings: tuple[str, ...] = (), **headers: str) -> Answer:
    """An answer with any JSON; `_` in the name of a header stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(code, json.dumps(body).encode(), warnings, named)


def text_answer(code: int, text: str) -> Answer:
    """An answer with any text, such as the HTML page of a proxy."""
    return Answer(code, text.encode(), headers={"Content-Type": "text/plain"})


def status_body(code: int, message: str, *causes: Json) -> Json:
    """A Status object; `causes` are {reason, message, field}."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": REASONS.get(code, "Unknown"),
        "code": code,
    }
    return body | ({"details": {"causes": list(causes)}} if causes else {})


def status(code: int, message: str = "no", *causes: Json, **headers: str) -> Answer:
    """A failure as the API server tells it."""
    return json_answer(code, status_body(code, message, *causes), **headers)


def not_found(path: ResourcePath) -> StatusError:
    return StatusError(404, f"{path.title} not found")


def already_exists(path: ResourcePath) -> StatusError:
    return StatusError(409, f"{path.title} already exists")


def conflict(path: ResourcePath) -> StatusError:
    return StatusError(
        409,
        f"Operation cannot be fulfilled on {path.title}: the object has been modified; please "
        "apply your changes to the latest version and try again",
    )


def forbidden(path: ResourcePath, verb: str) -> StatusError:
    """The answer of authorization, as the API server words it."""
    where = f'in the namespace "{path.scope}"' if path.scope else "at the cluster scope"
    subject = path.title if path.name else path.resource
    return StatusError(
        403,
        f'{subject} is forbidden: User "jane" cannot {verb} resource "{path.right}" '
        f'in API group "{path.group}" {where}',
    )


def denied(webhook: str, message: str, *causes: Json, code: int = 403) -> StatusError:
    """The answer to what an admission webhook refused."""
    text = f'admission webhook "{webhook}" denied the request: {message}'
    return StatusError(code, text, *causes)
