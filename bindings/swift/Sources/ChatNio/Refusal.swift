import CChatNio

/// What the HTTP answer says that refused a connection, beside its status. All of it is as the server, or a gateway in
/// front of it, sent it, bounded, without the secrets that it repeats: filter control characters before a terminal shows it.
public struct Refusal: Sendable, Hashable {
    /// Its body, at most 64 KiB; what was not UTF-8 became U+FFFD. Empty of a proxy's.
    public let body: String
    /// A chat server's own words.
    public let reason: String?
    /// Where a redirect points to. It is never followed.
    public let location: String?
    /// The authentication that is wanted, by the header `WWW-Authenticate`.
    public let wwwAuthenticate: String?
    /// After how long the server wants to be asked again, by the header `Retry-After`.
    public let retryAfter: Duration?

    /// Reads it by these functions; nil when no HTTP answer has refused.
    init?(
        part: (Int32, UnsafeMutablePointer<chatnio_text>) -> Int32,
        retryAfter: (UnsafeMutablePointer<UInt64>) -> Int32
    ) {
        func read(_ number: chatnio_refusal_part) -> String? {
            var text = chatnio_text()
            return part(Int32(bitPattern: number.rawValue), &text) == CHATNIO_OK.status ? String(text) : nil
        }
        var milliseconds: UInt64 = 0
        let isTold = retryAfter(&milliseconds) == CHATNIO_OK.status
        let body = read(CHATNIO_REFUSAL_BODY)
        guard isTold || body != nil else { return nil }
        self.body = body ?? ""
        self.retryAfter = isTold ? .milliseconds(Int64(clamping: milliseconds)) : nil
        reason = read(CHATNIO_REFUSAL_REASON)
        location = read(CHATNIO_REFUSAL_LOCATION)
        wwwAuthenticate = read(CHATNIO_REFUSAL_WWW_AUTHENTICATE)
    }
}
