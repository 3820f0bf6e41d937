import CChatNio

/// What a session is doing.
public enum State: Sendable, Hashable, CustomStringConvertible {
    /// No turn runs: any request is welcome.
    case idle
    /// A request was sent, and no frame of the answer has come.
    case asking
    /// The answer is coming in.
    case answering
    /// A stop was sent, and the end has not come.
    case stopping
    /// The turn was interrupted, and the server has not ended it: requests throw ``ChatNioError/Code/busy``. A host that
    /// will not wait reconnects.
    case draining
    /// The connection is gone, or the library has failed in itself. Nothing works until a reconnect.
    case closed
    /// A state that a newer library has.
    case unknown(Int32)

    /// Its name, such as "idle".
    public var description: String { String(cString: chatnio_state_name(number)) }

    private static let known: [(State, chatnio_state)] = [
        (.idle, CHATNIO_STATE_IDLE), (.asking, CHATNIO_STATE_ASKING), (.answering, CHATNIO_STATE_ANSWERING),
        (.stopping, CHATNIO_STATE_STOPPING), (.draining, CHATNIO_STATE_DRAINING), (.closed, CHATNIO_STATE_CLOSED),
    ]

    /// The state that a call shows.
    init(shownBy show: (UnsafeMutablePointer<Int32>) -> Int32) {
        var number: Int32 = 0
        guard show(&number) == CHATNIO_OK.status else {
            self = .closed
            return
        }
        self = Self.known.first { Int32(bitPattern: $0.1.rawValue) == number }?.0 ?? .unknown(number)
    }

    /// The constant.
    var number: Int32 {
        if case .unknown(let number) = self { return number }
        return Int32(bitPattern: Self.known.first { $0.0 == self }?.1.rawValue ?? 0)
    }
}

/// What is known of the conversation that a connection is in.
public enum Conversation: Sendable, Hashable {
    /// Nothing: the server sends no openers (2023), or none has come yet. `asked` is the id that was asked for; nil where a
    /// new conversation was.
    case unknown(asked: Int64?)
    /// It is a new one, as asked. Its id is -1 for anonymous: it is not stored and cannot be continued.
    case new(id: Int64)
    /// It is the one that was asked for; or a new one that happens to have got its id, from a server that has lost it.
    case resumed(id: Int64)
    /// It is another one than that asked for: the server does not know that one, or not for this token.
    case replaced(id: Int64, asked: Int64)

    /// Its id, where it is known.
    public var id: Int64? {
        switch self {
        case .unknown: nil
        case .new(let id), .resumed(let id), .replaced(let id, _): id
        }
    }

    init(_ conversation: chatnio_conversation) {
        self =
            switch UInt32(bitPattern: conversation.kind) {
            case CHATNIO_CONVERSATION_NEW.rawValue: .new(id: conversation.id)
            case CHATNIO_CONVERSATION_RESUMED.rawValue: .resumed(id: conversation.id)
            case CHATNIO_CONVERSATION_REPLACED.rawValue: .replaced(id: conversation.id, asked: conversation.asked)
            default: .unknown(asked: conversation.asked == 0 ? nil : conversation.asked)
            }
    }

    /// The id that was asked for, when connecting or by a reconnect; nil where a new conversation was.
    public var asked: Int64? {
        switch self {
        case .unknown(let asked): asked
        case .new: nil
        case .resumed(let id): id
        case .replaced(_, let asked): asked
        }
    }

    /// The conversation that a call shows.
    init(shownBy show: (UnsafeMutablePointer<chatnio_conversation>) -> Int32) {
        var conversation = chatnio_conversation()
        self = show(&conversation) == CHATNIO_OK.status ? Conversation(conversation) : .unknown(asked: nil)
    }
}

/// What a session has counted since it was made; reconnecting goes on counting.
public struct Counters: Sendable, Hashable {
    /// Frames that belonged to no running turn.
    public let strays: Int
    /// Messages that could not be read, the too long ones included.
    public let malformed: Int
    /// Stops that were sent again.
    public let repeatedStops: Int

    /// The counters that a call shows.
    init(shownBy show: (UnsafeMutablePointer<chatnio_counters>) -> Int32) {
        var counters = chatnio_counters()
        counters.size = MemoryLayout<chatnio_counters>.stride
        _ = show(&counters)
        strays = Int(counters.strays)
        malformed = Int(counters.malformed)
        repeatedStops = Int(counters.repeated_stops)
    }
}
