import CChatNio

/// Stops a client's answer, or ends its connect, from any thread. It is there before its client.
final class Stopper: @unchecked Sendable {
    // Sendable: the library takes it from any threads.
    private let handle: Handle

    init() throws {
        handle = try Handle(free: chatnio_stopper_free) { out, _ in chatnio_stopper_new(out) }
    }

    /// Lends the handle to make its client with.
    func use<R>(_ body: (OpaquePointer) throws -> R) rethrows -> R {
        try handle.use(body)
    }

    /// Stops the running answer at once.
    func stop() {
        _ = handle.use { chatnio_stopper_stop($0, nil) }
    }

    /// Closes the connection at once, and what is still being connected within a moment.
    func close() {
        _ = handle.use { chatnio_stopper_close($0) }
    }
}
