import CChatNio

/// What a call could not do, and why.
///
/// ```swift
/// do {
///     _ = try await Client("wss://api.chatnio.net", auth: Auth(token: "sk-..."))
/// } catch let error as ChatNioError where error.code == .throttled {
///     // Wait before the next connection.
/// }
/// ```
///
/// No text in it ever shows a token, the value of a handshake header or another secret, also where a server repeats it. Otherwise
/// what a *server* said in one is as it came: filter control characters before a terminal shows it.
public struct ChatNioError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The status as the library has answered it.
    public let status: Int32
    /// What happened, in English: what was wrong, where, and what to do.
    public let message: String
    /// The WebSocket's close code or the HTTP status that came with it, where there was one.
    public private(set) var endCode: Int?
    /// What else the HTTP answer says that refused the connection: why, where to, when again; nil where there was none.
    public private(set) var refusal: Refusal?

    /// What kind of error it is; nil for one that a newer library has and this package does not know: treat it by
    /// ``isFatal``.
    public var code: Code? { Code(rawValue: status) }

    /// Whether the connection is over, or could not be made. Otherwise everything is as it was before the call.
    public var isFatal: Bool { chatnio_status_is_fatal(status) }

    /// Whether the same may go well when it is tried again, connected anew: nothing is to be corrected before, and it is not
    /// this program that has ended it. What was asked may have been charged all the same.
    public var isRetryable: Bool { chatnio_status_is_retryable(status) }

    /// The ``message``.
    public var description: String { message }

    /// An error with a text of its own.
    public init(_ code: Code, _ message: String) {
        self.init(status: code.rawValue, message: message)
    }

    init(status: Int32, message: String) {
        self.status = status
        self.message = message
    }

    /// What a constructor has answered, and handed out with it, which is freed.
    init(_ status: Int32, of error: OpaquePointer?) {
        var text = chatnio_text()
        let isTold = chatnio_error_message(error, &text) == CHATNIO_OK.status
        self.init(status: status, message: isTold ? String(text) : Self.message(of: status))
        self = withEnd(
            code: { chatnio_error_code(error, $0) },
            refusal: Refusal(
                part: { chatnio_error_refusal(error, $0, $1) }, retryAfter: { chatnio_error_retry_after(error, $0) }))
        chatnio_error_free(error)
    }

    /// The same, with how the connection ended.
    func withEnd(code: (UnsafeMutablePointer<Int32>) -> Int32, refusal: Refusal?) -> ChatNioError {
        var told = self
        var number: Int32 = 0
        if code(&number) == CHATNIO_OK.status, number != 0 {
            told.endCode = Int(number)
        }
        told.refusal = refusal
        return told
    }

    /// Throws the status if it is one of a failure.
    static func check(_ status: Int32) throws {
        if status != CHATNIO_OK.status {
            throw ChatNioError(status: status, message: message(of: status))
        }
    }

    static func message(of status: Int32) -> String {
        String(cString: chatnio_status_message(status))
    }
}
