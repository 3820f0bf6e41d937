import CChatNio

/// What a turn has brought.
public struct Answer: Sendable, Hashable, CustomStringConvertible {
    /// The turn's number, from 1, counting a session's chats and restarts.
    public let turn: Int
    /// What was asked.
    public let asked: Asked
    /// How the turn ended; nil while it runs.
    public let outcome: Outcome?
    /// Why it was interrupted, in English, if it was.
    public let reason: String?
    /// The text. Empty when the configuration keeps none. Never holds a notice.
    public let text: String
    /// What the server said instead of the model (out of quota, unknown model, ...), if it did.
    public let notice: String?
    /// Words that the web search used (servers of 2023), otherwise empty.
    public let keyword: String
    /// What it costs so far. Servers charge nothing for an answer without text, whatever this says.
    public let quota: Quota
    /// Whether it is paid for by a subscription.
    public let plan: Bool
    /// The conversation's id from the turn's opener, if one came; -1 for anonymous.
    public let conversation: Int64?
    /// How many frames carried text of the answer.
    public let chunks: Int
    /// How many messages that could not be read came while the turn ran: each may be a hole in the text.
    public let malformed: Int

    /// The text.
    public var description: String { text }

    /// What begins a turn.
    public enum Asked: String, Sendable, CustomStringConvertible {
        /// A question.
        case chat
        /// The last question again.
        case restart

        /// Its name in the protocol.
        public var description: String { rawValue }
    }
}

/// How a turn has ended.
public enum Outcome: Sendable, Hashable, CustomStringConvertible {
    /// The answer came to its end.
    case complete
    /// A stop was sent before the end came.
    case stopped
    /// The server answered instead of the model, and no stop was asked: see ``Answer/notice``.
    case notice
    /// The end never came. The text so far is kept.
    case interrupted(Interruption)
    /// An outcome that a newer library has.
    case unknown(Int32)

    /// Its name, such as "complete"; of an interruption "interrupted".
    public var description: String {
        let number =
            switch self {
            case .complete: CHATNIO_OUTCOME_COMPLETE.number
            case .stopped: CHATNIO_OUTCOME_STOPPED.number
            case .notice: CHATNIO_OUTCOME_NOTICE.number
            case .interrupted: CHATNIO_OUTCOME_INTERRUPTED.number
            case .unknown(let number): number
            }
        return String(cString: chatnio_outcome_name(number))
    }
}

/// Why a turn was interrupted.
public enum Interruption: Sendable, Hashable, CustomStringConvertible {
    /// No frame came in time (``Configuration/Settings/firstFrame``). The session drains: requests throw
    /// ``ChatNioError/Code/busy`` until the server has ended the turn, or until a reconnect.
    case firstFrameDeadline
    /// The next frame did not come in time (``Configuration/Settings/nextFrame``). The session drains.
    case nextFrameDeadline
    /// The end did not come in time after a stop (``Configuration/Settings/afterStop``). The session drains.
    case afterStopDeadline
    /// The answer was not over in time (``Configuration/Settings/answerWithin``). The session drains.
    case answerDeadline
    /// A message was over the limit (``Configuration/Settings/maxMessage``). A session drains, a connection is over.
    case messageTooLong
    /// The text would have grown over the limit (``Configuration/Settings/maxAnswer``). The session drains.
    case answerTooLong
    /// The server closed the connection.
    case closedByServer
    /// The connection was lost.
    case connectionLost
    /// The host closed the session.
    case closedByHost
    /// The host reconnected.
    case reconnected
    /// The connection was not made.
    case notConnected
    /// The server broke the protocol of the connection.
    case protocolBroken
    /// The server sent text that is not UTF-8.
    case invalidUTF8
    /// The server was silent for too long, and answered no ping (``Configuration/Settings/pongWithin``).
    case unresponsive
    /// The connection's encryption failed.
    case tlsFailed
    /// An interruption that a newer library has.
    case unknown(Int32)

    /// Its name, such as "first frame deadline".
    public var description: String { String(cString: chatnio_interruption_name(number)) }

    private static let known: [(Interruption, chatnio_interruption)] = [
        (.firstFrameDeadline, CHATNIO_INTERRUPTION_FIRST_FRAME_DEADLINE),
        (.nextFrameDeadline, CHATNIO_INTERRUPTION_NEXT_FRAME_DEADLINE),
        (.afterStopDeadline, CHATNIO_INTERRUPTION_AFTER_STOP_DEADLINE),
        (.answerDeadline, CHATNIO_INTERRUPTION_ANSWER_DEADLINE),
        (.messageTooLong, CHATNIO_INTERRUPTION_MESSAGE_TOO_LONG),
        (.answerTooLong, CHATNIO_INTERRUPTION_ANSWER_TOO_LONG),
        (.closedByServer, CHATNIO_INTERRUPTION_CLOSED_BY_SERVER),
        (.connectionLost, CHATNIO_INTERRUPTION_CONNECTION_LOST),
        (.closedByHost, CHATNIO_INTERRUPTION_CLOSED_BY_HOST),
        (.reconnected, CHATNIO_INTERRUPTION_RECONNECTED),
        (.notConnected, CHATNIO_INTERRUPTION_NOT_CONNECTED),
        (.protocolBroken, CHATNIO_INTERRUPTION_PROTOCOL_BROKEN),
        (.invalidUTF8, CHATNIO_INTERRUPTION_INVALID_UTF8),
        (.unresponsive, CHATNIO_INTERRUPTION_UNRESPONSIVE),
        (.tlsFailed, CHATNIO_INTERRUPTION_TLS_FAILED),
    ]

    init(_ number: Int32) {
        self = Self.known.first { $0.1.number == number }?.0 ?? .unknown(number)
    }

    var number: Int32 {
        if case .unknown(let number) = self { return number }
        return Self.known.first { $0.0 == self }?.1.number ?? 0
    }
}

/// What something costs, in the server's unit.
public struct Quota: Sendable, Hashable, CustomStringConvertible {
    /// The number.
    public let value: Double
    /// The same as the server wrote it, or "0".
    public let text: String

    /// The text.
    public var description: String { text }

    init(_ value: Double, _ text: chatnio_text) {
        self.value = value
        self.text = String(optional: text) ?? "0"
    }
}

extension Answer {
    /// Copies an answer.
    init(_ answer: chatnio_answer) {
        turn = Int(answer.turn)
        asked = answer.request_type == Int32(bitPattern: CHATNIO_REQUEST_RESTART.rawValue) ? .restart : .chat
        outcome = Outcome(answer.outcome, answer.interruption)
        reason = String(optional: answer.reason)
        text = String(answer.text)
        notice = String(optional: answer.notice)
        keyword = String(answer.keyword)
        quota = Quota(answer.quota, answer.quota_text)
        plan = answer.plan
        conversation = answer.has_conversation ? answer.conversation : nil
        chunks = Int(answer.chunks)
        malformed = Int(answer.malformed)
    }

    /// What a call shows of a running answer; nil when none runs.
    static func shown(by show: (UnsafeMutablePointer<chatnio_answer>) -> Int32) -> Answer? {
        var answer = chatnio_answer()
        answer.size = MemoryLayout<chatnio_answer>.stride
        return show(&answer) == CHATNIO_OK.status ? Answer(answer) : nil
    }
}

extension Outcome {
    init?(_ number: Int32, _ interruption: Int32) {
        switch number {
        case CHATNIO_OUTCOME_NONE.number: return nil
        case CHATNIO_OUTCOME_COMPLETE.number: self = .complete
        case CHATNIO_OUTCOME_STOPPED.number: self = .stopped
        case CHATNIO_OUTCOME_NOTICE.number: self = .notice
        case CHATNIO_OUTCOME_INTERRUPTED.number: self = .interrupted(Interruption(interruption))
        default: self = .unknown(number)
        }
    }
}

extension chatnio_outcome {
    /// The constant as answers hold it.
    fileprivate var number: Int32 { Int32(bitPattern: rawValue) }
}

extension chatnio_interruption {
    /// The constant as answers hold it.
    fileprivate var number: Int32 { Int32(bitPattern: rawValue) }
}
