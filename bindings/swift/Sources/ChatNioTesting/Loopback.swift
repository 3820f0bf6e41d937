#if os(Linux) || os(macOS)
    import Foundation

    /// A server on 127.0.0.1, to try things out and to test against: the program `chatnio serve`, in a process of its own
    /// that ends by ``close()``, and with this process.
    ///
    /// ```swift
    /// let server = try Loopback("--pace", "0")
    /// defer { server.close() }
    /// let client = try await Client(server.url, auth: Auth(token: "sk-any"))
    /// _ = try await client.answer(to: "hi", model: "hello")
    /// let asked = try server.requests.map(\.message)
    /// precondition(asked == ["hi"])
    /// ```
    ///
    /// The program is a part of Chat Nio's library and is installed by `make install-cli`.
    public final class Loopback: @unchecked Sendable {
        // Sendable: what changes is the process, by calls that any thread may make, and the rest under the lock.

        /// Where it is: `ws://127.0.0.1:PORT/chat`, or `wss://localhost:PORT/chat`.
        public let url: String
        /// The certificates to trust, for `rootFiles` of a configuration: one with `--tls`, none without.
        public let roots: [String]
        private let folder: URL
        private let process = Process()
        private let input = Pipe()
        /// What it was asked, and what of that the script does not ask, once it has ended.
        private var last: Result<(requests: [Asked], differences: String), any Error>?

        private static let lock = NSLock()
        /// Those that are not closed. They are held: a compiler may let go of one after its URL was read.
        nonisolated(unsafe) private static var running: [ObjectIdentifier: Loopback] = [:]

        /// Starts one. Its models are told apart by name: `hello` greets, `slow` takes its time, `silent` says nothing;
        /// `chatnio serve --help` and docs/testing.md have all of them.
        ///
        /// - Parameters:
        ///   - arguments: Those of `chatnio serve`: `--generation 2023-11`, `--script FILE`, `--fault throttled`, ...
        ///   - program: The program: a path, or a name that is looked up in `PATH`.
        /// - Throws: What the system says when the program cannot be started, and ``NotStarted`` when it ended at once: it has
        ///   said why on standard error.
        public convenience init(_ arguments: String..., program: String = "chatnio") throws {
            try self.init(arguments, program: program)
        }

        /// The same, with the arguments in an array.
        ///
        /// - Throws: The same.
        public init(_ arguments: [String], program: String = "chatnio") throws {
            folder = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent("chatnio-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            roots = arguments.contains("--tls") ? [folder.appendingPathComponent("roots.pem").path] : []
            let output = Pipe()
            let isPath = program.contains("/")
            process.executableURL = URL(fileURLWithPath: isPath ? program : "/usr/bin/env")
            process.arguments =
                (isPath ? [] : [program]) + [
                    "serve", "--until-stdin-closes", "--requests", Self.requests(in: folder).path,
                ]
                + roots.flatMap { ["--ca-out", $0] }
                + (arguments.contains("--script") ? ["--differences", Self.differences(in: folder).path] : [])
                + arguments
            process.standardInput = input
            process.standardOutput = output
            do {
                try process.run()
            } catch {
                try? FileManager.default.removeItem(at: folder)
                throw error
            }
            // Its URL is its first line: whoever has read that can connect.
            var line = Data()
            while line.last != UInt8(ascii: "\n") {
                let byte = output.fileHandleForReading.readData(ofLength: 1)
                if byte.isEmpty {
                    process.waitUntilExit()
                    try? FileManager.default.removeItem(at: folder)
                    throw NotStarted(status: process.terminationStatus)
                }
                line += byte
            }
            url = String(decoding: line.dropLast(), as: UTF8.self)
            Self.lock.withLock { Self.running[ObjectIdentifier(self)] = self }
        }

        /// What it was asked so far, by all its clients, in the order in which it came, stops among it; also once it is closed.
        ///
        /// - Throws: What the system says when that cannot be read.
        public var requests: [Asked] {
            get throws { try heard().requests }
        }

        /// Fails when something else was asked so far than the transcript of `--script` asks, request by request: a test's last
        /// line, or ``withLoopback(playing:_:program:isolation:_:)`` does it. Each connection is compared from the
        /// transcript's start, as it is played; it may ask less. Stops may come whenever they like.
        ///
        /// - Throws: ``UnexpectedRequest``, and what the system says when what was asked cannot be read.
        public func check() throws {
            let differences = try heard().differences
            if !differences.isEmpty {
                throw UnexpectedRequest(description: differences)
            }
        }

        /// Ends it. A repeated call does nothing.
        public func close() {
            guard Self.lock.withLock({ Self.running.removeValue(forKey: ObjectIdentifier(self)) }) != nil else {
                return
            }
            try? input.fileHandleForWriting.close()
            process.waitUntilExit()
            Self.lock.withLock { last = Result { try written() } }
            try? FileManager.default.removeItem(at: folder)
        }

        private func heard() throws -> (requests: [Asked], differences: String) {
            try Self.lock.withLock { try last?.get() ?? written() }
        }

        /// What the program has written so far.
        private func written() throws -> (requests: [Asked], differences: String) {
            // What is behind the last line's end is being written.
            let lines = try text(Self.requests(in: folder)).split(separator: "\n", omittingEmptySubsequences: false)
                .dropLast()
            let differences = try text(Self.differences(in: folder)).trimmingCharacters(in: .newlines)
            return (lines.map { Asked(json: String($0)) }, differences)
        }

        private func text(_ file: URL) throws -> String {
            FileManager.default.fileExists(atPath: file.path) ? try String(contentsOf: file, encoding: .utf8) : ""
        }

        private static func requests(in folder: URL) -> URL { folder.appendingPathComponent("requests") }
        private static func differences(in folder: URL) -> URL { folder.appendingPathComponent("differences") }

        /// A request as it came.
        public struct Asked: Sendable, Hashable {
            /// The whole of it, as the protocol has it: `{"type":"chat","message":"hi","model":"hello"}`.
            public let json: String

            /// What kind of request it is: `chat`, `stop`, `restart`, ...
            public var type: String? { self["type"] }
            /// The question, or what the type makes of it.
            public var message: String? { self["message"] }
            /// The model that was asked.
            public var model: String? { self["model"] }

            /// A field that is a string; nil where there is none.
            public subscript(name: String) -> String? {
                let object = try? JSONSerialization.jsonObject(with: Data(json.utf8))
                return (object as? [String: Any])?[name] as? String
            }
        }

        /// Something was asked that the transcript does not ask.
        public struct UnexpectedRequest: Error, Hashable, CustomStringConvertible {
            /// Which request it is, what was asked, and what the transcript asks there; of each that differs.
            public let description: String
        }

        /// The program has ended before it served.
        public struct NotStarted: Error, Hashable, CustomStringConvertible {
            /// Its exit status.
            public let status: Int32

            /// That it ended, and how.
            public var description: String { "`chatnio serve` ended with status \(status)" }
        }
    }

    /// Lends `body` a server that plays a transcript, and ends it. A question that is not the transcript's is an error, so that
    /// a test fails whose program asks something else than it did when that was recorded:
    ///
    /// ```swift
    /// try await withLoopback(playing: "Tests/hello.txt") { server in
    ///     let client = try await Client(server.url, auth: Auth(token: "sk-any"))
    ///     let text = try await client.answer(to: "hi", model: "gpt-4").text
    ///     precondition(text == "Hello")
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - transcript: The file.
    ///   - arguments: More of those of `chatnio serve`.
    ///   - program: The program, as ``Loopback/init(_:program:)-(String...,_)`` takes it.
    ///   - isolation: Where `body` runs: the caller's, as a rule.
    ///   - body: What asks. Its own error goes before that of a question.
    /// - Returns: What `body` returns.
    /// - Throws: What starting a ``Loopback`` and `body` throw, and ``Loopback/UnexpectedRequest``.
    public func withLoopback<Success: Sendable>(
        playing transcript: String, _ arguments: String..., program: String = "chatnio",
        isolation: isolated (any Actor)? = #isolation, _ body: (Loopback) async throws -> Success
    ) async throws -> Success {
        let server = try Loopback(["--script", transcript] + arguments, program: program)
        defer { server.close() }
        let success = try await body(server)
        try server.check()
        return success
    }
#endif
