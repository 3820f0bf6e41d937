import CChatNio

/// Owns one handle of the C library: frees it once, and hands it out for the time of a call only.
final class Handle {
    private let pointer: OpaquePointer
    private let free: @convention(c) (OpaquePointer?) -> Void
    private let lastError: LastError?

    /// How a handle tells what its last failed call has to say.
    typealias LastError = @convention(c) (OpaquePointer?, UnsafeMutablePointer<CChar>?, Int, UnsafeMutablePointer<Int>?)
        -> Int32

    /// Takes a handle over from the constructor that has made it.
    ///
    /// - Throws: what the constructor says: in `error` where it gives one, which is freed, otherwise by its status.
    init(
        free: @escaping @convention(c) (OpaquePointer?) -> Void,
        lastError: LastError? = nil,
        _ make: (_ out: UnsafeMutablePointer<OpaquePointer?>, _ error: UnsafeMutablePointer<OpaquePointer?>) -> Int32
    ) throws {
        var made: OpaquePointer?
        var error: OpaquePointer?
        let status = make(&made, &error)
        guard status == CHATNIO_OK.status, let made else {
            throw ChatNioError(status, of: error)
        }
        pointer = made
        self.free = free
        self.lastError = lastError
    }

    deinit {
        free(pointer)
    }

    /// Lends the handle. It must not leave `body`.
    func use<R>(_ body: (OpaquePointer) throws -> R) rethrows -> R {
        // So long it must live, too.
        try withExtendedLifetime(self) { try body(pointer) }
    }

    /// Calls a function on the handle.
    ///
    /// - Returns: whether it was done; false when it answered one of `usual` instead.
    /// - Throws: what the handle says of any other failure.
    @discardableResult
    func call(
        unless usual: ChatNioError.Code..., call body: (OpaquePointer) -> Int32
    ) throws -> Bool {
        let status = use(body)
        if status == CHATNIO_OK.status {
            return true
        }
        if usual.contains(where: { $0.rawValue == status }) {
            return false
        }
        throw ChatNioError(status: status, message: message(of: status))
    }

    private func message(of status: Int32) -> String {
        var length = 0
        guard let lastError, lastError(pointer, nil, 0, &length) == CHATNIO_OK.status, length > 0 else {
            return ChatNioError.message(of: status)
        }
        return String(unsafeUninitializedCapacity: length + 1) { buffer in
            buffer.withMemoryRebound(to: CChar.self) { text in
                _ = lastError(pointer, text.baseAddress, text.count, nil)
            }
            return length
        }
    }
}

extension chatnio_status {
    /// The constant as functions answer it.
    var status: Int32 { Int32(bitPattern: rawValue) }
}
