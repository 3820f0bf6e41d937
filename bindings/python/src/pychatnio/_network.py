"""What a configuration says of the way to a server, for clients that go it themselves."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from ._dial import address

__all__ = ["Network", "Proxy", "is_loopback", "of_environment"]

_Path = str | os.PathLike[str]


@dataclasses.dataclass(repr=False)
class Network:
    """The settings of a `Config` that count for the companion calls. Some are secrets: it is never shown."""

    connect: float = 10.0
    handshake: float = 10.0
    allow_plain: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    #: The URL of a proxy.
    proxy: str | None = None
    #: Whether the platform's root certificates count.
    trusts_platform: bool = True
    root_files: tuple[_Path, ...] = ()
    roots: tuple[bytes, ...] = ()
    accepts_any_certificate: bool = False
    client_certificate: tuple[_Path, _Path] | None = None
    key_log_file: _Path | None = None
    has_wall_clock: bool = False


class Proxy:
    """Where a proxy is, of a URL that the library has accepted."""

    def __init__(self, url: str) -> None:
        scheme, found, rest = url.strip().partition("://")
        parts = urlsplit(f"//{rest if found else scheme}")
        self.scheme: str = scheme.lower() if found else "http"
        self.host: str = parts.hostname or ""
        self.port: int = parts.port or 1080

    def __str__(self) -> str:
        return f"the proxy {self.scheme}://{address(self.host, self.port)}"


def is_loopback(host: str) -> bool:
    """Whether it is this machine by its very form (RFC 6761, section 6.3); no name is looked up."""
    name = host.lower().removesuffix(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def of_environment(url: str) -> str | None:
    """The proxy that the environment names for a server."""
    scheme, found, rest = url.strip().partition("://")
    host = urlsplit(f"//{rest if found else scheme}").hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return None
    proxies = getproxies_environment()
    is_tls = not found or scheme.lower() in ("wss", "https")
    return proxies.get("https" if is_tls else "http") or proxies.get("all")
