import CChatNio

/// The frames of one connection, as readable text, which is never changed:
///
/// ```text
/// WEBSOCKET wss://api.chatnio.net/chat
///
/// > SEND {"token":"sk-...","id":-1}
/// > SEND {"type":"chat","message":"hi"}  // a comment
/// < RECV {"message":"Hello","quota":0.1,"end":false}
/// ! CLOSED
/// ```
///
/// To unit-test a program of yours, let ``replay(configuration:)`` play it one: no network, no clock, the same events
/// every time.
public final class Transcript: @unchecked Sendable, CustomStringConvertible {
    // Sendable: never changed, and the library may read it from any threads.
    private let handle: Handle

    /// Reads a transcript. Its messages are not decoded: a recording may hold malformed ones.
    ///
    /// - Throws: ``ChatNioError/Code/badTranscript``, whose message names the line.
    public init(_ text: String) throws {
        handle = try Handle(free: chatnio_transcript_free) { out, error in
            text.withText { chatnio_transcript_parse($0, $1, out, error) }
        }
    }

    private init(_ handle: Handle) {
        self.handle = handle
    }

    /// Takes over what a call makes of a recording; nil when nothing is recorded.
    static func recorded(by record: (UnsafeMutablePointer<OpaquePointer?>) -> Int32) -> Transcript? {
        do {
            return Transcript(try Handle(free: chatnio_transcript_free) { out, _ in record(out) })
        } catch {
            return nil
        }
    }

    /// The transcript as text, in the form that ``init(_:)`` reads.
    public var text: String {
        handle.use { transcript in
            var text = chatnio_text()
            _ = chatnio_transcript_text(transcript, &text)
            return String(text)
        }
    }

    /// The ``text``.
    public var description: String { text }

    /// Lends the handle.
    func use<R>(_ body: (OpaquePointer) throws -> R) rethrows -> R {
        try handle.use(body)
    }
}

extension Transcript {
    /// What a replay has brought.
    public enum Replayed: Sendable, Hashable {
        /// An event, of the transcript's line; at the end, when a running turn is closed, of none.
        case event(Event, line: Int?)
        /// Something on that line cannot be replayed as it stands: what, and what becomes of it.
        case warning(String, line: Int)
    }

    /// Plays the transcript through a session, from its first frame to its last, and closes that.
    ///
    /// - Parameter configuration: limits, for instance; nil is the defaults.
    /// - Returns: all that happened, in order.
    /// - Throws: what making a session throws.
    public func replay(configuration: Configuration? = nil) throws -> [Replayed] {
        // No time passes in a replay.
        let now = Duration.zero
        var replayed: [Replayed] = []
        let replay = try Replay(self)
        let session = try Session(auth: replay.auth, configuration: configuration, now: now)
        while let step = try replay.nextStep(in: session.state) {
            var event: Event?
            switch step.action {
            case .request:
                do {
                    try session.request(replay, now: now)
                } catch {
                    replayed.append(.warning("skipped: \(error)", line: step.line))
                }
                while try session.nextTransmit() != nil {}
            case .receive(let message):
                event = try session.receive(message, now: now)
                // The frames behind the first are due at once.
                while let first = event, let next = try session.handleTimeout(now: now) {
                    replayed.append(.event(first, line: step.line))
                    event = next
                }
            case .closed: event = try session.closed(.server)
            case .warning(let warning): replayed.append(.warning(warning, line: step.line))
            }
            if let event {
                replayed.append(.event(event, line: step.line))
            }
        }
        if let end = try session.closed(.host) {
            replayed.append(.event(end, line: nil))
        }
        return replayed
    }
}
