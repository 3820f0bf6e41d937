import ChatNio
import Foundation
import XCTest

/// `chatnio serve` as a process of its own, which ends with its test, and with this process.
final class Loopback: @unchecked Sendable {
    // Sendable: nothing of it changes.
    let url: String
    private let process = Process()
    private let input = Pipe()

    init(_ arguments: String..., in test: XCTestCase) throws {
        let output = Pipe()
        process.executableURL = Checkout.root.appendingPathComponent("target/debug/chatnio")
        process.arguments = ["serve", "--until-stdin-closes"] + arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        // Its URL is its first line: whoever has read that can connect.
        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            let byte = output.fileHandleForReading.readData(ofLength: 1)
            if byte.isEmpty { throw CocoaError(.executableLoad) }
            line += byte
        }
        url = String(decoding: line.dropLast(), as: UTF8.self)
        test.addTeardownBlock { self.end() }
    }

    func end() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// With what a test needs most: a token.
    func client(
        recording: Bool = false, onEvent: (@Sendable (Event) -> Void)? = nil
    ) async throws -> Client {
        let configuration = try Configuration {
            $0.record = recording
            // A stop that does not arrive is to end a test, not to hang it.
            $0.nextFrame = .seconds(20)
        }
        return try await Client(url, auth: Auth(token: "sk-test"), configuration: configuration, onEvent: onEvent)
    }

    /// A file that is gone with the test.
    static func file(_ text: String = "", in test: XCTestCase) throws -> String {
        let path = NSTemporaryDirectory() + "chatnio-\(UUID().uuidString)"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        test.addTeardownBlock { try? FileManager.default.removeItem(atPath: path) }
        return path
    }
}

extension AsyncThrowingStream where Element == Delta {
    /// All of it.
    func joined() async throws -> String {
        var text = ""
        for try await delta in self { text += delta.text }
        return text
    }
}
