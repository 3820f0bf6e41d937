import CChatNio

/// The companion HTTP calls: stored conversations, the quota, models, whether a key is good.
///
/// A ``Call`` does no I/O: it gives its HTTP request as data and reads the answer; a URLSession, or whatever you have,
/// does the HTTP between. Follow no redirect: the key would go along.
///
/// ```swift
/// let call = Rest.quota
/// let request = try call.request(auth: Auth(token: "sk-..."))
/// // Send it; then, with what has come:
/// let quota = try call.decode(status: 200, body: Array(#"{"quota":499.49,"status":true}"#.utf8))
/// ```
public enum Rest {
    /// One call: what is asked, and how its answer is read. Used any number of times, from any thread; it holds no key.
    public struct Call<Answer: Sendable>: Sendable {
        let type: Int32
        let settings: [@Sendable (OpaquePointer) -> Int32]
        let read: @Sendable (RestAnswer) throws -> Answer

        init(
            _ type: chatnio_rest_type, _ settings: [@Sendable (OpaquePointer) -> Int32] = [],
            read: @escaping @Sendable (RestAnswer) throws -> Answer
        ) {
            self.type = Int32(bitPattern: type.rawValue)
            self.settings = settings
            self.read = read
        }

        /// The request to send.
        ///
        /// - Parameters:
        ///   - auth: whose token is sent; without an account none is.
        ///   - prefix: what goes before the path: nothing, or `/api` as a rule where the server also serves its web page;
        ///     ``Rest/prefix(ofPath:)`` takes it from a chat's path.
        /// - Throws: ``ChatNioError``: the token or the prefix cannot be.
        public func request(auth: Auth = .anonymous, prefix: String = "") throws -> HTTPRequest {
            let handle = try made()
            _ = try auth.use { auth in
                try handle.call { call in prefix.withText { chatnio_rest_call_prepare(call, auth, $0, $1) } }
            }
            return try handle.use { call in
                try HTTPRequest(
                    method: String(text { chatnio_rest_call_method(call, $0) }),
                    target: String(text { chatnio_rest_call_target(call, $0) }),
                    headers: headers(of: call),
                    body: String(optional: text { chatnio_rest_call_body(call, $0) }))
            }
        }

        /// Reads the answer: its HTTP status and its whole body.
        ///
        /// - Throws: ``Failure`` when there is no result; its ``Failure/error`` says why.
        public func decode(status: Int, body: [UInt8]) throws -> Answer {
            try read(answer(status: status, body: body))
        }

        /// Reads the answer as JSON, the same in every language: also the fields that ``Answer`` does not have.
        ///
        /// - Throws: as ``decode(status:body:)``.
        public func json(status: Int, body: [UInt8]) throws -> String {
            try answer(status: status, body: body).json
        }

        /// Whether it may be sent again when nobody knows whether it has arrived: it only reads.
        public var isRepeatable: Bool {
            get throws {
                var isRepeatable = false
                try made().call { chatnio_rest_call_is_repeatable($0, &isRepeatable) }
                return isRepeatable
            }
        }

        private func made() throws -> Handle {
            let handle = try Handle(free: chatnio_rest_call_free, lastError: chatnio_rest_call_error) { out, _ in
                chatnio_rest_call_new(type, out)
            }
            for set in settings {
                try handle.call { set($0) }
            }
            return handle
        }

        private func answer(status: Int, body: [UInt8]) throws -> RestAnswer {
            let call = try made()
            var out: OpaquePointer?
            do {
                try call.call { call in
                    body.withUnsafeBufferPointer {
                        chatnio_rest_call_decode(call, Int32(clamping: status), $0.baseAddress, $0.count, &out)
                    }
                }
            } catch let error as ChatNioError {
                throw try call.use { call in
                    let words = try String(optional: text { chatnio_rest_call_words(call, $0) })
                    let cause = Retry.Cause { chatnio_rest_call_retry_cause(call, $0) }
                    return Failure(error: error, words: words, retryCause: cause)
                }
            }
            return RestAnswer(
                try Handle(free: chatnio_rest_answer_free) { made, _ in
                    made.pointee = out
                    return CHATNIO_OK.status
                })
        }
    }

    /// A call that has no result.
    public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        /// Why.
        public let error: ChatNioError
        /// What the server said, where it said something in words, as it came: with the key, if it repeats that.
        public let words: String?
        /// Why a call that only reads may go better when it is made again, for ``Retry``; nil where it would bring the same, or
        /// must not be repeated.
        public let retryCause: Retry.Cause?

        /// What happened, in English.
        public var description: String { error.message }
    }

    /// An HTTP request to send.
    public struct HTTPRequest: Sendable, CustomStringConvertible, CustomReflectable {
        /// `GET` or `POST`.
        public let method: String
        /// The path, with its query where there is one: what goes behind `https://HOST`.
        public let target: String
        /// The headers to send beside those that every HTTP client sets itself. The key's is among them: a secret.
        public let headers: [(name: String, value: String)]
        /// The body, which is JSON; only with `POST`.
        public let body: String?

        /// Method and target, without the key.
        public var description: String { "\(method) \(target)" }

        /// Shows nothing of the headers.
        public var customMirror: Mirror { Mirror(self, children: ["method": method, "target": target]) }
    }

    /// The prefix of the companion calls of the server whose chat is at this path: of `/chat` none, of `/api/chat` `/api`.
    public static func prefix(ofPath path: String) -> String {
        var length = 0
        guard path.withText({ chatnio_rest_prefix_len($0, $1, &length) }) == CHATNIO_OK.status else { return "" }
        return String(decoding: Array(path.utf8.prefix(length)), as: UTF8.self)
    }

    /// Gets a text of a call.
    private static func text(_ get: (UnsafeMutablePointer<chatnio_text>) -> Int32) throws -> chatnio_text {
        var text = chatnio_text()
        try ChatNioError.check(get(&text))
        return text
    }

    private static func headers(of call: OpaquePointer) throws -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        while true {
            var (name, value) = (chatnio_text(), chatnio_text())
            let status = chatnio_rest_call_header(call, headers.count, &name, &value)
            if status == CHATNIO_ABSENT.status { return headers }
            try ChatNioError.check(status)
            headers.append((name: String(name), value: String(value)))
        }
    }
}

/// The result of a call, as the library has it.
struct RestAnswer {
    private let handle: Handle

    init(_ handle: Handle) {
        self.handle = handle
    }

    /// Gets a struct of it; nil behind the last.
    func item<Item, Made>(
        _ empty: Item, _ get: (OpaquePointer, UnsafeMutablePointer<Item>) -> Int32, _ make: (Item) -> Made
    ) throws -> Made? {
        var item = empty
        guard try handle.call(unless: .absent, call: { get($0, &item) }) else { return nil }
        return withExtendedLifetime(handle) { make(item) }
    }

    /// Gets all of its structs.
    func items<Item, Made>(
        _ empty: Item, _ get: (OpaquePointer, Int, UnsafeMutablePointer<Item>) -> Int32,
        _ make: (Int, Item) throws -> Made
    ) throws -> [Made] {
        var count = 0
        try handle.call { chatnio_rest_answer_count($0, &count) }
        return try (0..<count).map { index in
            var item = empty
            try handle.call { get($0, index, &item) }
            return try withExtendedLifetime(handle) { try make(index, item) }
        }
    }

    var json: String {
        get throws { try item(chatnio_text(), chatnio_rest_answer_json) { String($0) } ?? "null" }
    }

    var number: Double {
        get throws { try item(0.0, chatnio_rest_answer_number) { $0 } ?? 0 }
    }

    var text: String {
        get throws { try item(chatnio_text(), chatnio_rest_answer_text) { String($0) } ?? "" }
    }

    func model(ofCharge index: Int, nth: Int) throws -> String {
        try item(chatnio_text(), { chatnio_rest_answer_charge_model($0, index, nth, $1) }) { String($0) } ?? ""
    }
}

/// A struct of the library's that says how large it is, to be filled.
protocol RestItem {
    init()
    var size: Int { get set }
}

extension chatnio_rest_conversation: RestItem {}
extension chatnio_rest_message: RestItem {}
extension chatnio_rest_model: RestItem {}
extension chatnio_rest_charge: RestItem {}
extension chatnio_rest_share: RestItem {}
extension chatnio_rest_subscription: RestItem {}

func sized<Item: RestItem>(_ item: Item) -> Item {
    var sized = item
    sized.size = MemoryLayout<Item>.stride
    return sized
}
