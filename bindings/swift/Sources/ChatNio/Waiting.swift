/// A task that waits for one value from a thread.
final class Waiting<Value: Sendable>: @unchecked Sendable {
    // Sendable: guarded by the monitor.
    private let monitor = Monitor()
    private var continuation: CheckedContinuation<Void, Never>?
    private var given: Value?

    /// Has it begun, and waits.
    func value(_ begin: () -> Void) async -> Value {
        await withCheckedContinuation { continuation in
            let isGiven = monitor.locked {
                self.continuation = continuation
                return given != nil
            }
            if isGiven {
                continuation.resume()
            } else {
                begin()
            }
        }
        return monitor.locked { given! }
    }

    /// Gives the value.
    ///
    /// - Returns: false when there is one already: this one is not wanted any more.
    @discardableResult
    func give(_ value: Value) -> Bool {
        let (isFirst, continuation) = monitor.locked {
            let isFirst = given == nil
            given = given ?? value
            return (isFirst, self.continuation)
        }
        if isFirst {
            continuation?.resume()
        }
        return isFirst
    }
}
