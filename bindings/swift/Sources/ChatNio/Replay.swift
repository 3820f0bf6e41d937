import CChatNio

/// The client's side of a transcript, step by step: for tests that play it through a ``Session`` or a ``Connection`` by
/// themselves. For most ``Transcript/replay(configuration:)`` is enough.
public final class Replay {
    private let handle: Handle
    private var step = chatnio_step()

    /// The authentication that the session or connection is to be made with: the transcript's own, or anonymous where it
    /// has none.
    public let auth: Auth

    /// Begins a replay.
    public init(_ transcript: Transcript) throws {
        let handle = try transcript.use { transcript in
            try Handle(free: chatnio_replay_free) { out, _ in chatnio_replay_new(transcript, out) }
        }
        auth = Auth(
            try handle.use { replay in
                try Handle(free: chatnio_auth_free) { out, _ in chatnio_replay_auth(replay, out) }
            })
        self.handle = handle
    }

    /// One step of a replay.
    public struct Step: Sendable, Hashable {
        /// The line of the transcript, from 1.
        public let line: Int
        /// What to do.
        public let action: Action
    }

    /// What a step wants.
    public enum Action: Sendable, Hashable {
        /// Make the request, by ``Session/request(_:now:)-(Replay,_)`` or ``Connection/request(_:now:)-(Replay,_)``.
        ///
        /// Whether it is answered is told with it, as by ``Request/beginsTurn``.
        case request(beginsTurn: Bool)
        /// This message arrives.
        case receive(String)
        /// The server closes the connection.
        case closed
        /// Something on this line cannot be replayed as it stands: what, and what becomes of it.
        case warning(String)
    }

    /// Gets the next step; nil at the end of the transcript.
    ///
    /// - Parameter state: what all steps before have led to. A request that has to wait for the end of a turn is held
    ///   back, with a warning, until the state is idle.
    public func nextStep(in state: State) throws -> Step? {
        step.size = MemoryLayout<chatnio_step>.stride
        step.request = nil
        guard try handle.call(unless: .absent, call: { chatnio_replay_next_step($0, state.number, &step) }) else {
            return nil
        }
        let action: Action =
            switch UInt32(bitPattern: step.kind) {
            case CHATNIO_STEP_REQUEST.rawValue: .request(beginsTurn: try currentRequestBeginsTurn)
            case CHATNIO_STEP_RECEIVE.rawValue: .receive(String(step.text))
            case CHATNIO_STEP_CLOSED.rawValue: .closed
            case CHATNIO_STEP_WARNING.rawValue: .warning(String(step.text))
            default: .warning("this package cannot replay a step of the kind \(step.kind)")
            }
        return Step(line: step.line, action: action)
    }

    /// The request of the last step, which belongs to the replay until the next one.
    var currentRequest: OpaquePointer {
        get throws {
            guard let request = step.request else {
                throw ChatNioError(.invalid, "the replay's last step is no request")
            }
            return request
        }
    }

    private var currentRequestBeginsTurn: Bool {
        get throws {
            var type: Int32 = 0
            try ChatNioError.check(chatnio_request_get_type(currentRequest, &type))
            return switch UInt32(bitPattern: type) {
            case CHATNIO_REQUEST_CHAT.rawValue, CHATNIO_REQUEST_RESTART.rawValue: true
            default: false
            }
        }
    }
}

/// One replay, one thread at a time.
@available(*, unavailable)
extension Replay: Sendable {}
