/// The pieces of an answer as they come, none of them empty, none ever dropped: what ``Client/ask(_:)-(Request)`` gives.
///
/// A stream has one reader: that two tasks wait for it at the same time is a programming error, which ends the program. The
/// answer is stopped when the reader's task is cancelled, or when the last copy of the stream and of its iterator is gone.
public struct DeltaStream: AsyncSequence, Sendable {
    /// A piece.
    public typealias Element = Delta

    private let reader: Reader

    /// - Parameter leave: called when nobody reads any more, also after the end.
    init(_ pieces: Pieces, leave: @escaping @Sendable () -> Void) {
        reader = Reader(pieces, leave)
    }

    /// The reader's side.
    public func makeAsyncIterator() -> Iterator {
        Iterator(reader: reader)
    }

    /// The reader's side of a stream.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let reader: Reader

        /// Waits for the next piece; nil behind the last.
        public mutating func next() async throws -> Delta? {
            try await reader.next(isolation: nil)
        }

        /// Waits for the next piece, without leaving the actor that asks; nil behind the last.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Delta? {
            try await reader.next(isolation: actor)
        }
    }

    /// Gone with the last copy.
    fileprivate final class Reader: @unchecked Sendable {
        // Sendable: what has been taken is the one reader's.
        private let pieces: Pieces
        private let leave: @Sendable () -> Void
        private var taken: [Delta] = []
        private var position = 0

        init(_ pieces: Pieces, _ leave: @escaping @Sendable () -> Void) {
            self.pieces = pieces
            self.leave = leave
        }

        deinit {
            leave()
        }

        func next(isolation actor: isolated (any Actor)?) async throws -> Delta? {
            if Task.isCancelled {
                cancel()
            }
            while position == taken.count {
                position = 0
                if try pieces.take(&taken) { return nil }
                if taken.isEmpty {
                    await withTaskCancellationHandler(
                        operation: { await pieces.wait(isolation: actor) }, onCancel: { cancel() }, isolation: actor)
                }
            }
            defer { position += 1 }
            return taken[position]
        }

        /// Nobody wants more; what has come is still there.
        private func cancel() {
            leave()
            pieces.finish()
        }
    }
}

/// The pieces of an answer on their way from the client's thread to their reader, who takes all that have come at once.
final class Pieces: @unchecked Sendable {
    // Sendable: guarded by the monitor.
    private let monitor = Monitor()
    private var arrived: [Delta] = []
    private var end: Result<Void, any Error>?
    private var reader: CheckedContinuation<Void, Never>?

    /// Adds pieces; none behind the end.
    func add(_ deltas: [Delta]) {
        let reader = monitor.locked {
            if end == nil {
                arrived.append(contentsOf: deltas)
            }
            return wanted()
        }
        reader?.resume()
    }

    /// The last piece has come; there is no other end then.
    func finish(throwing error: (any Error)? = nil) {
        let reader = monitor.locked {
            end = end ?? error.map { .failure($0) } ?? .success(())
            return wanted()
        }
        reader?.resume()
    }

    /// Under the lock: who waits, and is to look again.
    private func wanted() -> CheckedContinuation<Void, Never>? {
        defer { reader = nil }
        return reader
    }

    /// Replaces `taken`, which its reader has done with, by what has come.
    ///
    /// - Returns: whether the end has come, and was told.
    /// - Throws: the end's error, once.
    func take(_ taken: inout [Delta]) throws -> Bool {
        taken.removeAll(keepingCapacity: true)
        return try monitor.locked {
            if !arrived.isEmpty {
                swap(&taken, &arrived)
                return false
            }
            guard let end else { return false }
            self.end = .success(())
            try end.get()
            return true
        }
    }

    /// Waits until there is something to be taken.
    func wait(isolation actor: isolated (any Actor)?) async {
        await withCheckedContinuation(isolation: actor) { continuation in
            let isThere = monitor.locked {
                precondition(reader == nil, "two tasks read the same answer")
                if arrived.isEmpty && end == nil {
                    reader = continuation
                    return false
                }
                return true
            }
            if isThere {
                continuation.resume()
            }
        }
    }
}
