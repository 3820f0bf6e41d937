import CChatNio

/// What TLS has agreed on, and whom the server has shown itself to be.
public struct TLS: Sendable, Hashable {
    /// The version: `TLSv1.2` or `TLSv1.3`.
    public let version: String
    /// The cipher suite, as `TLS13_AES_256_GCM_SHA384`.
    public let cipher: String
    /// The certificates that the server has shown, in DER: its own first, then those that lead to its authority.
    public let certificates: [[UInt8]]

    /// Reads it by these functions; nil without TLS, and before its handshake is over.
    init?(
        agreed: (UnsafeMutablePointer<chatnio_text>, UnsafeMutablePointer<chatnio_text>) -> Int32,
        certificate: (Int, UnsafeMutablePointer<chatnio_bytes>) -> Int32
    ) {
        var version = chatnio_text()
        var cipher = chatnio_text()
        guard agreed(&version, &cipher) == CHATNIO_OK.status else { return nil }
        self.version = String(version)
        self.cipher = String(cipher)
        var certificates: [[UInt8]] = []
        var der = chatnio_bytes()
        while certificate(certificates.count, &der) == CHATNIO_OK.status {
            certificates.append(Array(UnsafeRawBufferPointer(start: der.data, count: der.len)))
        }
        self.certificates = certificates
    }
}
