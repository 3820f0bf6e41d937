import ChatNio
import ChatNioTesting
import Foundation
import XCTest

extension Loopback {
    /// That of this checkout.
    static let program = Checkout.root.appendingPathComponent("target/debug/chatnio").path

    /// One that ends with its test.
    static func serving(_ arguments: String..., in test: XCTestCase) throws -> Loopback {
        let server = try Loopback(arguments, program: program)
        test.addTeardownBlock { server.close() }
        return server
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

extension DeltaStream {
    /// All of it.
    func joined() async throws -> String {
        var text = ""
        for try await delta in self { text += delta.text }
        return text
    }
}
