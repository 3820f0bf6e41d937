/// A task that waits for one value from a thread.
final class Waiting<Value: Sendable>: @unchecked Sendable {
    // Sendable: guarded by the monitor.
    private let monitor = Monitor()
    private var continuation: CheckedContinuation<Value, any Error>?
    private var result: Result<Value, any Error>?

    /// Has it begun, and waits.
    func value(_ begin: () throws -> Void) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let result = monitor.locked {
                self.continuation = continuation
                return self.result
            }
            if let result {
                continuation.resume(with: result)
                return
            }
            do {
                try begin()
            } catch {
                _ = resume(with: .failure(error))
            }
        }
    }

    /// Gives the value, or why there is none.
    ///
    /// - Returns: false when that was given already: this one is not wanted any more.
    func resume(with result: Result<Value, any Error>) -> Bool {
        let (isFirst, continuation) = monitor.locked {
            guard self.result == nil else { return (false, self.continuation) }
            self.result = result
            return (true, self.continuation)
        }
        if isFirst {
            continuation?.resume(with: result)
        }
        return isFirst
    }
}
