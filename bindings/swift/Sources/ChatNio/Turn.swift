/// A chat or a restart that waits for its turn, or runs.
final class Turn: @unchecked Sendable {
    // Sendable: what changes is guarded by the monitor of the client's thread.
    let request: Request
    /// Called on the client's thread, with the pieces that have come.
    let onDeltas: @Sendable ([Delta]) -> Void
    /// Called once: with the answer, whatever its outcome, and what ended the connection if that is over; or with why
    /// there is none.
    let onEnd: @Sendable (Result<(Answer, ChatNioError?), any Error>) -> Void
    /// How far it has got.
    var progress = Progress.waiting
    /// Nobody wants more of the answer, though it was sent.
    var isUnwanted = false

    enum Progress {
        /// It can still be dropped.
        case waiting
        /// It was, or could not be begun: it is never sent, and has had its end.
        case dropped
        /// The request goes out just now. A stop has to follow it.
        case sending
        /// The request has gone out.
        case sent
    }

    init(
        _ request: Request, onDeltas: @escaping @Sendable ([Delta]) -> Void = { _ in },
        onEnd: @escaping @Sendable (Result<(Answer, ChatNioError?), any Error>) -> Void
    ) {
        self.request = request
        self.onDeltas = onDeltas
        self.onEnd = onEnd
    }
}
