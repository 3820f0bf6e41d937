import CChatNio

/// The settings of sessions, connections and clients, shared by any number of them and of threads.
///
/// It owns the root certificates, which are loaded once, and TLS sessions to resume: make one, and give it to every
/// connection.
///
/// ```swift
/// let configuration = try Configuration { settings in
///     settings.firstFrame = .seconds(30)
///     settings.rootFiles = ["/etc/ssl/my-ca.pem"]
/// }
/// ```
public final class Configuration: @unchecked Sendable {
    // Sendable: never changed once it is made, and the library takes it from any threads.
    private let handle: Handle
    private let wallClock: WallClock?
    private let keyLogLines: KeyLogLines?
    /// For the client's thread.
    let afterStop: Duration

    /// What can be set. What is nil is left as it is by default. Times count in whole milliseconds, of which a part is
    /// one, and sizes in bytes; zero switches a deadline or limit off, and less than zero is refused.
    public struct Settings: Sendable, CustomReflectable {
        /// Sends the authentication at once instead of with the first request. Off: the server takes a new
        /// conversation's id when it reads the authentication and does not reserve it, so two idle connections would
        /// share one.
        public var authAtOnce: Bool?
        /// Gathers each answer's text in the answer. On; a host that only wants the pieces can spare the memory.
        public var keepText: Bool?
        /// Sends a keep-alive after so long without a message in either direction. 25 s.
        public var keepAlive: Duration?
        /// How long a turn's first frame may take. 120 s: a web search comes before it.
        public var firstFrame: Duration?
        /// How long each further frame may take. 120 s. A video job sends a frame only when its progress changes, and may
        /// take 30 minutes: give such a question more.
        public var nextFrame: Duration?
        /// How long a whole answer may take, counted from when its request goes out. Off: answers may be long, and a video
        /// job takes up to 30 minutes.
        public var answerWithin: Duration?
        /// How long a turn may go on after its stop was sent; and how long what a ``Client`` is asked next waits for the
        /// server's end of an answer that was interrupted. 10 s.
        public var afterStop: Duration?
        static let usualAfterStop = Duration.seconds(10)
        /// How long the server is left in peace after the end of an answer, before a request goes out that it could
        /// lose: one that has no answer, and any at all when the stop was repeated. Also before any question once the
        /// server has ended a turn by a notice, without the opener that its turns have. Such a request is accepted at
        /// once, and held. A connection that is lost or made anew meanwhile loses it. 0.25 s.
        public var settle: Duration?
        /// When a stop is sent again, counted from the first, in rising order. 0.15, 1, 2 and 4 s: servers may swallow a
        /// stop, but their queue holds only ten requests. Empty: never.
        public var stopRepeats: [Duration]?
        /// The longest message to accept from the server. 32 MiB; connections and clients accept 256 MiB at most.
        public var maxMessage: Int?
        /// The longest message to send. 8 MiB.
        public var maxRequest: Int?
        /// The longest answer to accept, in bytes of its text. 64 MiB.
        public var maxAnswer: Int?
        /// Records what is sent and received, without tokens: see ``Session/transcript``. Off.
        public var record: Bool?
        /// How much to record; what comes after is left out. 64 MiB.
        public var maxRecording: Int?
        /// How long name look-up and TCP connect may take together. 10 s. Only a client connects.
        public var connect: Duration?
        /// How often a client's connect, or reconnect, is tried again after it was throttled, refused or lost before the
        /// WebSocket was open, or a gateway's server was away; never sooner than the server asks for (and not at all where
        /// that is over 60 s), nor 1.1 s after a throttling, and all within `connect` and `handshake` together. 2; 0 for
        /// never.
        public var connectRetries: Int?
        /// How often a second all clients with this configuration together connect at most, evenly spaced: servers
        /// throttle an address at five. 0, for no limit.
        public var connectsPerSecond: Int?
        /// The proxy to go through. None: the environment is not looked at unless this says so. A client connects to it
        /// by itself; ``Connection/host`` and ``Connection/port`` are the proxy's.
        public var proxy: Proxy?
        /// How long the way through a proxy and the TLS and WebSocket handshakes may take together. 10 s.
        public var handshake: Duration?
        /// Sends a WebSocket ping after so long without a byte from the server. 30 s. It keeps open what a gateway closes
        /// when it is silent (nginx after 60 s), such as the connection of a video job.
        public var pingAfter: Duration?
        /// How long the ping's answer, or any other byte, may take before the connection counts as dead. 10 s.
        public var pongWithin: Duration?
        /// How long the server may take to answer a closing. 3 s.
        public var close: Duration?
        /// Lets a token go over plain `ws://` to another machine, be it the server's or the proxy's, where everybody on
        /// the way can read it. Off.
        public var allowTokenOverPlainWS: Bool?
        /// Headers to add to the WebSocket handshake's request, for a proxy that wants some. Their values show in no
        /// error.
        public var headers: [(name: String, value: String)] = []
        /// Which root certificates count. The platform's, and those added.
        public var trust: Trust?
        /// Files whose certificates are added as roots: any number in PEM, or one in DER.
        public var rootFiles: [String] = []
        /// PEM texts whose certificates are added as roots.
        public var rootsPEM: [String] = []
        /// Certificates in DER that are added as roots.
        public var rootsDER: [[UInt8]] = []
        /// A certificate to show to servers that ask for one. None.
        public var clientCertificate: ClientCertificate?
        /// Gives the secrets of every TLS session away, to read all that is sent. Off.
        public var keyLog: KeyLog?
        /// Accepts every certificate, so that anybody on the way can read and change everything, tokens included. For
        /// experiments against one's own server only; `rootFiles` is the right way. Off.
        public var dangerousAcceptAnyCertificate = false
        /// Tells the time, in seconds since 1970-01-01 00:00:00 UTC, when a certificate is checked; nil is the system's
        /// clock. It is called a few times for each TLS handshake, on the thread that drives the connection, and must
        /// not call this library.
        public var wallClock: (@Sendable () -> UInt64)?

        /// The defaults.
        public init() {}

        /// Shows no header's value, no proxy's URL and no certificate's key.
        public var customMirror: Mirror {
            let children: [(String, Any)] = [
                ("authAtOnce", authAtOnce as Any), ("keepText", keepText as Any), ("keepAlive", keepAlive as Any),
                ("firstFrame", firstFrame as Any), ("nextFrame", nextFrame as Any),
                ("answerWithin", answerWithin as Any), ("afterStop", afterStop as Any),
                ("settle", settle as Any), ("stopRepeats", stopRepeats as Any), ("maxMessage", maxMessage as Any),
                ("maxRequest", maxRequest as Any), ("maxAnswer", maxAnswer as Any), ("record", record as Any),
                ("maxRecording", maxRecording as Any), ("connect", connect as Any),
                ("connectRetries", connectRetries as Any), ("connectsPerSecond", connectsPerSecond as Any),
                ("proxy", proxy as Any), ("handshake", handshake as Any),
                ("pingAfter", pingAfter as Any), ("pongWithin", pongWithin as Any), ("close", close as Any),
                ("allowTokenOverPlainWS", allowTokenOverPlainWS as Any), ("headers", headers.map(\.name)),
                ("trust", trust as Any), ("rootFiles", rootFiles), ("rootsPEM", rootsPEM.count),
                ("rootsDER", rootsDER.count), ("clientCertificate", clientCertificate as Any),
                ("keyLog", keyLog as Any),
                ("dangerousAcceptAnyCertificate", dangerousAcceptAnyCertificate),
                ("wallClock", wallClock == nil ? "the system's" : "the host's"),
            ]
            return Mirror(self, children: children.map { (label: $0, value: $1) }, displayStyle: .struct)
        }
    }

    /// Which root certificates count.
    public enum Trust: Sendable {
        /// The platform's, and those added.
        case platform
        /// Only those added.
        case addedOnly
    }

    /// Makes a configuration.
    ///
    /// - Parameter change: gets the defaults, and sets what is to be another.
    /// - Throws: ``ChatNioError/Code/badHeader``, ``ChatNioError/Code/badRoots`` (the message names the file),
    ///   ``ChatNioError/Code/invalid`` for stop repeats that do not rise, and for what is below zero;
    ///   ``ChatNioError/Code/badProxy``, ``ChatNioError/Code/badURL`` (of the server that the environment's proxy is for),
    ///   ``ChatNioError/Code/badCertificate``; ``ChatNioError/Code/system`` for a key log that cannot be opened.
    public convenience init(_ change: (inout Settings) -> Void = { _ in }) throws {
        var settings = Settings()
        change(&settings)
        try self.init(settings)
    }

    /// Makes a configuration of settings.
    ///
    /// - Throws: as ``init(_:)-((Settings)->Void)``.
    public init(_ settings: Settings) throws {
        handle = try Handle(free: chatnio_config_free, lastError: chatnio_config_error) { out, _ in
            chatnio_config_new(out)
        }
        wallClock = settings.wallClock.map(WallClock.init)
        keyLogLines = KeyLogLines(settings.keyLog)
        afterStop = settings.afterStop ?? Settings.usualAfterStop
        try set(settings)
    }

    /// Loads the root certificates now, which reads files and takes some milliseconds, instead of when the first
    /// encrypted connection is made.
    ///
    /// - Throws: ``ChatNioError/Code/badRoots``, ``ChatNioError/Code/tlsNoRoots``, ``ChatNioError/Code/noRandom``,
    ///   ``ChatNioError/Code/tls``. It may be tried again.
    public func loadRoots() throws {
        try handle.call(call: chatnio_config_load_roots)
    }

    /// The defaults, shared so that their roots are loaded once; nil, which the library takes for the same, should they
    /// not be there.
    private static let defaults = try? Configuration()

    /// Lends the handle of a configuration, or of the defaults.
    static func use<R>(
        _ configuration: Configuration?, _ body: (OpaquePointer?) throws -> R
    ) throws -> R {
        guard let configuration = configuration ?? defaults else { return try body(nil) }
        return try configuration.handle.use(body)
    }

    private func set(_ settings: Settings) throws {
        try set(settings.authAtOnce, chatnio_config_set_auth_at_once)
        try set(settings.keepText, chatnio_config_set_keep_text)
        try set(settings.keepAlive?.wholeMilliseconds(of: "keepAlive"), chatnio_config_set_keep_alive)
        try set(settings.firstFrame?.wholeMilliseconds(of: "firstFrame"), chatnio_config_set_first_frame)
        try set(settings.nextFrame?.wholeMilliseconds(of: "nextFrame"), chatnio_config_set_next_frame)
        try set(settings.answerWithin?.wholeMilliseconds(of: "answerWithin"), chatnio_config_set_answer_within)
        try set(settings.afterStop?.wholeMilliseconds(of: "afterStop"), chatnio_config_set_after_stop)
        try set(settings.settle?.wholeMilliseconds(of: "settle"), chatnio_config_set_settle)
        try set(settings.stopRepeats?.map { try $0.wholeMilliseconds(of: "stopRepeats") }) {
            chatnio_config_set_stop_repeats($0, $1, $1.count)
        }
        try set(size(settings.maxMessage, of: "maxMessage"), chatnio_config_set_max_message)
        try set(size(settings.maxRequest, of: "maxRequest"), chatnio_config_set_max_request)
        try set(size(settings.maxAnswer, of: "maxAnswer"), chatnio_config_set_max_answer)
        try set(settings.record, chatnio_config_set_record)
        try set(size(settings.maxRecording, of: "maxRecording"), chatnio_config_set_max_recording)
        try set(settings.connect?.wholeMilliseconds(of: "connect"), chatnio_config_set_connect)
        try set(count(settings.connectRetries, of: "connectRetries"), chatnio_config_set_connect_retries)
        try set(count(settings.connectsPerSecond, of: "connectsPerSecond"), chatnio_config_set_connects_per_second)
        if let proxy = settings.proxy {
            try handle.call(call: proxy.set)
        }
        try set(settings.handshake?.wholeMilliseconds(of: "handshake"), chatnio_config_set_handshake)
        try set(settings.pingAfter?.wholeMilliseconds(of: "pingAfter"), chatnio_config_set_ping_after)
        try set(settings.pongWithin?.wholeMilliseconds(of: "pongWithin"), chatnio_config_set_pong_within)
        try set(settings.close?.wholeMilliseconds(of: "close"), chatnio_config_set_close)
        try set(settings.allowTokenOverPlainWS, chatnio_config_set_allow_token_over_plain_ws)
        for (name, value) in settings.headers {
            try handle.call { config in
                name.withText { name, length in
                    value.withText { chatnio_config_add_header(config, name, length, $0, $1) }
                }
            }
        }
        try set(settings.trust?.number, chatnio_config_set_trust)
        for path in settings.rootFiles {
            try handle.call { config in path.withText { chatnio_config_add_root_file(config, $0, $1) } }
        }
        for pem in settings.rootsPEM {
            try handle.call { config in pem.withText { chatnio_config_add_roots_pem(config, $0, $1) } }
        }
        for der in settings.rootsDER {
            try handle.call { chatnio_config_add_root_der($0, der, der.count) }
        }
        if let certificate = settings.clientCertificate {
            try handle.call(call: certificate.set)
        }
        if case .file(let path) = settings.keyLog {
            try handle.call { config in path.withText { chatnio_config_set_key_log_file(config, $0, $1) } }
        }
        // It lives as long as this, and this as long as whatever is made with it. So does the clock.
        if let keyLogLines {
            try handle.call(call: keyLogLines.set)
        }
        if settings.dangerousAcceptAnyCertificate {
            try handle.call(call: chatnio_config_dangerous_accept_any_certificate)
        }
        if let wallClock {
            let clock = Unmanaged.passUnretained(wallClock).toOpaque()
            try handle.call { config in
                chatnio_config_set_wall_clock_callback(
                    config, { Unmanaged<WallClock>.fromOpaque($0!).takeUnretainedValue().now() }, clock)
            }
        }
    }

    private func size(_ bytes: Int?, of setting: String) throws -> Int? {
        if let bytes, bytes < 0 {
            throw ChatNioError(.invalid, "\(setting) is a size of \(bytes) bytes: 0 switches it off")
        }
        return bytes
    }

    private func count(_ count: Int?, of setting: String) throws -> UInt32? {
        if let count, count < 0 {
            throw ChatNioError(.invalid, "\(setting) is a count of \(count), and cannot be less than 0")
        }
        return count.map(UInt32.init(clamping:))
    }

    private func set<T>(_ value: T?, _ setter: (OpaquePointer?, T) -> Int32) throws {
        if let value {
            try handle.call { setter($0, value) }
        }
    }

    /// The host's clock, at an address that the library can be given.
    private final class WallClock: Sendable {
        let now: @Sendable () -> UInt64

        init(_ now: @escaping @Sendable () -> UInt64) {
            self.now = now
        }
    }
}

extension Configuration.Trust {
    fileprivate var number: Int32 {
        switch self {
        case .platform: Int32(bitPattern: CHATNIO_TRUST_PLATFORM.rawValue)
        case .addedOnly: Int32(bitPattern: CHATNIO_TRUST_ADDED_ONLY.rawValue)
        }
    }
}
