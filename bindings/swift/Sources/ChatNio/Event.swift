import CChatNio

/// What happened. It owns all that it holds.
public enum Event: Sendable, Hashable {
    /// Connections: the WebSocket is open.
    case open
    /// The turn's opener came: the server has read the question. Servers of 2023 send none.
    case opened(Opened)
    /// A piece of the answer came.
    case delta(Delta)
    /// The turn has ended: exactly one for every chat and restart that was sent.
    case end(End)
    /// A frame came that belongs to no running turn: what a stop or an interruption left behind. Nothing to do. Only one
    /// that nobody asked for also ends the session, because the next answer could be another's: reconnect.
    case stray(Stray)
    /// A message could not be read; it was skipped and counted. What is wrong with it, naming field and byte offset:
    /// ``ChatNioError/Code/malformed`` or ``ChatNioError/Code/messageTooLong``.
    case malformed(ChatNioError)
    /// The stop goes out again: the turn's end has not come.
    case stopRepeated(turn: Int)
    /// The connection was silent, and a keep-alive goes out.
    case keepAlive
    /// Connections: it is over, and this is the last event.
    case closed(Closed)
    /// Something that a newer library tells and this package does not know: pass it over.
    case unknown(kind: Int32)
}

/// A turn's opener.
public struct Opened: Sendable, Hashable {
    /// The turn's number.
    public let turn: Int
    /// The conversation that the server opened.
    public let conversation: Conversation
    /// What the turn has cost so far.
    public let quota: Quota
    /// The frame that it was made from.
    public let frame: Frame
}

/// A piece of an answer.
public struct Delta: Sendable, Hashable, CustomStringConvertible {
    /// The turn's number.
    public let turn: Int
    /// The piece; an event's may be empty, a client's streams leave those out.
    public let text: String
    /// What the turn has cost so far.
    public let quota: Quota
    /// The frame that it was made from.
    public let frame: Frame

    /// The text.
    public var description: String { text }
}

/// The end of a turn.
public struct End: Sendable, Hashable {
    /// The last piece of the answer, often empty.
    public let text: String
    /// The whole answer.
    public let answer: Answer
    /// The frame that it was made from; nil when the turn was interrupted.
    public let frame: Frame?

    /// The last piece as a delta; nil when there is no text in it.
    public var delta: Delta? {
        guard let frame, !text.isEmpty else { return nil }
        return Delta(turn: answer.turn, text: text, quota: answer.quota, frame: frame)
    }
}

/// A frame that belongs to no running turn.
public struct Stray: Sendable, Hashable {
    /// The text in it, often empty.
    public let text: String
    /// Its own quota, or 0.
    public let quota: Quota
    /// Whether it was an answer's last.
    public let isEnd: Bool
    /// The frame.
    public let frame: Frame
}

/// The end of a connection.
public struct Closed: Sendable, Hashable {
    /// How it has ended: ``ChatNioError/Code/closed`` when this side has closed it.
    public let error: ChatNioError
    /// The WebSocket's close code or the HTTP status, where there was one.
    public let code: Int?
}

/// A message of the server, as it was received.
public struct Frame: Sendable, Hashable, CustomStringConvertible {
    /// The JSON.
    public let text: String

    /// The raw JSON of the field called `name`, known or unknown: for those that this package does not know, such as
    /// `title` or `tool_call`. Of several with one name the last counts. The frame is read anew each time.
    public subscript(name: String) -> String? {
        var event = chatnio_event.unfilled
        return text.withText { raw, length in
            event.raw = chatnio_text(data: raw, len: length)
            return name.withText { name, length in
                var value = chatnio_text()
                let status = chatnio_event_field(&event, name, length, &value)
                return status == CHATNIO_OK.status ? String(value) : nil
            }
        }
    }

    /// The JSON.
    public var description: String { text }
}

extension chatnio_event {
    /// Ready to be filled.
    static var unfilled: chatnio_event {
        var event = chatnio_event()
        event.size = MemoryLayout<chatnio_event>.stride
        return event
    }
}

extension Event {
    /// Copies an event; nil for one that says that nothing happened.
    init?(_ event: chatnio_event) {
        switch event.kind {
        case CHATNIO_EVENT_NONE.kind: return nil
        case CHATNIO_EVENT_OPEN.kind: self = .open
        case CHATNIO_EVENT_OPENED.kind:
            self = .opened(
                Opened(
                    turn: Int(event.turn), conversation: Conversation(event.conversation),
                    quota: Quota(event.quota, event.quota_text), frame: Frame(text: String(event.raw))))
        case CHATNIO_EVENT_DELTA.kind:
            self = .delta(
                Delta(
                    turn: Int(event.turn), text: String(event.text), quota: Quota(event.quota, event.quota_text),
                    frame: Frame(text: String(event.raw))))
        case CHATNIO_EVENT_END.kind:
            self = .end(
                End(text: String(event.text), answer: Answer(event.answer.pointee), frame: Frame(optional: event.raw)))
        case CHATNIO_EVENT_STRAY.kind:
            self = .stray(
                Stray(
                    text: String(event.text), quota: Quota(event.quota, event.quota_text), isEnd: event.frame_end,
                    frame: Frame(text: String(event.raw))))
        case CHATNIO_EVENT_MALFORMED.kind:
            self = .malformed(ChatNioError(of: event))
        case CHATNIO_EVENT_STOP_REPEATED.kind: self = .stopRepeated(turn: Int(event.turn))
        case CHATNIO_EVENT_KEEP_ALIVE.kind: self = .keepAlive
        case CHATNIO_EVENT_CLOSED.kind:
            self = .closed(Closed(error: ChatNioError(of: event), code: event.code == 0 ? nil : Int(event.code)))
        default: self = .unknown(kind: event.kind)
        }
    }

    /// What a call that may bring an event has brought; nil for nothing.
    static func filled(by fill: (UnsafeMutablePointer<chatnio_event>) throws -> Bool)
        throws -> Event?
    {
        var event = chatnio_event.unfilled
        return try fill(&event) ? Event(event) : nil
    }
}

extension chatnio_event_kind {
    /// The constant as events hold it.
    var kind: Int32 { Int32(bitPattern: rawValue) }
}

extension ChatNioError {
    /// What an event tells.
    init(of event: chatnio_event) {
        self.init(status: event.status, message: String(optional: event.text) ?? Self.message(of: event.status))
    }
}

extension Frame {
    /// Copies a frame, if there is one.
    init?(optional raw: chatnio_text) {
        guard let text = String(optional: raw) else { return nil }
        self.text = text
    }
}
