import ChatNio
import XCTest

final class SessionTests: HandleTestCase {
    private let now = Duration.seconds(1000)

    /// A session that has asked, and sent that.
    private func asking(_ change: (inout Configuration.Settings) -> Void = { _ in }) throws -> Session {
        let session = try Session(auth: Auth(token: "sk-1"), configuration: Configuration(change), now: now)
        try session.request(.chat("hi"), now: now)
        while try session.nextTransmit() != nil {}
        return session
    }

    func testAnAnswerFromItsOpenerToItsEnd() throws {
        let session = try asking()
        XCTAssertEqual(session.state, .asking)
        guard
            case .opened(let opened) = try session.receive(
                #"{"conversation":7,"quota":0,"message":"","end":false}"#, now: now)
        else { return XCTFail("not opened") }
        XCTAssertEqual(opened.turn, 1)
        XCTAssertEqual(opened.conversation, .new(id: 7))
        XCTAssertEqual(session.conversation.id, 7)

        let frame = #"{"message":"Hel","quota":0.1,"end":false,"title":"T","tool_call":{"a":[1,"}"]}}"#
        guard case .delta(let delta) = try session.receive(frame, now: now) else { return XCTFail("no delta") }
        XCTAssertEqual(delta.text, "Hel")
        XCTAssertEqual("\(delta)", "Hel")
        XCTAssertEqual(delta.quota.value, 0.1)
        XCTAssertEqual(delta.quota.text, "0.1")
        XCTAssertEqual(delta.frame.text, frame)
        XCTAssertEqual(delta.frame["title"], #""T""#)
        XCTAssertEqual(delta.frame["tool_call"], #"{"a":[1,"}"]}"#)
        XCTAssertNil(delta.frame["none"])
        XCTAssertEqual(session.state, .answering)
        XCTAssertEqual(session.answer?.text, "Hel")
        XCTAssertNil(session.answer?.outcome)

        guard
            case .end(let end) = try session.receive(#"{"message":"lo","quota":0.25,"end":true,"plan":true}"#, now: now)
        else { return XCTFail("no end") }
        XCTAssertEqual(end.delta?.text, "lo")
        XCTAssertEqual(end.answer.text, "Hello")
        XCTAssertEqual(end.answer.outcome, .complete)
        XCTAssertEqual(end.answer.quota.text, "0.25")
        XCTAssertEqual(end.answer.conversation, 7)
        XCTAssertEqual(end.answer.chunks, 2)
        XCTAssertTrue(end.answer.plan)
        XCTAssertNil(end.answer.notice)
        XCTAssertNil(session.answer)
        XCTAssertEqual(session.state, .idle)
        XCTAssertGreaterThan(session.memory, 0)
    }

    func testAnEventOwnsWhatItHolds() throws {
        var session: Session? = try asking()
        let event = try session?.receive(
            #"{"message":"a text that is longer than a small string","quota":0.1,"end":false}"#, now: now)
        _ = try session?.receive(
            #"{"message":"another text that is longer than a small string","quota":0.1,"end":false}"#, now: now)
        session = nil
        guard case .delta(let delta) = event else { return XCTFail("no delta") }
        XCTAssertEqual(delta.text, "a text that is longer than a small string")
        XCTAssertEqual(delta.frame["quota"], "0.1")
    }

    func testNoticesAndStraysAndMalformedMessages() throws {
        let session = try asking()
        guard case .malformed(let error) = try session.receive("{\"message\":1}", now: now) else {
            return XCTFail("read")
        }
        XCTAssertEqual(error.code, .malformed)
        XCTAssertTrue(error.message.contains("message"), error.message)
        guard case .malformed = try session.receiveBinary(now: now) else { return XCTFail("binary") }
        guard
            case .end(let end) = try session.receive(
                #"{"message":"quota is not enough","quota":0,"end":true}"#, now: now)
        else { return XCTFail("no end") }
        XCTAssertEqual(end.answer.outcome, .notice)
        XCTAssertEqual(end.answer.notice, "quota is not enough")
        XCTAssertEqual(end.answer.malformed, 2)
        guard case .stray(let stray) = try session.receive(#"{"message":"late","quota":0.5,"end":true}"#, now: now)
        else { return XCTFail("no stray") }
        XCTAssertEqual(stray.text, "late")
        XCTAssertEqual(stray.quota.text, "0.5")
        XCTAssertTrue(stray.isEnd)
        XCTAssertEqual(session.counters.strays, 1)
        XCTAssertEqual(session.counters.malformed, 2)
    }

    func testStopsAreRepeatedUntilTheEnd() throws {
        let session = try asking()
        _ = try session.receive(#"{"message":"a","quota":0.1,"end":false}"#, now: now)
        XCTAssertTrue(try session.stop(now: now))
        XCTAssertFalse(try session.stop(now: now))
        XCTAssertEqual(try session.nextTransmit(), #"{"type":"stop"}"#)
        XCTAssertEqual(session.state, .stopping)
        let deadline = try XCTUnwrap(session.deadline)
        XCTAssertEqual(deadline, now + .milliseconds(150))
        XCTAssertNil(try session.handleTimeout(now: deadline - .milliseconds(1)))
        XCTAssertEqual(try session.handleTimeout(now: deadline), .stopRepeated(turn: 1))
        XCTAssertEqual(try session.nextTransmit(), #"{"type":"stop"}"#)
        XCTAssertEqual(session.counters.repeatedStops, 1)
        guard case .end(let end) = try session.receive(#"{"message":"","quota":0.2,"end":true}"#, now: deadline)
        else { return XCTFail("no end") }
        XCTAssertEqual(end.answer.outcome, .stopped)
        XCTAssertEqual(end.answer.quota.text, "0.2")
    }

    func testDeadlinesInterruptAndDrain() throws {
        let session = try asking {
            $0.firstFrame = .seconds(2)
            $0.keepAlive = .zero
        }
        XCTAssertEqual(session.deadline, now + .seconds(2))
        guard case .end(let end) = try session.handleTimeout(now: now + .seconds(2)) else { return XCTFail("no end") }
        XCTAssertEqual(end.answer.outcome, .interrupted(.firstFrameDeadline))
        XCTAssertNotNil(end.answer.reason)
        XCTAssertNil(end.frame)
        XCTAssertNil(end.delta)
        XCTAssertEqual(session.state, .draining)
        assertThrows(.busy) { try session.request(.chat("again"), now: self.now) }
    }

    func testKeepAlives() throws {
        let session = try asking()
        _ = try session.receive(#"{"message":"","quota":0,"end":true}"#, now: now)
        XCTAssertEqual(session.deadline, now + .seconds(25))
        XCTAssertEqual(try session.handleTimeout(now: now + .seconds(25)), .keepAlive)
        XCTAssertEqual(try session.nextTransmit(), #"{"type":"ping"}"#)
    }

    func testBusyIsCaughtByItsCode() throws {
        let session = try asking()
        do {
            try session.request(.chat("more"), now: now)
            XCTFail("nothing was thrown")
        } catch let error as ChatNioError where error.code == .closed {
            XCTFail("the wrong code")
        } catch let error as ChatNioError where error.code == .busy {
        }
    }

    func testClosingAndReconnecting() throws {
        let session = try asking()
        _ = try session.receive(#"{"conversation":7,"quota":0,"message":"","end":false}"#, now: now)
        _ = try session.receive(#"{"message":"so far","quota":0.1,"end":false}"#, now: now)
        guard case .end(let end) = try session.closed(.lost) else { return XCTFail("no end") }
        XCTAssertEqual(end.answer.outcome, .interrupted(.connectionLost))
        XCTAssertEqual(end.answer.text, "so far")
        XCTAssertNil(try session.closed(.lost))
        XCTAssertEqual(session.state, .closed)
        assertThrows(.closed) { try session.request(.chat("x"), now: self.now) }
        assertThrows(.closed) { try session.receive("{}", now: self.now) }
        assertThrows(.closed) { try session.stop(now: self.now) }

        XCTAssertNil(try session.reconnect(now: now))
        try session.request(.chat("again"), now: now)
        XCTAssertEqual(try session.nextTransmit(), #"{"token":"sk-1","id":7}"#)
        guard case .end(let second) = try session.reconnect(now: now) else { return XCTFail("no end") }
        XCTAssertEqual(second.answer.turn, 2)
        XCTAssertEqual(second.answer.outcome, .interrupted(.reconnected))
    }

    func testRecordingsHoldNoToken() throws {
        XCTAssertNil(try asking().transcript)
        let session = try asking { $0.record = true }
        _ = try session.receive(#"{"message":"Hello","quota":0.1,"end":true}"#, now: now)
        let transcript = try XCTUnwrap(session.transcript)
        XCTAssertTrue(transcript.text.contains(#"> SEND {"type":"chat","message":"hi"}"#), transcript.text)
        XCTAssertFalse(transcript.text.contains("sk-1"), transcript.text)
        guard case .event(.end(let end), let line) = try transcript.replay().last else { return XCTFail("no end") }
        XCTAssertEqual(end.answer.text, "Hello")
        XCTAssertNotNil(line)
    }

    func testClocksOfEveryKind() throws {
        let session = try Session(now: .seconds(-5))
        try session.request(.chat("hi"), now: .nanoseconds(1_999_999))
        // In whole milliseconds.
        XCTAssertEqual(session.deadline, .milliseconds(1) + .seconds(25))
        // Back is standing still.
        XCTAssertNil(try session.handleTimeout(now: .zero))
        XCTAssertNotNil(try session.handleTimeout(now: .seconds(1 << 40)))
    }

    func testABugInTheLibraryIsAnError() throws {
        let session = try asking()
        panicNext()
        let error = assertThrows(.panic) { try session.receiveBinary(now: self.now) }
        XCTAssertTrue(error?.message.contains("injected for a test") ?? false, error?.message ?? "")
        XCTAssertTrue(error?.isFatal ?? false)
        // From then on, and nothing crashes.
        assertThrows(.panic) { try session.receive("{}", now: self.now) }
        assertThrows(.panic) { try session.nextTransmit() }
        XCTAssertEqual(session.state, .closed)
        XCTAssertNil(session.deadline)
        XCTAssertNil(session.answer)
        XCTAssertEqual(session.conversation, .unknown(asked: nil))
        XCTAssertEqual(session.counters.strays, 0)
        XCTAssertEqual(session.memory, 0)
        XCTAssertNil(session.transcript)
        panicNext()
        assertThrows(.panic) { try Transcript("WEBSOCKET ws://h/\n") }
        panicNext()
        let auth = Auth(token: "sk-1")
        assertThrows(.panic) { try Session(auth: auth, now: .zero) }
    }

    func testAThousandSessionsAtOnce() throws {
        let configuration = try Configuration()
        let sessions = try (0..<1000).map { _ in
            try Session(auth: Auth(token: "sk-1"), configuration: configuration, now: now)
        }
        for (number, session) in sessions.enumerated() {
            try session.request(.chat("question \(number)"), now: now)
        }
        for (number, session) in sessions.enumerated().reversed() {
            _ = try session.receive("{\"message\":\"answer \",\"quota\":0.1,\"end\":false}", now: now)
            guard
                case .end(let end) = try session.receive(
                    "{\"message\":\"\(number)\",\"quota\":0.1,\"end\":true}", now: now)
            else { return XCTFail("no end") }
            XCTAssertEqual(end.answer.text, "answer \(number)")
        }
        XCTAssertGreaterThanOrEqual(liveHandles, 1000)
    }

    func testReplaysAreStepByStep() throws {
        let transcript = try Transcript(
            "WEBSOCKET ws://h/\n> SEND {\"token\":\"sk-...\",\"id\":-1}\n> SEND {\"type\":\"chat\",\"message\":\"hi\"}\n< RECV {\"message\":\"a\",\"end\":true}\n"
        )
        let replay = try Replay(transcript)
        let session = try Session(auth: replay.auth, now: now)
        assertThrows(.invalid) { try session.request(replay, now: self.now) }
        let step = try replay.nextStep(in: session.state)
        XCTAssertEqual(step?.action, .request(beginsTurn: true))
        XCTAssertEqual(step?.line, 3)
        try session.request(replay, now: now)
        XCTAssertEqual(try replay.nextStep(in: session.state)?.action, .receive(#"{"message":"a","end":true}"#))
        // It was that step's, and is gone.
        assertThrows(.invalid) { try session.request(replay, now: self.now) }
        XCTAssertNil(try replay.nextStep(in: session.state))
        assertThrows(.invalid) { try replay.nextStep(in: .unknown(99)) }
    }

    func testReplaysTellWhatIsAnswered() throws {
        let requests: [(String, beginsTurn: Bool)] = [
            (#"{"type":"share","message":"abc"}"#, false),
            (#"{"type":"mask","message":"[{\"role\":\"user\",\"content\":\"a\"}]"}"#, false),
            (#"{"type":"chat","message":"hi"}"#, true),
            (#"{"type":"stop"}"#, false),
            (#"{"type":"restart"}"#, true),
            (#"{"type":"edit","message":"0:b"}"#, false),
            (#"{"type":"remove","message":"0"}"#, false),
        ]
        let sent = [#"{"token":"sk-...","id":-1}"#] + requests.map(\.0)
        let replay = try Replay(Transcript(sent.map { "> SEND \($0)\n" }.joined()))
        for (request, beginsTurn) in requests {
            XCTAssertEqual(try replay.nextStep(in: .idle)?.action, .request(beginsTurn: beginsTurn), request)
        }
        XCTAssertNil(try replay.nextStep(in: .idle))
    }

    func testSecretsShowNowhere() throws {
        let auth = Auth(token: "sk-secret", conversation: 1)
        var dumped = ""
        dump(auth, to: &dumped)
        let configuration = try Configuration { $0.headers = [("X-Proxy", "sk-secret")] }
        dump(configuration, to: &dumped)
        let session = try Session(auth: auth, configuration: configuration, now: .zero)
        dump(session, to: &dumped)
        for text in [dumped, "\(auth)", String(reflecting: auth), "\(configuration)", String(reflecting: session)] {
            XCTAssertFalse(text.contains("sk-secret"), text)
        }
        let error = assertThrows(.badHeader) { try Configuration { $0.headers = [("X-Proxy", "sk-secret\n")] } }
        XCTAssertFalse(error?.message.contains("sk-secret") ?? true, error?.message ?? "")
        let long = Auth(token: "sk-secret" + String(repeating: "x", count: 9 << 20))
        let refused = assertThrows(.requestTooLong) { try Session(auth: long, now: .zero) }
        XCTAssertFalse(refused?.message.contains("sk-secret") ?? true, refused?.message ?? "")
    }
}
