import CChatNio

/// When a connect that has failed is tried again, or a companion call that only reads: for hosts that connect and wait by
/// themselves. ``Client`` does by itself what this says.
///
/// ```swift
/// let retry = try Retry(now: .zero)
/// let again = retry.failed(.throttled, retryAfter: .seconds(7), now: .milliseconds(200))
/// // At that time, by the same clock; nil for not at all.
/// print(again as Any)
/// ```
///
/// A question that was sent is never to be sent again. `now` is as in ``Session``.
public final class Retry {
    private let handle: Handle
    // Whose limit of connects a second it takes part in.
    private let configuration: Configuration?

    /// Makes one for what begins at `now`.
    ///
    /// - Parameters:
    ///   - configuration: what counts of it are ``Configuration/Settings/connectRetries``,
    ///     ``Configuration/Settings/connectsPerSecond``, ``Configuration/Settings/connect`` and
    ///     ``Configuration/Settings/handshake``; nil is the defaults.
    ///   - limit: for a companion call, how long it may take in all, with its answer, in place of the last two; zero is no
    ///     limit.
    ///   - now: the time.
    /// - Throws: nothing that can be foreseen: ``ChatNioError/Code/panic``.
    public init(configuration: Configuration? = nil, within limit: Duration? = nil, now: Duration) throws {
        self.configuration = configuration
        handle = try Configuration.use(configuration) { configuration in
            try Handle(free: chatnio_retry_free) { out, _ in
                let now = now.wholeMilliseconds
                return if let limit {
                    chatnio_retry_new_within(configuration, limit.wholeMilliseconds, now, out)
                } else {
                    chatnio_retry_new(configuration, now, out)
                }
            }
        }
    }

    /// When to begin a try that is at hand at `now`: at once, unless all clients with this configuration together connect too
    /// often. Each call takes a place among them.
    public func begin(now: Duration) -> Duration {
        handle.use { retry in
            var at: UInt64 = 0
            let isTold = chatnio_retry_begin(retry, now.wholeMilliseconds, &at) == CHATNIO_OK.status
            return isTold ? .milliseconds(Int64(clamping: at)) : now
        }
    }

    /// Says that a try has failed, and tells when the next one is to follow: never sooner than 1.1 s after a throttling, nor
    /// than the server has asked for, and later the more have failed. nil when there is to be none, as where the server has
    /// asked for more than 60 s.
    ///
    /// - Parameters:
    ///   - cause: ``Connection/retryCause`` or ``Rest/Failure/retryCause``; ``Cause/lost`` where a socket was refused.
    ///   - retryAfter: ``Refusal/retryAfter``, or what the header `Retry-After` of a companion call's answer says.
    ///   - now: the time.
    public func failed(_ cause: Cause, retryAfter: Duration? = nil, now: Duration) -> Duration? {
        handle.use { retry in
            var at: UInt64 = 0
            let status = chatnio_retry_failed(
                retry, now.wholeMilliseconds, cause.rawValue, retryAfter?.wholeMilliseconds ?? 0, &at)
            return status == CHATNIO_OK.status ? .milliseconds(Int64(clamping: at)) : nil
        }
    }

    /// When all tries are to be over; nil is never.
    public var deadline: Duration? {
        handle.use { retry in
            var deadline: UInt64 = .max
            _ = chatnio_retry_deadline(retry, &deadline)
            return Duration(deadline: deadline)
        }
    }

    /// Why it may go better.
    public enum Cause: Int32, Sendable, CaseIterable, CustomStringConvertible {
        /// The server, or a gateway in front of it, throttles this address.
        case throttled = 1
        /// A gateway, or a proxy, cannot reach the server behind it.
        case unavailable = 2
        /// The connection was refused, or lost before there was an answer.
        case lost = 3

        /// `throttled`, `unavailable` or `lost`.
        public var description: String {
            switch self {
            case .throttled: "throttled"
            case .unavailable: "unavailable"
            case .lost: "lost"
            }
        }

        /// What a function tells; nil where it tells none.
        init?(of read: (UnsafeMutablePointer<Int32>) -> Int32) {
            var number: Int32 = 0
            guard read(&number) == CHATNIO_OK.status else { return nil }
            self.init(rawValue: number)
        }
    }
}
