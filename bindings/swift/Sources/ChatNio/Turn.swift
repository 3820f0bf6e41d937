/// A chat or a restart that waits for its turn, or runs.
final class Turn: @unchecked Sendable {
    // Sendable: what changes is guarded by the monitor of the client's thread.
    let request: Request
    /// Called on the client's thread, as the pieces come.
    let onDelta: @Sendable (Delta) -> Void
    /// Called once: with the answer, whatever its outcome, and what ended the connection if that is over; or with why
    /// there is none.
    let onEnd: @Sendable (Result<(Answer, ChatNioError?), any Error>) -> Void
    /// The request has gone out.
    var isSent = false
    /// Nobody wants more of the answer.
    var isUnwanted = false

    init(
        _ request: Request, onDelta: @escaping @Sendable (Delta) -> Void = { _ in },
        onEnd: @escaping @Sendable (Result<(Answer, ChatNioError?), any Error>) -> Void
    ) {
        self.request = request
        self.onDelta = onDelta
        self.onEnd = onEnd
    }
}
