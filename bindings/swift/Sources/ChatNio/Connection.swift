import CChatNio

/// The chat protocol on one connection, at byte level: TLS and WebSocket are inside, the host has the socket.
///
/// Bytes of the server go in by ``receive(_:now:)``; events are taken by ``nextEvent()`` or ``nextEvents(upTo:)`` until
/// there are none, and bytes for the server by ``transmit(_:)``. What the host is to wait for then, ``wants`` says.
///
/// `now` is as in ``Session``.
public final class Connection {
    private let handle: Handle
    // Its clock and key log, which the library may call as long as the connection lives.
    private let configuration: Configuration?

    /// Makes a connection and begins its handshake: the first bytes to send are there at once. The host connects the
    /// socket, to ``host`` and ``port``.
    ///
    /// - Parameters:
    ///   - url: `ws`, `wss`, `http` (as ws), `https` (as wss), or a bare host (as wss). Without a path `/chat` is added,
    ///     `/api` becomes `/api/chat`, any other path is used as it is.
    ///   - auth: who asks.
    ///   - configuration: deadlines, limits, trust; nil is the defaults.
    ///   - now: the time.
    /// - Throws: ``ChatNioError/Code/badURL``, ``ChatNioError/Code/plainToken`` and what ``Session`` throws; for TLS
    ///   ``ChatNioError/Code/badRoots``, ``ChatNioError/Code/tlsNoRoots``, ``ChatNioError/Code/tlsCertificate`` (a host
    ///   that no certificate can be for), ``ChatNioError/Code/tls``; ``ChatNioError/Code/noRandom``.
    public init(_ url: String, auth: Auth = .anonymous, configuration: Configuration? = nil, now: Duration) throws {
        self.configuration = configuration
        handle = try auth.use { auth in
            try Configuration.use(configuration) { configuration in
                try Handle(free: chatnio_connection_free, lastError: chatnio_connection_error) { out, error in
                    url.withText {
                        chatnio_connection_new(configuration, auth, $0, $1, now.wholeMilliseconds, out, error)
                    }
                }
            }
        }
    }

    /// The host to connect the socket to, the proxy if there is one, without brackets around an IPv6 address.
    public var host: String {
        handle.use { connection in
            var host = chatnio_text()
            _ = chatnio_connection_host(connection, &host)
            return String(host)
        }
    }

    /// The port to connect the socket to.
    public var port: UInt16 {
        handle.use { connection in
            var port: UInt16 = 0
            _ = chatnio_connection_port(connection, &port)
            return port
        }
    }

    /// Sends a request, at once or when the WebSocket is open: see ``Session/request(_:now:)-(Request,_)``.
    public func request(_ request: Request, now: Duration) throws {
        try request.use { request in
            _ = try handle.call { chatnio_connection_request($0, now.wholeMilliseconds, request) }
        }
    }

    /// Makes the request of the step that a replay has given last: see ``Session/request(_:now:)-(Replay,_)``.
    public func request(_ replay: Replay, now: Duration) throws {
        let request = try replay.currentRequest
        try handle.call { chatnio_connection_request($0, now.wholeMilliseconds, request) }
    }

    /// Stops the running answer: see ``Session/stop(now:)``.
    @discardableResult
    public func stop(now: Duration) throws -> Bool {
        var isSent = false
        try handle.call { chatnio_connection_stop($0, now.wholeMilliseconds, &isSent) }
        return isSent
    }

    /// Closes the connection in an orderly way, within ``Configuration/Settings/close``; at once when it is not open
    /// yet. What still comes is handed out, and a running turn ends interrupted. Requests that have no answer and are held
    /// (``Configuration/Settings/settle``) go out before, at their time. A repeated call does nothing.
    public func close(now: Duration) throws {
        try handle.call { chatnio_connection_close($0, now.wholeMilliseconds) }
    }

    /// Takes bytes of the server, split in any way. What came of them, ``nextEvent()`` says.
    ///
    /// - Throws: ``ChatNioError/Code/undrained`` when input waits for its events to be taken already, and would be more
    ///   than ``Configuration/Settings/maxMessage`` with this (but at least 1 MiB, and at most 256 MiB): nothing of it was
    ///   taken then.
    public func receive(_ bytes: some Collection<UInt8>, now: Duration) throws {
        func receive(_ bytes: UnsafeBufferPointer<UInt8>) throws {
            try handle.call {
                chatnio_connection_receive($0, now.wholeMilliseconds, bytes.baseAddress, bytes.count)
            }
        }
        if try bytes.withContiguousStorageIfAvailable(receive) == nil {
            try Array(bytes).withUnsafeBufferPointer(receive)
        }
    }

    /// Tells the connection that the stream has ended: the server closed it. A repeated call does nothing.
    public func eof(now: Duration) throws {
        try handle.call { chatnio_connection_eof($0, now.wholeMilliseconds) }
    }

    /// Tells the connection that the socket has failed, and how: the `errno` of the call that did, or 0. A repeated call
    /// does nothing.
    public func failed(_ errno: Int32, now: Duration) throws {
        try handle.call { chatnio_connection_failed($0, now.wholeMilliseconds, errno) }
    }

    /// Does what is due at `now`; what comes of it, ``nextEvent()`` says. Give what the socket has to
    /// ``receive(_:now:)`` before, or a host that was busy for long takes its own silence for the server's.
    public func handleTimeout(now: Duration) throws {
        try handle.call { chatnio_connection_handle_timeout($0, now.wholeMilliseconds) }
    }

    /// Gets the next event; nil when there is none. Call it after each of the calls above until then.
    public func nextEvent() throws -> Event? {
        try Event.filled { event in
            try handle.call(unless: .again) { chatnio_connection_next_event($0, event) }
        }
    }

    /// Gets up to `limit` events at once, but no more than 1,024, which is faster than one by one; call it until there are
    /// none.
    ///
    /// - Precondition: `limit` is more than 0.
    public func nextEvents(upTo limit: Int = 64) throws -> [Event] {
        precondition(limit > 0, "no events cannot be got")
        // They lie on the stack, or nearly so.
        let capacity = min(limit, 1024)
        return try withUnsafeTemporaryAllocation(of: chatnio_event.self, capacity: capacity) { events in
            var count = 0
            let stride = MemoryLayout<chatnio_event>.stride
            try handle.call(unless: .again) {
                chatnio_connection_next_events($0, events.baseAddress, capacity, stride, &count)
            }
            return events.prefix(count).compactMap(Event.init)
        }
    }

    /// Sends bytes, if there are any: gives them to `send`, which answers how many of them the socket took.
    ///
    /// - Parameter send: gets the bytes, for the time of the call. When it throws, none count as sent.
    /// - Returns: whether there were any.
    @discardableResult
    public func transmit(_ send: (UnsafeRawBufferPointer) throws -> Int) throws -> Bool {
        var bytes = chatnio_bytes()
        guard try handle.call(unless: .again, call: { chatnio_connection_transmit($0, &bytes) }) else { return false }
        let sent = try send(UnsafeRawBufferPointer(start: bytes.data, count: bytes.len))
        guard (0...bytes.len).contains(sent) else {
            throw ChatNioError(.invalid, "\(sent) bytes cannot have been sent: there are \(bytes.len)")
        }
        return try handle.call { chatnio_connection_transmitted($0, sent) }
    }

    /// What a host is to wait for.
    public struct Wants: Sendable, Hashable {
        /// When to call ``Connection/handleTimeout(now:)``, on the clock of `now`; nil for never.
        public let deadline: Duration?
        /// Read the socket, and give what comes to ``Connection/receive(_:now:)``. False while there are events to be
        /// taken, which pushes back on the server, and when the connection is over.
        public let read: Bool
        /// Bytes wait to be sent: ``Connection/transmit(_:)``.
        public let write: Bool
        /// The connection is over, its events are taken, and nothing is left to send: close the socket.
        public let isFinished: Bool
    }

    /// What the host is to wait for: ask after the events are taken, before each wait.
    public var wants: Wants {
        handle.use { connection in
            var wants = chatnio_wants()
            wants.size = MemoryLayout<chatnio_wants>.stride
            let isShown = chatnio_connection_wants(connection, &wants) == CHATNIO_OK.status
            return Wants(
                deadline: isShown ? Duration(deadline: wants.deadline) : nil, read: wants.want_read,
                write: wants.want_write, isFinished: !isShown || wants.finished)
        }
    }

    /// Starts afresh on a new socket, which the host connects to the same URL, and continues the conversation that the
    /// server opened. Works in any state. Turn numbers and counters go on, a recording starts afresh.
    ///
    /// What the server loads is what it saved last: the question, perhaps not the answer.
    ///
    /// - Returns: the running turn's end, interrupted, if one ran.
    /// - Throws: after which nothing has changed: ``ChatNioError/Code/noRandom``, ``ChatNioError/Code/tls``.
    public func reconnect(now: Duration) throws -> Event? {
        try Event.filled { event in
            try handle.call { chatnio_connection_reconnect($0, now.wholeMilliseconds, event) }
        }
    }

    /// What the session is doing.
    public var state: State {
        handle.use { connection in State { chatnio_connection_state(connection, $0) } }
    }

    /// The running turn's answer so far; nil when no turn runs.
    public var answer: Answer? {
        handle.use { connection in Answer.shown { chatnio_connection_answer(connection, $0) } }
    }

    /// Which conversation the connection is in, as far as the server has said.
    public var conversation: Conversation {
        handle.use { connection in Conversation { chatnio_connection_conversation(connection, $0) } }
    }

    /// What the session has counted.
    public var counters: Counters {
        handle.use { connection in Counters { chatnio_connection_counters(connection, $0) } }
    }

    /// About how many bytes the connection holds: input, output, the running answer, shown events, the recording. What
    /// TLS holds of its own (under 64 KiB) is not among them.
    public var memory: Int {
        handle.use { connection in
            var bytes = 0
            _ = chatnio_connection_memory(connection, &bytes)
            return bytes
        }
    }

    /// What the HTTP answer says that refused the connection, once it is closed with ``ChatNioError/Code/http``,
    /// ``ChatNioError/Code/unavailable``, ``ChatNioError/Code/refused`` or ``ChatNioError/Code/throttled``; nil where there
    /// was none.
    public var refusal: Refusal? {
        handle.use { connection in
            Refusal(
                part: { chatnio_connection_refusal(connection, $0, $1) },
                retryAfter: { chatnio_connection_retry_after(connection, $0) })
        }
    }

    /// Why connecting may be tried again, for ``Retry``, once it is closed; nil when it was open, and when trying again would
    /// bring the same.
    public var retryCause: Retry.Cause? {
        handle.use { connection in Retry.Cause { chatnio_connection_retry_cause(connection, $0) } }
    }

    /// What TLS has agreed on; nil without TLS, and before its handshake is over.
    public var tls: TLS? {
        handle.use { connection in
            TLS(
                agreed: { chatnio_connection_tls(connection, $0, $1) },
                certificate: { chatnio_connection_tls_certificate(connection, $0, $1) })
        }
    }

    /// What was sent and received so far, without tokens; nil unless ``Configuration/Settings/record`` is on. Of this
    /// connection: a reconnect begins a new one.
    public var transcript: Transcript? {
        handle.use { connection in Transcript.recorded { chatnio_connection_transcript(connection, $0) } }
    }
}

/// One connection, one thread at a time: it is not sent between isolation domains while it is in use.
@available(*, unavailable)
extension Connection: Sendable {}
