"""A mutating webhook that removes a pod's affinity: what a careless neighbour might do."""

import base64
import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from certs.pair import AUTHORITY, CERT, KEY, write_pair


class Stripper(BaseHTTPRequestHandler):
    """Answers each review with a patch that removes /spec/affinity, if there is one."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer one review."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = body["request"]
        response = {"uid": asked["uid"], "allowed": True}
        if "affinity" in asked["object"]["spec"]:
            patch = json.dumps([{"op": "remove", "path": "/spec/affinity"}]).encode()
            response |= {"patchType": "JSONPatch", "patch": base64.b64encode(patch).decode()}
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
    server = ThreadingHTTPServer((address, int(port)), Stripper)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
