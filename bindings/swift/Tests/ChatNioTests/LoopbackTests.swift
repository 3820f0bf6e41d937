import ChatNio
import ChatNioTesting
import XCTest

/// The server that programs test against.
final class LoopbackTests: HandleTestCase {
    func testWhatItWasAskedIsTold() async throws {
        let server = try Loopback.serving("--pace", "0", in: self)
        let nothing = try server.requests
        XCTAssertEqual(nothing, [])
        let client = try await server.client()
        _ = try await client.answer(to: "hi \u{1F30D}", model: "hello")
        _ = try await client.restart(model: "slow").joined()
        let requests = try server.requests
        XCTAssertEqual(requests.map(\.type), ["chat", "restart"])
        XCTAssertEqual(requests.map(\.message), ["hi \u{1F30D}", nil])
        XCTAssertEqual(requests.map(\.model), ["hello", "slow"])
        XCTAssertEqual(requests[0]["message"], "hi \u{1F30D}")
        XCTAssertTrue(requests[0].json.hasPrefix("{"), requests[0].json)
        server.close()
        server.close()
        let closed = try server.requests
        XCTAssertEqual(closed, [])
        await assertThrows(.connect) { try await Client(server.url) }
    }

    func testWhatCannotBeStartedIsAnError() throws {
        XCTAssertThrowsError(try Loopback("--no-such-option", program: Loopback.program)) { error in
            XCTAssertEqual((error as? Loopback.NotStarted)?.status, 2)
        }
        XCTAssertThrowsError(try Loopback(program: "/no/such/program"))
        XCTAssertThrowsError(try Loopback(program: "no-such-program")) { error in
            XCTAssertEqual((error as? Loopback.NotStarted)?.status, 127)
        }
    }
}
