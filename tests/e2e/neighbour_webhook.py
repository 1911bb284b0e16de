"""A mutating webhook that does to pods what other projects' webhooks do, by the path called."""

import base64
import copy
import json
import ssl
import sys
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import jsonpatch

from certs.pair import AUTHORITY, CERT, KEY, write_pair

Json = dict[str, Any]
DEFAULTS: Final = {"cpu": "100m", "memory": "128Mi"}
GPU: Final = "nvidia.com/gpu"


def strip(pod: Json) -> None:
    """Remove the affinity, as a careless webhook might."""
    pod["spec"].pop("affinity", None)


def istio(pod: Json) -> None:
    """Inject an init container that needs NET_ADMIN, a proxy, and a volume for it."""
    if any(each["name"] == "istio-proxy" for each in pod["spec"]["containers"]):
        return
    capable = {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}, "runAsUser": 0}
    init = {"name": "istio-init", "image": "istio/proxyv2", "securityContext": capable}
    mounts = [{"name": "istio-envoy", "mountPath": "/etc/istio/proxy"}]
    proxy = {"name": "istio-proxy", "image": "istio/proxyv2", "volumeMounts": mounts}
    pod["spec"].setdefault("initContainers", []).insert(0, init)
    pod["spec"]["containers"].insert(0, proxy | {"resources": {"requests": DEFAULTS}})
    pod["spec"].setdefault("volumes", []).append({"name": "istio-envoy", "emptyDir": {}})
    pod["metadata"].setdefault("annotations", {})["sidecar.istio.io/status"] = "{}"


def kueue(pod: Json) -> None:
    """Hold the pod back with a gate until its workload is admitted."""
    gate = {"name": "kueue.x-k8s.io/admission"}
    pod["spec"]["schedulingGates"] = [gate]
    pod["metadata"]["labels"]["kueue.x-k8s.io/managed"] = "true"
    pod["metadata"]["finalizers"] = ["kueue.x-k8s.io/managed"]


def kai(pod: Json) -> None:
    """Hand the pod to KAI's scheduler and a queue of it."""
    pod["spec"]["schedulerName"] = "kai-scheduler"
    pod["metadata"]["labels"]["kai.scheduler/queue"] = "default"


def hami(pod: Json) -> None:
    """Hand a pod that asks `nvidia.com/gpu` to HAMi's scheduler, and no other."""
    for container in pod["spec"]["containers"]:
        if GPU in container.get("resources", {}).get("limits", {}):
            pod["spec"]["schedulerName"] = "hami-scheduler"


def engine(pod: Json) -> None:
    """Add requests and limits that are missing, as a policy engine's rule does."""
    for container in pod["spec"]["containers"]:
        resources = container.setdefault("resources", {})
        for kind in ("limits", "requests"):
            resources[kind] = {**DEFAULTS, **resources.get(kind, {})}


def overwriting(pod: Json) -> None:
    """Replace all resources of the first container, whatever stood there."""
    pod["spec"]["containers"][0]["resources"] = {"limits": {**DEFAULTS, GPU: "1"}}


def vpa(pod: Json) -> None:
    """Set the requests that were recommended, and say so."""
    for container in pod["spec"]["containers"]:
        container.setdefault("resources", {}).setdefault("requests", {}).update(DEFAULTS)
    pod["metadata"].setdefault("annotations", {})["vpaUpdates"] = "Pod resources updated"


BEHAVIOURS: Final[Mapping[str, Callable[[Json], None]]] = {
    each.__name__: each for each in (strip, istio, kueue, kai, hami, engine, overwriting, vpa)
}


class Neighbour(BaseHTTPRequestHandler):
    """Answers each review with what the behaviour of the path changes."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer one review."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = body["request"]
        after = copy.deepcopy(asked["object"])
        BEHAVIOURS[self.path.strip("/").partition("?")[0]](after)
        patch = jsonpatch.make_patch(asked["object"], after).to_string().encode()
        response = {"uid": asked["uid"], "allowed": True, "patchType": "JSONPatch"}
        response["patch"] = base64.b64encode(patch).decode()
        answer = json.dumps({**body, "request": None, "response": response}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def main(address: str, port: str, folder: str) -> None:
    """Serve until killed; `ca.b64` in the folder is for the caBundle."""
    place = Path(folder)
    write_pair(place, [address])
    (place / "ca.b64").write_bytes(base64.b64encode((place / AUTHORITY).read_bytes()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place / CERT, place / KEY)
    server = ThreadingHTTPServer((address, int(port)), Neighbour)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
