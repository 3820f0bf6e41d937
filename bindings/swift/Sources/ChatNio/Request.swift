import CChatNio

/// A request to the server: what it asks, and how. What is nil is left out, and takes the server's default.
///
/// ```swift
/// var request = Request.chat("What is a soname?", model: "gpt-4")
/// request.temperature = 0.2
/// ```
public struct Request: Sendable, Hashable {
    /// What is asked.
    public var kind: Kind
    /// The model's id, of a chat or a restart. Left out: `gpt-3.5-turbo`, also on a restart.
    public var model: String?
    /// Whether to search the web first, which can make the first frame late. For a chat or a restart, as all that
    /// follow.
    public var web: Bool?
    /// Whether to answer without the conversation so far.
    public var ignoreContext: Bool?
    /// How many messages go to the model, the question included; 0 or negative is the server's default of 8.
    public var context: Int?
    /// The most tokens that the model may answer with.
    public var maxTokens: Int?
    /// The sampling temperature. NaN and infinity are refused when the request is sent, here and below.
    public var temperature: Float?
    /// Nucleus sampling: the share of probability to sample from.
    public var topP: Float?
    /// How many of the likeliest tokens to sample from.
    public var topK: Int?
    /// The penalty on tokens that have occurred.
    public var presencePenalty: Float?
    /// The penalty on tokens by how often they have occurred.
    public var frequencyPenalty: Float?
    /// The penalty on repetition.
    public var repetitionPenalty: Float?
    /// Fields that this package does not know, by their names. Newer servers know `think`, `web_search_mode` and
    /// `enable_mcp`, say; others ignore them. A name of the protocol's own is refused, in whatever case.
    ///
    /// ```swift
    /// var request = Request.chat("How are you?")
    /// request.extra = ["think": true, "web_search_mode": "auto"]
    /// ```
    public var extra: [String: JSON] = [:]
    /// How long the answer's first frame may take, in place of ``Configuration/Settings/firstFrame``; zero for no limit.
    public var firstFrame: Duration?
    /// How long each further frame may take, in place of ``Configuration/Settings/nextFrame``; zero for no limit.
    public var nextFrame: Duration?
    /// How long the whole answer may take, in place of ``Configuration/Settings/answerWithin``; zero for no limit. Then it is
    /// interrupted, by ``Interruption/answerDeadline``, and stopped at the server.
    public var answerWithin: Duration?

    /// What a request asks.
    public enum Kind: Sendable, Hashable {
        /// A question. Begins a turn.
        case chat(String)
        /// The last question again, with the parameters of this request. Begins a turn.
        case restart
        /// The end of the running answer.
        case stop
        /// A shared conversation, by the share's hash, before this one. Not answered.
        case share(hash: String)
        /// Messages at the front of the conversation; at least one. Not answered.
        case mask([Mask])
        /// Another text for a stored message. Not answered, unknown to servers of 2023.
        ///
        /// The index is from 0. Each chat has stored two messages (question; answer or notice), a restart one, masks and
        /// shares theirs at the front; one out of range is ignored by the server.
        case edit(index: Int, String)
        /// A stored message away, by its index as in ``edit(index:_:)``. Not answered, unknown to servers of 2023.
        case remove(index: Int)
    }

    /// A message to put at the front of a conversation.
    public struct Mask: Sendable, Hashable {
        /// Who says it.
        public var role: Role
        /// What is said.
        public var content: String

        /// Says `content` as `role`.
        public init(_ role: Role, _ content: String) {
            self.role = role
            self.content = content
        }

        /// Who says something.
        public enum Role: String, Sendable {
            /// The instructions.
            case system
            /// The one who asks.
            case user
            /// The model.
            case assistant
        }
    }

    /// A request that says nothing but its kind.
    public init(_ kind: Kind) {
        self.kind = kind
    }

    /// A question.
    public static func chat(_ message: String, model: String? = nil, answerWithin: Duration? = nil) -> Request {
        var request = Request(.chat(message))
        request.model = model
        request.answerWithin = answerWithin
        return request
    }

    /// The last question again.
    public static func restart(model: String? = nil, answerWithin: Duration? = nil) -> Request {
        var request = Request(.restart)
        request.model = model
        request.answerWithin = answerWithin
        return request
    }

    /// Whether it is answered: a chat or a restart.
    public var beginsTurn: Bool {
        switch kind {
        case .chat, .restart: true
        default: false
        }
    }

    /// Lends it as the library takes it.
    func use<R>(_ body: (OpaquePointer) throws -> R) throws -> R {
        let handle = try Handle(free: chatnio_request_free) { out, _ in chatnio_request_new(type, out) }
        try handle.use { request in
            try setKind(of: request)
            try setParameters(of: request)
        }
        return try handle.use(body)
    }

    private var type: Int32 {
        let type =
            switch kind {
            case .chat: CHATNIO_REQUEST_CHAT
            case .restart: CHATNIO_REQUEST_RESTART
            case .stop: CHATNIO_REQUEST_STOP
            case .share: CHATNIO_REQUEST_SHARE
            case .mask: CHATNIO_REQUEST_MASK
            case .edit: CHATNIO_REQUEST_EDIT
            case .remove: CHATNIO_REQUEST_REMOVE
            }
        return Int32(bitPattern: type.rawValue)
    }

    private func setKind(of request: OpaquePointer) throws {
        func set(message: String) throws {
            try ChatNioError.check(message.withText { chatnio_request_set_message(request, $0, $1) })
        }
        func set(index: Int) throws {
            guard let index = UInt32(exactly: index) else {
                throw ChatNioError(.invalid, "\(index) is no index of a message")
            }
            try ChatNioError.check(chatnio_request_set_index(request, index))
        }
        switch kind {
        case .chat(let message): try set(message: message)
        case .restart, .stop: break
        case .share(let hash): try set(message: hash)
        case .mask(let masks):
            for mask in masks {
                let status = mask.role.rawValue.withText { role, roleLength in
                    mask.content.withText { chatnio_request_add_mask(request, role, roleLength, $0, $1) }
                }
                try ChatNioError.check(status)
            }
        case .edit(let index, let message):
            try set(index: index)
            try set(message: message)
        case .remove(let index): try set(index: index)
        }
    }

    private func setParameters(of request: OpaquePointer) throws {
        func set<T>(_ value: T?, _ setter: (OpaquePointer?, T) -> Int32) throws {
            if let value {
                try ChatNioError.check(setter(request, value))
            }
        }
        try ChatNioError.check(model.ifPresent { chatnio_request_set_model(request, $0, $1) })
        try set(web, chatnio_request_set_web)
        try set(ignoreContext, chatnio_request_set_ignore_context)
        try set(context.map(Int64.init), chatnio_request_set_context)
        try set(maxTokens.map(Int64.init), chatnio_request_set_max_tokens)
        try set(temperature, chatnio_request_set_temperature)
        try set(topP, chatnio_request_set_top_p)
        try set(topK.map(Int64.init), chatnio_request_set_top_k)
        try set(presencePenalty, chatnio_request_set_presence_penalty)
        try set(frequencyPenalty, chatnio_request_set_frequency_penalty)
        try set(repetitionPenalty, chatnio_request_set_repetition_penalty)
        try set(firstFrame?.wholeMilliseconds(of: "firstFrame"), chatnio_request_set_first_frame)
        try set(nextFrame?.wholeMilliseconds(of: "nextFrame"), chatnio_request_set_next_frame)
        try set(answerWithin?.wholeMilliseconds(of: "answerWithin"), chatnio_request_set_answer_within)
        // In one order, so that equal requests are sent alike.
        for (name, value) in extra.sorted(by: { $0.key < $1.key }) {
            let status = name.withText { name, length in
                value.text.withText { chatnio_request_add_extra(request, name, length, $0, $1) }
            }
            try ChatNioError.check(status)
        }
    }
}
