import ChatNio
import XCTest

/// What goes over the wire is what was asked for.
final class RequestTests: HandleTestCase {
    /// What a session sends for a request, behind the authentication.
    private func sent(_ request: Request, auth: Auth = .anonymous) throws -> [String] {
        let session = try Session(auth: auth, now: .zero)
        try session.request(request, now: .zero)
        var sent: [String] = []
        while let message = try session.nextTransmit() {
            sent.append(message)
        }
        return sent
    }

    func testEveryParameterIsSent() throws {
        var request = Request.chat("hi", model: "gpt-4")
        request.web = true
        request.ignoreContext = false
        request.context = 3
        request.maxTokens = 100
        request.temperature = 0.5
        request.topP = 0.25
        request.topK = 40
        request.presencePenalty = -1
        request.frequencyPenalty = 1.5
        request.repetitionPenalty = 2
        let json = try sent(request)[1]
        for field in [
            #""type":"chat""#, #""message":"hi""#, #""model":"gpt-4""#, #""web":true"#, #""ignore_context":false"#,
            #""context":3"#, #""max_tokens":100"#, #""temperature":0.5"#, #""top_p":0.25"#, #""top_k":40"#,
            #""presence_penalty":-1"#, #""frequency_penalty":1.5"#, #""repetition_penalty":2"#,
        ] {
            XCTAssertTrue(json.contains(field), "\(json) has no \(field)")
        }
    }

    func testExtraFieldsAreSent() throws {
        var request = Request.chat("hi")
        request.topK = 3
        request.extra = [
            "think": true, "web_search_mode": ["by": ["au\"to\n", 1, -1.5, nil]], "last": JSON("\\"),
            "given": JSON(text: " [1e2] "),
        ]
        XCTAssertEqual(
            try sent(request)[1],
            #"{"type":"chat","message":"hi","top_k":3,"given":[1e2],"last":"\\","think":true,"#
                + #""web_search_mode":{"by":["au\"to\u000a",1,-1.5,null]}}"#)
        for name in ["model", "Type", "message"] {
            request.extra = [name: 1]
            assertThrows(.knownField) { try self.sent(request) }
        }
        request.extra = ["think": JSON(text: "1,2")]
        assertThrows(.badExtra) { try self.sent(request) }
    }

    func testDeadlinesOfARequest() throws {
        let configuration = try Configuration { $0.keepAlive = .zero }
        func deadline(_ change: (inout Request) -> Void) throws -> Duration? {
            let session = try Session(configuration: configuration, now: .zero)
            var request = Request.chat("hi")
            change(&request)
            try session.request(request, now: .zero)
            if request.nextFrame != nil {
                _ = try session.receive(#"{"message":"a","end":false}"#, now: .zero)
            }
            return session.deadline
        }
        XCTAssertEqual(try deadline { $0.firstFrame = .seconds(2) }, .seconds(2))
        XCTAssertNil(try deadline { $0.firstFrame = .zero })
        XCTAssertEqual(try deadline { $0.nextFrame = .milliseconds(1500) }, .milliseconds(1500))
        XCTAssertEqual(try deadline { $0.answerWithin = .seconds(4) }, .seconds(4))
        assertThrows(.invalid) { _ = try deadline { $0.answerWithin = .seconds(-1) } }
    }

    func testWhatIsNotSetIsLeftOut() throws {
        XCTAssertEqual(try sent(.chat("hi"))[1], #"{"type":"chat","message":"hi"}"#)
    }

    func testEveryKindIsSent() throws {
        XCTAssertEqual(try sent(Request(.share(hash: "abc")))[1], #"{"type":"share","message":"abc"}"#)
        XCTAssertEqual(
            try sent(Request(.mask([.init(.system, "Be \"brief\""), .init(.assistant, "Hm.")])))[1],
            #"{"type":"mask","message":"[{\"role\":\"system\",\"content\":\"Be \\\"brief\\\"\"},{\"role\":\"assistant\",\"content\":\"Hm.\"}]"}"#
        )
        XCTAssertEqual(try sent(Request(.edit(index: 2, "new")))[1], #"{"type":"edit","message":"2:new"}"#)
        XCTAssertEqual(try sent(Request(.remove(index: 0)))[1], #"{"type":"remove","message":"0"}"#)

        let session = try Session(now: .zero)
        try session.request(.chat("hi"), now: .zero)
        _ = try session.receive(#"{"message":"Hello","quota":0.1,"end":true}"#, now: .zero)
        while try session.nextTransmit() != nil {}
        try session.request(.restart(model: "gpt-4"), now: .zero)
        XCTAssertEqual(try session.nextTransmit(), #"{"type":"restart","model":"gpt-4"}"#)
        try session.request(Request(.stop), now: .zero)
        XCTAssertEqual(try session.nextTransmit(), #"{"type":"stop"}"#)
    }

    func testTextsOfEveryKindArriveWhole() throws {
        for text in ["", " ", "\0", "a\0b", "é", "日本語", "👩‍👩‍👧‍👦", "\u{2028}\"\\\u{1}"] + [
            String(repeating: "x", count: 100_000)
        ] {
            if text.allSatisfy(\.isWhitespace) {
                assertThrows(.emptyMessage) { try self.sent(.chat(text)) }
            } else {
                let session = try Session(now: .zero)
                try session.request(.chat("hi"), now: .zero)
                var quoted = EventLog()
                quoted.addWarning(text, line: nil)
                let json = quoted.text.split(separator: "\"message\":")[1].dropLast(2)
                XCTAssertTrue(try sent(.chat(text))[1].hasSuffix("\"message\":\(json)}"))
                guard case .delta(let delta) = try session.receive("{\"message\":\(json),\"end\":false}", now: .zero)
                else {
                    return XCTFail("no delta")
                }
                XCTAssertEqual(delta.text, text)
            }
        }
    }

    func testAuthenticationsAreSent() throws {
        XCTAssertEqual(try sent(.chat("hi"))[0], #"{"token":"anonymous","id":-1}"#)
        XCTAssertEqual(try sent(.chat("hi"), auth: Auth(token: "sk-1"))[0], #"{"token":"sk-1","id":-1}"#)
        XCTAssertEqual(
            try sent(.chat("hi"), auth: Auth(token: "sk-1", conversation: 7))[0], #"{"token":"sk-1","id":7}"#)
        XCTAssertEqual(
            try sent(.chat("hi"), auth: Auth(token: "sk-1", share: "abc"))[0], #"{"token":"sk-1","id":-1,"ref":"abc"}"#)
    }

    func testWhatCannotBeSentIsRefused() throws {
        var request = Request.chat("hi")
        request.temperature = .nan
        assertThrows(.notFinite) { try self.sent(request) }
        request = Request(.share(hash: "abc"))
        request.model = "gpt-4"
        assertThrows(.badParameters) { try self.sent(request) }
        assertThrows(.emptyShare) { try self.sent(Request(.share(hash: ""))) }
        assertThrows(.badMask) { try self.sent(Request(.mask([]))) }
        assertThrows(.invalid) { try self.sent(Request(.edit(index: -1, "x"))) }
        assertThrows(.invalid) { try self.sent(Request(.remove(index: 1 << 32))) }
        assertThrows(.nothingToRestart) { try self.sent(.restart()) }
        assertThrows(.requestTooLong) { try self.sent(.chat(String(repeating: "x", count: 9 << 20))) }
        assertThrows(.emptyToken) { try self.sent(.chat("hi"), auth: Auth(token: "")) }
        assertThrows(.badConversation) { try self.sent(.chat("hi"), auth: Auth(token: "sk-1", conversation: 0)) }
        assertThrows(.emptyShare) { try self.sent(.chat("hi"), auth: Auth(token: "sk-1", share: "")) }
    }
}
