"""Servers that answer every request alike: ours, and uvicorn with httptools and uvloop.

`python bench/noop.py ours|uvicorn PORT FOLDER`, with the certificate in FOLDER.
"""

import sys
from pathlib import Path
from typing import Any

from certs.pair import CERT, KEY
from webhook.server.http.messages import HttpResponse
from webhook.server.http.worker import Application
from webhook.server.process import Process, Serving
from webhook.server.tls import ServingCertificate

ANSWER = (
    b'{"response":{"uid":"bench","allowed":true},"apiVersion":"admission.k8s.io/v1",'
    b'"kind":"AdmissionReview"}'
)
TYPE = "application/json"


def ours(port: int, folder: Path) -> None:
    """Serve by our worker."""
    certificate = ServingCertificate(folder / CERT, folder / KEY, lambda *_, **__: None)
    certificate.load()
    response = HttpResponse("200 OK", [("Content-Type", TYPE)], ANSWER)
    start = lambda: Application(lambda _request: response)  # noqa: E731
    Process(Serving(f"127.0.0.1:{port}", certificate, start)).run()


async def app(_scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Read the body and answer (ASGI 3)."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", TYPE.encode()), (b"content-length", b"%d" % len(ANSWER))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


def uvicorn(port: int, folder: Path) -> None:
    """Serve by uvicorn."""
    import uvicorn  # noqa: PLC0415 - only this server needs it

    uvicorn.run(
        app,
        port=port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="error",
        ssl_certfile=str(folder / CERT),
        ssl_keyfile=str(folder / KEY),
    )


if __name__ == "__main__":
    {"ours": ours, "uvicorn": uvicorn}[sys.argv[1]](int(sys.argv[2]), Path(sys.argv[3]))
