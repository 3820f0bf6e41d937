import CChatNio

/// Why a client's stream has ended without the whole answer, though the request was sent.
public enum AnswerError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The server answered instead of the model: out of quota, unknown model, ...; see ``Answer/notice``.
    case notice(Answer)
    /// The end never came: see ``Answer/outcome``. If the connection is over, `cause` says how.
    case interrupted(Answer, cause: ChatNioError?)

    /// What has come, and what it cost.
    public var answer: Answer {
        switch self {
        case .notice(let answer), .interrupted(let answer, _): answer
        }
    }

    /// Whether the same may go well when it is asked again, on a new connection if this one is over: not after a notice, nor
    /// where this program has closed the connection, TLS has failed, or the same answer is too long again. What came may have
    /// been charged.
    public var isRetryable: Bool {
        switch answer.outcome {
        case .interrupted(let why): chatnio_interruption_is_retryable(why.number)
        case .complete, .stopped, .notice, .unknown, nil: false
        }
    }

    /// What happened, in words. What the *server* said in it is as it came.
    public var description: String {
        switch self {
        case .notice(let answer): answer.notice ?? "the server answered instead of the model"
        case .interrupted(let answer, let cause):
            cause?.message ?? answer.reason ?? "the answer was interrupted"
        }
    }

    /// What a stream ends with; nil when the answer is as it was asked for.
    init?(_ answer: Answer, cause: ChatNioError?) {
        switch answer.outcome {
        case .notice: self = .notice(answer)
        case .interrupted, .unknown: self = .interrupted(answer, cause: cause)
        case .complete, .stopped, nil: return nil
        }
    }
}
