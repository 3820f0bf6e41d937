"""Settings, shared by any number of sessions, connections and clients."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Literal

from ._boundary import Owner, constructed_plain, error_text
from ._native import ffi, lib
from ._network import Network, of_environment
from ._status import Status
from ._text import CData, checked, encoded
from .errors import ChatNioError, InvalidArgumentError, error_of

__all__ = ["Config"]


#: The default of `connect`: an asyncio loop connects by itself.
CONNECT = 10.0

#: What a wall clock's function has raised, by thread: the library cannot pass it on.
_raised: dict[int, BaseException] = {}


def _keep(_kind: type[BaseException], error: BaseException, _traceback: TracebackType) -> None:
    _raised.setdefault(threading.get_ident(), error)


# No certificate is valid as early as 0.
@ffi.def_extern(error=0, onerror=_keep)  # type: ignore[untyped-decorator]
def pychatnio_wall_clock(user_data: CData) -> int:
    """What the library calls when it checks a certificate."""
    clock: Callable[[], float] = ffi.from_handle(user_data)
    return milliseconds("wall_clock", clock()) // 1000


def raise_of_clock() -> None:
    """Raises what a wall clock's function has raised in what this thread has called."""
    error = _raised.pop(threading.get_ident(), None) if _raised else None
    if error is not None:
        raise error


class Config(Owner):
    """Settings. They never change, and one configuration is for any number of connections, on any threads: make one
    and give it to all, for it owns the root certificates, which take some 10 ms to load.

    Args:
        keep_alive: Sends a keep-alive after so many seconds without a message in either direction. 25.
        first_frame: How many seconds a turn's first frame may take. 120: a web search comes before it.
        next_frame: How many seconds each further frame may take. 120. A video job sends a frame only when its progress
            changes, and may take 30 minutes: give such a question more.
        answer_within: How many seconds a whole answer may take, from when its request goes out. Off: answers may be long,
            and a video job takes up to 30 minutes.
        after_stop: How many seconds a turn may go on after its stop was sent. 10.
        settle: How many seconds the server is left in peace after the end of an answer, before a request goes out that
            it could lose: one that has no answer, and any at all when the stop was repeated. Also before any question
            once the server has ended a turn by a notice, without the opener that its turns have. Such a request is
            accepted at once, and held. A connection that is lost, made anew or dropped meanwhile loses it. 0.25.
        stop_repeats: When a stop is sent again, in seconds from the first, in rising order, because servers may swallow
            a stop. 0.15, 1, 2 and 4; an empty sequence for never.
        max_message: The longest message to accept, in bytes. 32 MiB; connections and clients accept 256 MiB at most.
        max_request: The longest message to send, in bytes. 8 MiB. Four times as much may wait to be sent.
        max_answer: The longest answer to accept, in bytes of its text. 64 MiB.
        keep_text: Gathers the text in the answer. On; a host that only wants the pieces can spare the memory.
        auth_at_once: Sends the authentication at once, and not with the first request. Off: servers do not reserve a
            new conversation's id, so two idle connections would share one.
        record: Records what is sent and received, without tokens, for `transcript()`. Off.
        max_recording: How much to record, in bytes; what comes after is left out. 64 MiB.
        connect: How many seconds name look-up and TCP connect may take together. 10.
        handshake: How many seconds the way through a proxy and the TLS and WebSocket handshakes may take together. 10.
        ping_after: Sends a WebSocket ping after so many seconds without a byte from the server. 30. It keeps open what a
            gateway closes when it is silent (nginx after 60 seconds), such as the connection of a video job.
        pong_within: How many seconds its answer may take before the connection counts as dead. 10.
        close: How many seconds the server may take to answer a closing. 3.
        allow_token_over_plain_ws: Lets a token go over plain `ws://` to another machine, be it the server's or the
            proxy's, where everybody on the way can read it. Off.
        headers: Headers to add to the WebSocket handshake, for a proxy that wants them. Their values are never shown.
        proxy: The URL of a proxy to go through: `http://`, `socks5://` or `socks5h://` (which looks names up itself), with
            a user name and a password before an `@`, which are never shown. None; the environment is not looked at.
        proxy_from_env: The URL of a server: goes through the proxy that the environment names for it, as curl has it
            (`https_proxy`, `http_proxy`, `all_proxy`, `no_proxy`), if there is one. Never for loopback.
        connect_retries: How often a client tries again to connect after it was throttled, refused or lost before the
            WebSocket was open, or a gateway's server was away: all within `connect` and `handshake` together, and
            not where the server asks for more than 60 seconds. A question that was sent is never sent again. 2; 0 for never.
        connects_per_second: How often a second all clients with this configuration may connect together. No limit.
        client_certificate: A certificate to show to servers that ask for one: a file in PEM with the chain and the key,
            or one file for each.
        key_log_file: A file for the secrets of the TLS sessions, with which programs such as Wireshark, and everybody
            else who has it, can read all that is sent.
        trust: `"platform"`: the platform's root certificates and the added ones; `"added"`: only those.
        root_files: Files of root certificates to add: any number in PEM, or one in DER.
        roots: Root certificates to add: PEM as `str` or `bytes`, or DER.
        dangerous_accept_any_certificate: Accepts every certificate, so that anybody on the way can read and change
            everything. For experiments with one's own server only.
        wall_clock: What time it is when a certificate is checked, in seconds since 1970: a number, or a function, which
            must not use this package. What it raises comes out of the call that connects or gives what was received, and
            the certificate is not valid. The process aborts where a daemon thread is in it when the interpreter ends. The
            system's clock.

    `None` leaves the default; for a deadline or limit 0 is no limit.

    Raises:
        InvalidArgumentError: for a setting that cannot be; the text says which and why.
    """

    __slots__ = ("_clock", "_connect", "_network", "_shown")

    _release = lib.chatnio_config_free

    def __init__(
        self,
        *,
        keep_alive: float | None = None,
        first_frame: float | None = None,
        next_frame: float | None = None,
        answer_within: float | None = None,
        after_stop: float | None = None,
        settle: float | None = None,
        stop_repeats: Sequence[float] | None = None,
        max_message: int | None = None,
        max_request: int | None = None,
        max_answer: int | None = None,
        keep_text: bool | None = None,
        auth_at_once: bool | None = None,
        record: bool | None = None,
        max_recording: int | None = None,
        connect: float | None = None,
        handshake: float | None = None,
        ping_after: float | None = None,
        pong_within: float | None = None,
        close: float | None = None,
        allow_token_over_plain_ws: bool | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        proxy_from_env: str | None = None,
        connect_retries: int | None = None,
        connects_per_second: int | None = None,
        client_certificate: str | os.PathLike[str] | tuple[str | os.PathLike[str], str | os.PathLike[str]] | None = None,
        key_log_file: str | os.PathLike[str] | None = None,
        trust: Literal["platform", "added"] | None = None,
        root_files: Sequence[str | os.PathLike[str]] = (),
        roots: Sequence[str | bytes] = (),
        dangerous_accept_any_certificate: bool = False,
        wall_clock: float | Callable[[], float] | None = None,
    ) -> None:
        self._handle = constructed_plain(lib.chatnio_config_new, "chatnio_config")
        self._connect = CONNECT if connect is None else connect
        self._clock: CData = None
        self._shown: dict[str, object] = {}
        self._network = Network()
        # First: as with tokens, a traceback that shows variables shows no value.
        refusal = self._add_headers(headers or {})
        del headers
        if refusal is None and proxy is not None:
            refusal = self._set_proxy(proxy)
        del proxy
        if refusal is None and proxy_from_env is not None:
            refusal = self._set_proxy_from_env(proxy_from_env)
        del proxy_from_env
        if refusal is not None:
            raise refusal
        for name, seconds in (
            ("keep_alive", keep_alive),
            ("first_frame", first_frame),
            ("next_frame", next_frame),
            ("answer_within", answer_within),
            ("after_stop", after_stop),
            ("settle", settle),
            ("connect", connect),
            ("handshake", handshake),
            ("ping_after", ping_after),
            ("pong_within", pong_within),
            ("close", close),
        ):
            if seconds is not None:
                self._set(name, seconds, milliseconds(name, seconds))
        for name, size in (
            ("max_message", max_message),
            ("max_request", max_request),
            ("max_answer", max_answer),
            ("max_recording", max_recording),
        ):
            if size is not None:
                self._set(name, size, _size(name, size))
        for name, on in (
            ("keep_text", keep_text),
            ("auth_at_once", auth_at_once),
            ("record", record),
            ("allow_token_over_plain_ws", allow_token_over_plain_ws),
        ):
            if on is not None:
                # The text "false" is true.
                checked(on, bool, name)
                self._set(name, on, on)
        network = self._network
        network.connect = self._connect
        network.handshake = network.handshake if handshake is None else handshake
        network.allow_plain = bool(allow_token_over_plain_ws)
        if stop_repeats is not None:
            times = [milliseconds("stop_repeats", time) for time in stop_repeats]
            self._set("stop_repeats", list(stop_repeats), ffi.new("uint64_t[]", times), len(times))
        for name, count, of in (
            ("connect_retries", connect_retries, "tries"),
            ("connects_per_second", connects_per_second, "connections"),
        ):
            if count is not None:
                self._set(name, count, min(_size(name, count, of), 2**32 - 1))
        if client_certificate is not None:
            files = client_certificate if isinstance(client_certificate, tuple) else (client_certificate, client_certificate)
            chain, key = (encoded(os.fspath(file), "the path of a certificate file") for file in files)
            self._call(lib.chatnio_config_set_client_certificate_file, chain, len(chain), key, len(key))
            network.client_certificate = files
        if key_log_file is not None:
            path = encoded(os.fspath(key_log_file), "the path of the key log file")
            self._call(lib.chatnio_config_set_key_log_file, path, len(path))
            network.key_log_file = key_log_file
        if trust is not None:
            checked(trust, str, "trust")
            if trust not in _TRUST:
                raise _invalid("trust", trust, 'is "platform" or "added"')
            self._set("trust", trust, _TRUST[trust])
            network.trusts_platform = trust == "platform"
        if isinstance(root_files, (str, os.PathLike)) or isinstance(roots, (str, bytes)):
            raise TypeError("root_files and roots are sequences: put a single one into a list")
        for file in root_files:
            path = encoded(os.fspath(file), "the path of a root file")
            self._call(lib.chatnio_config_add_root_file, path, len(path))
            network.root_files += (file,)
        for root in roots:
            checked(root, (str, bytes, bytearray, memoryview), "a root certificate")
            data = encoded(root, "a root certificate") if isinstance(root, str) else bytes(memoryview(root))
            is_pem = isinstance(root, str) or b"-----BEGIN" in data
            add = lib.chatnio_config_add_roots_pem if is_pem else lib.chatnio_config_add_root_der
            self._call(add, data, len(data))
            network.roots += (data,)
        checked(dangerous_accept_any_certificate, bool, "dangerous_accept_any_certificate")
        if dangerous_accept_any_certificate:
            self._shown["dangerous_accept_any_certificate"] = True
            self._call(lib.chatnio_config_dangerous_accept_any_certificate)
            network.accepts_any_certificate = True
        network.has_wall_clock = wall_clock is not None
        if callable(wall_clock):
            self._clock = ffi.new_handle(wall_clock)
            self._call(lib.chatnio_config_set_wall_clock_callback, lib.pychatnio_wall_clock, self._clock)
        elif wall_clock is not None:
            self._set("wall_clock", wall_clock, milliseconds("wall_clock", wall_clock) // 1000)

    def load_roots(self) -> None:
        """Loads the root certificates now, which takes some milliseconds, and not for the first encrypted connection.

        Raises:
            InvalidArgumentError, TLSError, SystemFailureError: when there are none. It may be tried again.
        """
        self._call(lib.chatnio_config_load_roots)

    def _set(self, name: str, shown: object, *value: object) -> None:
        self._shown[name] = shown
        self._call(getattr(lib, f"chatnio_config_set_{name}"), *value)

    def _set_proxy(self, proxy: str) -> Exception | None:
        """Sets a proxy; returns what is wrong, to be raised by those who do not have its URL."""
        if not isinstance(proxy, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            return TypeError(f"a proxy is of type str, not {type(proxy).__name__}")
        url = encoded(proxy, "the proxy's URL")
        status = lib.chatnio_config_set_proxy(self._handle, url, len(url))
        if status:
            return self._error(status)
        self._shown["proxy"] = "..."
        self._network.proxy = proxy
        return None

    def _set_proxy_from_env(self, url: str) -> Exception | None:
        """Sets the proxy that the environment names for a server; returns what is wrong, to be raised by those who do not
        have the server's URL, whose query may hold a key."""
        if not isinstance(url, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            return TypeError(f"the server's URL is of type str, not {type(url).__name__}")
        server = encoded(url, "the server's URL")
        status = lib.chatnio_config_set_proxy_from_environment(self._handle, server, len(server), ffi.NULL)
        if status:
            return self._error(status)
        self._network.proxy = of_environment(url) or self._network.proxy
        return None

    def _add_headers(self, headers: Mapping[str, str]) -> Exception | None:
        """Adds headers; returns what is wrong, to be raised by those who do not have their values."""
        if not isinstance(headers, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            return TypeError(f"headers are of type Mapping, not {type(headers).__name__}")
        try:
            pairs = list(headers.items())
        except Exception as error:
            # Without the frames, which show them.
            return error.with_traceback(None)
        for name, value in pairs:
            # Somebody may pass what they have read from a file.
            if not isinstance(name, str) or not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
                return TypeError("headers are pairs of str")
            name_bytes, value_bytes = encoded(name, "a header's name"), encoded(value, "a header's value")
            status = lib.chatnio_config_add_header(
                self._handle, name_bytes, len(name_bytes), value_bytes, len(value_bytes)
            )
            if status:
                return self._error(status)
        if headers:
            self._shown["headers"] = list(headers)
            self._network.headers = tuple(pairs)
        return None

    def _call(self, function: Callable[..., int], *arguments: object) -> None:
        status = function(self._handle, *arguments)
        if status:
            raise self._error(status)

    def _error(self, status: int) -> ChatNioError:
        return error_of(status, error_text(lib.chatnio_config_error, self._handle))

    def __repr__(self) -> str:
        # A traceback that shows variables may show one whose constructor has failed.
        shown: dict[str, object] = getattr(self, "_shown", {})
        return f"Config({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


_TRUST: dict[str, int] = {"platform": lib.CHATNIO_TRUST_PLATFORM, "added": lib.CHATNIO_TRUST_ADDED_ONLY}


def _invalid(name: str, value: object, wanted: str) -> InvalidArgumentError:
    return InvalidArgumentError(Status.INVALID, f"{name} {wanted}, not {value!r}")


def milliseconds(name: str, seconds: float) -> int:
    checked(seconds, (float, int), name)
    if not 0 <= seconds < 2**53:
        raise _invalid(name, seconds, "is a number of seconds, from 0 to below 2**53")
    # What is not off is not rounded to off.
    return max(int(seconds * 1000 + 0.5), 1 if seconds else 0)


def _size(name: str, size: int, of: str = "bytes") -> int:
    checked(size, int, name)
    if not 0 <= size < 2**63:
        raise _invalid(name, size, f"is a number of {of}, from 0 to below 2**63")
    return size


def native(config: Config | None) -> CData:
    """The handle; NULL for the defaults."""
    if config is None:
        return ffi.NULL
    checked(config, Config, "config")
    return config._handle


def network(config: Config | None) -> Network:
    """What it says of the way to a server."""
    if config is None:
        return Network()
    checked(config, Config, "config")
    return config._network
