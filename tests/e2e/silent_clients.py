"""Connections that say nothing, and large bodies that lack a byte: HOST PORT SILENT LARGE."""

import contextlib
import socket
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor

SECONDS = 8.0  # that they stay
BODY = 3 * 2**20  # bytes


def connect(host: str, port: str) -> socket.socket:
    """Open a connection that says nothing."""
    return socket.create_connection((host, int(port)), timeout=10)


def send(plain: socket.socket) -> ssl.SSLSocket | None:
    """Send nearly all of a body; None where too many others do, and it is refused."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    head = f"POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Length: {BODY}\r\n\r\n"
    with contextlib.suppress(OSError):
        begun = trusting.wrap_socket(plain)
        begun.sendall(head.encode() + b" " * (BODY - 1))
        return begun
    return None


def main(host: str, port: str, silent: str, large: str) -> None:
    """Open all of them, hold them for a while, and end."""
    held = [connect(host, port) for _ in range(int(silent))]
    with ThreadPoolExecutor(int(large)) as pool:
        held += filter(None, pool.map(send, [connect(host, port) for _ in range(int(large))]))
    time.sleep(SECONDS)
    for each in held:
        each.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
