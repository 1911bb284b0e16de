"""Which proxy a request to the API server takes.

The rules are Go's (golang.org/x/net/http/httpproxy), which kubectl and every component follow.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

if TYPE_CHECKING:
    from collections.abc import Mapping


def proxy_of(server: str, stated: str | None = None) -> str | None:
    """Return the URL of the proxy that leads to a server, None for none.

    `stated` is the kubeconfig's, which NO_PROXY does not lift.
    """
    return stated or proxy_from_environment(server, getproxies())


def proxy_from_environment(server: str, proxies: Mapping[str, str]) -> str | None:
    """Return the proxy for the server's scheme, unless `no` lists the server."""
    url = urlsplit(server)
    proxy = proxies.get(url.scheme)
    if not proxy or bypassed(url.hostname or "", url.port, proxies.get("no", "")):
        return None
    return proxy


def bypassed(host: str, port: int | None, no_proxy: str) -> bool:
    """Whether a host is reached without a proxy.

    | entry of no_proxy | bypasses |
    |---|---|
    | `*` | every host |
    | address or network | an address that is, or is in, it |
    | `.example.com` | its subdomains |
    | `example.com` | itself and its subdomains |
    | any with `:port` | that port only |
    """
    if host == "localhost" or _is_loopback(host):
        return True
    entries = (each.strip().lower() for each in no_proxy.split(","))
    return any(_entry_matches(each, host.lower(), port) for each in entries if each)


def _entry_matches(entry: str, host: str, port: int | None) -> bool:
    if entry == "*" or _in_network(host, entry):
        return True
    name, colon, only = entry.rpartition(":")
    if colon and only.isdecimal():
        return int(only) == port and _entry_matches(name.strip("[]"), host, port)
    suffix = entry.removeprefix("*").lstrip(".")
    return host.endswith("." + suffix) or (host == suffix and not entry.startswith((".", "*")))


def _in_network(host: str, entry: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
