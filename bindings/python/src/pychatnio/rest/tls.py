"""TLS over bytes, by the settings of the chat."""

from __future__ import annotations

import os
import ssl
from collections.abc import Generator

from .._network import Network
from .._status import Status
from ..errors import ChatNioError, InvalidArgumentError, error_of

__all__ = ["Secure", "context_of", "secured"]


def context_of(network: Network) -> ssl.SSLContext:
    """
    Raises:
        InvalidArgumentError: for a wall clock of the host's own: this check of certificates goes by the system's.
    """
    if network.has_wall_clock:
        why = "the companion calls check certificates by the system's clock: give them a Config without wall_clock"
        raise InvalidArgumentError(Status.INVALID, why)
    context = ssl.create_default_context() if network.trusts_platform else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # As in the chat: a certificate that was given is trusted, whatever kind it is of.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    contents: list[bytes] = []
    for path in network.root_files:
        with open(path, "rb") as file:
            contents.append(file.read())
    for root in [*contents, *network.roots]:
        context.load_verify_locations(cadata=root.decode("latin-1") if b"-----BEGIN" in root else root)
    if network.accepts_any_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if network.client_certificate is not None:
        chain, key = network.client_certificate
        context.load_cert_chain(chain, key)
    if network.key_log_file is not None:
        context.keylog_filename = os.fspath(network.key_log_file)
    return context


class Secure:
    """An encrypted stream, without I/O."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self.incoming: ssl.MemoryBIO = ssl.MemoryBIO()
        self.outgoing: ssl.MemoryBIO = ssl.MemoryBIO()
        #: Whether the other side has said its goodbye: nothing more comes.
        self.has_ended: bool = False
        self.tls: ssl.SSLObject = context.wrap_bio(self.incoming, self.outgoing, server_hostname=host)

    def encrypted(self, data: bytes) -> bytes:
        self.tls.write(data)
        return self.outgoing.read()

    def decrypted(self, data: memoryview) -> bytes:
        self.incoming.write(data)
        plain = bytearray()
        try:
            while piece := self.tls.read(65536):
                plain += piece
            self.has_ended = True
        except ssl.SSLZeroReturnError:
            self.has_ended = True
        except ssl.SSLWantReadError:
            pass
        return bytes(plain)


def secured(context: ssl.SSLContext, host: str, where: str) -> Generator[bytes, memoryview, Secure]:
    """The handshake: yields what is to be sent, and is sent what came; nothing of it is the stream's end.

    Raises:
        TLSError, ConnectionClosedError: when it fails.
    """
    secure = Secure(context, host)
    while True:
        try:
            secure.tls.do_handshake()
            return secure
        except ssl.SSLWantReadError:
            data = yield secure.outgoing.read()
        except ssl.SSLError as error:
            raise explained(error, where) from error
        if not data:
            raise error_of(Status.END_OF_STREAM, f"{where} ended the connection during the TLS handshake")
        secure.incoming.write(data)


def explained(error: ssl.SSLError, where: str) -> ChatNioError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error_of(Status.TLS_CERTIFICATE, f"the certificate of {where}: {error.verify_message}")
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return error_of(Status.TLS_NOT_TLS, f"{where} does not speak TLS")
    return error_of(Status.TLS, f"TLS with {where} failed: {error.reason}")
