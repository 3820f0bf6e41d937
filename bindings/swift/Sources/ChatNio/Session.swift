import CChatNio

/// The chat protocol on one connection, at message level: the host has the WebSocket, of `URLSessionWebSocketTask`,
/// NIO or any other.
///
/// Text messages of the server go in by ``receive(_:now:)``. After every call that takes `now` the host sends what
/// ``nextTransmit()`` hands out until that is nil, and arms its timer anew by ``deadline``.
///
/// `now` is the time on a monotonic clock of the host's, since any origin, such as `start.duration(to: clock.now)` on a
/// `ContinuousClock`; it counts in whole milliseconds, and going back is standing still.
///
/// The host connects its WebSocket by itself: to `/chat` where the URL has no path, to `/api/chat` where that is `/api`;
/// without a sub-protocol, and without the token in any header.
public final class Session {
    private let handle: Handle

    /// Makes a session for a WebSocket that is open or being opened.
    ///
    /// - Parameters:
    ///   - auth: who asks.
    ///   - configuration: deadlines and limits; nil is the defaults.
    ///   - now: the time.
    /// - Throws: ``ChatNioError/Code/emptyToken``, ``ChatNioError/Code/badConversation``,
    ///   ``ChatNioError/Code/emptyShare``, ``ChatNioError/Code/requestTooLong``.
    public init(auth: Auth = .anonymous, configuration: Configuration? = nil, now: Duration) throws {
        handle = try auth.use { auth in
            try Configuration.use(configuration) { configuration in
                try Handle(free: chatnio_session_free, lastError: chatnio_session_error) {
                    chatnio_session_new(configuration, auth, now.wholeMilliseconds, $0, $1)
                }
            }
        }
    }

    /// Sends a request. A chat or a restart begins a turn; a stop is ``stop(now:)``; the others are not answered.
    ///
    /// - Throws: after which nothing has changed: ``ChatNioError/Code/busy``, ``ChatNioError/Code/emptyMessage``,
    ///   ``ChatNioError/Code/emptyShare``, ``ChatNioError/Code/badMask``, ``ChatNioError/Code/notFinite``,
    ///   ``ChatNioError/Code/badParameters``, ``ChatNioError/Code/requestTooLong``,
    ///   ``ChatNioError/Code/nothingToRestart``, ``ChatNioError/Code/invalid``, ``ChatNioError/Code/closed``.
    public func request(_ request: Request, now: Duration) throws {
        try request.use { request in
            _ = try handle.call { chatnio_session_request($0, now.wholeMilliseconds, request) }
        }
    }

    /// Makes the request of the step that a replay has given last.
    ///
    /// - Throws: as ``request(_:now:)-(Request,_)``; ``ChatNioError/Code/invalid`` when that step is no request.
    public func request(_ replay: Replay, now: Duration) throws {
        let request = try replay.currentRequest
        try handle.call { chatnio_session_request($0, now.wholeMilliseconds, request) }
    }

    /// Asks the server to end the running answer; its end, and with it what it cost, still comes, and pieces may come
    /// before it. The stop is repeated by itself.
    ///
    /// - Returns: whether a stop goes out: not when no turn runs, nor when this turn has had its stop.
    /// - Throws: ``ChatNioError/Code/closed``.
    @discardableResult
    public func stop(now: Duration) throws -> Bool {
        var isSent = false
        try handle.call { chatnio_session_stop($0, now.wholeMilliseconds, &isSent) }
        return isSent
    }

    /// Takes one text message of the server, which means exactly one event. One that cannot be read is
    /// ``Event/malformed(_:)``. Of one that holds several frames it is the first: the others are due at once, by
    /// ``handleTimeout(now:)``.
    ///
    /// - Throws: ``ChatNioError/Code/closed``.
    public func receive(_ message: String, now: Duration) throws -> Event? {
        try Event.filled { event in
            try handle.call { session in
                message.withText { chatnio_session_receive(session, now.wholeMilliseconds, $0, $1, event) }
            }
        }
    }

    /// Takes a binary message of the server. The protocol has none: it is ``Event/malformed(_:)``.
    ///
    /// - Throws: ``ChatNioError/Code/closed``.
    public func receiveBinary(now: Duration) throws -> Event? {
        try Event.filled { event in
            try handle.call { chatnio_session_receive_binary($0, now.wholeMilliseconds, event) }
        }
    }

    /// Hands out the next text message to send, exactly once; nil when there is none. The first one holds the token.
    public func nextTransmit() throws -> String? {
        var message = chatnio_text()
        guard try handle.call(unless: .again, call: { chatnio_session_next_transmit($0, &message) }) else { return nil }
        return String(message)
    }

    /// When ``handleTimeout(now:)`` wants to be called, on the clock of `now`; nil for never.
    public var deadline: Duration? {
        handle.use { session in
            var deadline = UInt64.max
            _ = chatnio_session_deadline(session, &deadline)
            return Duration(deadline: deadline)
        }
    }

    /// Does what is due at `now`, one thing at a time. Call it, at or after the deadline, until it gives nil; calling it
    /// early does nothing.
    public func handleTimeout(now: Duration) throws -> Event? {
        try Event.filled { event in
            try handle.call(unless: .again) { chatnio_session_handle_timeout($0, now.wholeMilliseconds, event) }
        }
    }

    /// Why a session is closed.
    public enum CloseReason: Sendable {
        /// The host has closed it.
        case host
        /// The server has closed it, in an orderly way.
        case server
        /// The connection was lost.
        case lost
    }

    /// Tells the session that its connection is gone, and why. Afterwards nothing works until ``reconnect(now:)``; a
    /// repeated call does nothing. Frames that wait behind the first of their message count before, a thousand at most: the
    /// turn may come to its end by them.
    ///
    /// Who closes the WebSocket calls this before, with ``CloseReason/host``, and sends what ``nextTransmit()`` then still
    /// gives: what was held would be lost.
    ///
    /// - Returns: the running turn's end, interrupted, if one ran.
    public func closed(_ reason: CloseReason) throws -> Event? {
        let reason =
            switch reason {
            case .host: CHATNIO_CLOSE_HOST
            case .server: CHATNIO_CLOSE_SERVER
            case .lost: CHATNIO_CLOSE_LOST
            }
        return try Event.filled { event in
            try handle.call { chatnio_session_closed($0, Int32(bitPattern: reason.rawValue), event) }
        }
    }

    /// Starts afresh for a new WebSocket, which continues the conversation that the server opened. Works in any state.
    /// Turn numbers and counters go on, a recording starts afresh.
    ///
    /// What the server loads is what it saved last: the question, perhaps not the answer.
    ///
    /// - Returns: the running turn's end, interrupted, if one ran.
    public func reconnect(now: Duration) throws -> Event? {
        try Event.filled { event in
            try handle.call { chatnio_session_reconnect($0, now.wholeMilliseconds, event) }
        }
    }

    /// What the session is doing.
    public var state: State {
        handle.use { session in State { chatnio_session_state(session, $0) } }
    }

    /// The running turn's answer so far; nil when no turn runs.
    public var answer: Answer? {
        handle.use { session in Answer.shown { chatnio_session_answer(session, $0) } }
    }

    /// Which conversation the session is in, as far as the server has said.
    public var conversation: Conversation {
        handle.use { session in Conversation { chatnio_session_conversation(session, $0) } }
    }

    /// What the session has counted.
    public var counters: Counters {
        handle.use { session in Counters { chatnio_session_counters(session, $0) } }
    }

    /// About how many bytes the session holds: messages, the running answer, the last event's answer, the recording.
    public var memory: Int {
        handle.use { session in
            var bytes = 0
            _ = chatnio_session_memory(session, &bytes)
            return bytes
        }
    }

    /// What was sent and received so far, without tokens; nil unless ``Configuration/Settings/record`` is on. Of this
    /// connection: a reconnect begins a new one.
    public var transcript: Transcript? {
        handle.use { session in Transcript.recorded { chatnio_session_transcript(session, $0) } }
    }
}

/// One session, one thread at a time: it is not sent between isolation domains while it is in use.
@available(*, unavailable)
extension Session: Sendable {}
