"""Connections that say nothing, and some large bodies that begin: HOST PORT SILENT LARGE."""

import contextlib
import socket
import ssl
import sys
import time

SECONDS = 8.0  # that they stay
BODY = 3 * 2**20  # bytes


def main(host: str, port: str, silent: str, large: str) -> None:
    """Open all of them, hold them for a while, and end."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    held = [socket.create_connection((host, int(port)), timeout=10) for _ in range(int(silent))]
    for _ in range(int(large)):
        plain = socket.create_connection((host, int(port)), timeout=10)
        begun = trusting.wrap_socket(plain)
        held.append(begun)
        with contextlib.suppress(OSError):  # it is refused, as there are too many
            head = f"POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Length: {BODY}\r\n\r\n"
            begun.sendall(head.encode() + b" " * (BODY - 1))
    time.sleep(SECONDS)
    for each in held:
        each.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
