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
        XCTAssertEqual(closed, requests)
        await assertThrows(.connect) { try await Client(server.url) }
    }

    func testAQuestionThatIsNotTheTranscriptsFailsATest() async throws {
        let script = try Loopback.file(
            """
            > SEND {"token":"sk-...","id":-1}
            > SEND {"type":"chat","message":"hi","web":false,"model":"gpt-4"}  // the first
            < RECV {"message":"Hello","quota":0.1,"end":true}

            """, in: self)
        let ask = { (server: Loopback, question: String, model: String?) async throws -> String in
            try await server.client().answer(to: question, model: model).text
        }
        let answers = try await withLoopback(playing: script, "--pace", "0", program: Loopback.program) { server in
            [try await ask(server, "hi", "gpt-4"), try await ask(server, "hi", "gpt-4")]
        }
        XCTAssertEqual(answers, ["Hello", "Hello"])

        for (question, model) in [("ho", "gpt-4"), ("hi", "gpt-3"), ("hi", nil)] {
            var server: Loopback?
            do {
                _ = try await withLoopback(playing: script, program: Loopback.program) {
                    server = $0
                    _ = try await ask($0, "hi", "gpt-4")
                    return try await ask($0, question, model)
                }
                XCTFail("\(question) is taken for the transcript's")
            } catch let error as Loopback.UnexpectedRequest {
                XCTAssertTrue("\(error)".hasPrefix("question 1 is another than the script's:\n  asked:  {"), "\(error)")
                XCTAssertTrue("\(error)".contains("\"message\":\"\(question)\""), "\(error)")
                // It has ended, and knows what it was asked.
                XCTAssertThrowsError(try server?.check()) { XCTAssertEqual($0 as? Loopback.UnexpectedRequest, error) }
                XCTAssertEqual(try server?.requests.map(\.message), ["hi", question])
            }
        }
        // The test's own failure is told, and not that.
        do {
            try await withLoopback(playing: script, program: Loopback.program) { server in
                _ = try await ask(server, "ho", nil)
                throw CancellationError()
            }
            XCTFail("nothing was thrown")
        } catch is CancellationError {}
        // Without it anything may be asked, and looked at afterwards.
        let server = try Loopback.serving("--script", script, in: self)
        _ = try await ask(server, "hi", "gpt-4")
        try server.check()
        _ = try await ask(server, "ho", nil)
        XCTAssertThrowsError(try server.check())
        // Without a transcript there is nothing to compare.
        try Loopback.serving(in: self).check()
    }

    func testItIsLentOnAnyActor() async throws {
        let script = try Loopback.file(
            "> SEND {\"message\":\"hi\"}\n< RECV {\"message\":\"Hello\",\"quota\":0.1,\"end\":true}\n", in: self)
        @MainActor func ask() async throws -> [String] {
            var texts: [String] = []
            try await withLoopback(playing: script, program: Loopback.program) { server in
                MainActor.assertIsolated()
                texts.append(try await server.client().answer(to: "hi").text)
            }
            return texts
        }
        let texts = try await ask()
        XCTAssertEqual(texts, ["Hello"])
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
