"""The way through a proxy, over bytes: HTTP CONNECT and SOCKS5 (RFC 1928, RFC 1929)."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Generator

from .._network import Proxy
from .._status import Status
from ..errors import ChatNioError, error_of

__all__ = ["through"]

#: What yields bytes to send, and is sent what came.
Steps = Generator[bytes, bytes, None]

#: The longest head of a proxy's answer, in bytes.
_MAX_HEAD = 64 * 1024

#: How it ends.
_END = re.compile(rb"\n\r?\n")

_SOCKS = {
    1: "it has failed in itself",
    2: "it does not allow this connection",
    3: "it cannot reach the server's network",
    4: "it cannot reach the server",
    5: "the server refuses the connection",
    6: "the connection took too long",
    7: "it knows no CONNECT",
    8: "it knows no such addresses",
}


def through(proxy: Proxy, host: str, port: int, address: str | None) -> Steps:
    """Asks for the way to the server: by its address, where a SOCKS proxy is to be told that, else by its name.

    Raises:
        ProxyError: when there is none.
    """
    return _connect(proxy, host, port) if proxy.scheme == "http" else _socks(proxy, address or host, port)


def _connect(proxy: Proxy, host: str, port: int) -> Steps:
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if proxy.credentials is not None:
        given = base64.b64encode(":".join(proxy.credentials).encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {given}")
    out, head = "\r\n".join([*lines, "", ""]).encode(), b""
    end: re.Match[bytes] | None = None
    while end is None:
        data = yield out
        out = b""
        seen = max(len(head) - 2, 0)
        head += data
        end = _END.search(head, seen)
        is_http = head.startswith(b"HTTP/1."[: len(head)])
        if not data or not is_http or len(head) > _MAX_HEAD:
            raise _no_proxy(proxy)
    line = head.partition(b"\n")[0].strip()
    words = line.split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or len(words[1]) != 3 or not words[1].isdigit():
        raise _no_proxy(proxy)
    status = int(words[1])
    if status in (401, 407):  # 401 is what tinyproxy says to a wrong password.
        raise _unauthenticated(proxy)
    if not 200 <= status < 300:
        raise error_of(Status.PROXY_REFUSED, f"the proxy {proxy} answered HTTP {status}", status)
    # A refusal has a page behind its head. Behind the way to a server nothing comes before that is asked.
    if end.end() < len(head):
        raise _no_proxy(proxy)


def _socks(proxy: Proxy, host: str, port: int) -> Steps:
    came = bytearray()

    def take(count: int, out: bytes) -> Generator[bytes, bytes, bytes]:
        while len(came) < count:
            data = yield out
            out = b""
            if not data:
                raise _no_proxy(proxy)
            came.extend(data)
        part = bytes(came[:count])
        del came[:count]
        return part

    methods = b"\x00\x02" if proxy.credentials is not None else b"\x00"
    version, method = yield from take(2, bytes([5, len(methods)]) + methods)
    if version != 5:
        raise _no_proxy(proxy)
    if method == 2 and proxy.credentials is not None:
        user, password = (part.encode() for part in proxy.credentials)
        accepted = yield from take(2, bytes([1, len(user)]) + user + bytes([len(password)]) + password)
        if accepted[1]:
            raise _unauthenticated(proxy)
    elif method:
        raise _unauthenticated(proxy)
    version, reply, _, kind = yield from take(4, b"\x05\x01\x00" + _address(host) + port.to_bytes(2, "big"))
    if version != 5:
        raise _no_proxy(proxy)
    if reply:
        why = _SOCKS.get(reply, "it does not say why")
        raise error_of(Status.PROXY_REFUSED, f"the proxy {proxy} did not connect: {why}")
    length = {1: 4, 4: 16}.get(kind) or (yield from take(1, b""))[0]
    yield from take(length + 2, b"")
    if came:
        raise _no_proxy(proxy)


def _address(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # In its ASCII form already.
        name = host.encode()
        if len(name) > 255:
            raise error_of(Status.RESOLVE, f"cannot look up {host}: it is no name") from None
        return bytes([3, len(name)]) + name
    return (b"\x01" if address.version == 4 else b"\x04") + address.packed


def _no_proxy(proxy: Proxy) -> ChatNioError:
    return error_of(Status.NOT_A_PROXY, f"{proxy} does not answer as a proxy of this kind: check the proxy's URL")


def _unauthenticated(proxy: Proxy) -> ChatNioError:
    given = proxy.credentials is not None
    why = "does not take this user name and password" if given else "wants a user name and a password"
    return error_of(Status.PROXY_AUTH, f"the proxy {proxy} {why}")
