import ChatNio
import XCTest

/// Every setting means what it is called.
final class ConfigurationTests: HandleTestCase {
    private let now = Duration.seconds(1000)

    /// A session without deadlines except those that are set, which has asked.
    private func asking(_ change: (inout Configuration.Settings) -> Void) throws -> Session {
        let configuration = try Configuration { settings in
            settings.keepAlive = .zero
            settings.firstFrame = .zero
            settings.nextFrame = .zero
            settings.afterStop = .zero
            settings.stopRepeats = []
            change(&settings)
        }
        let session = try Session(configuration: configuration, now: now)
        try session.request(.chat("hi"), now: now)
        return session
    }

    private func outcome(_ event: Event?) -> Outcome? {
        if case .end(let end) = event { end.answer.outcome } else { nil }
    }

    func testTimesOfASession() throws {
        XCTAssertNil(try asking { _ in }.deadline)
        XCTAssertEqual(try asking { $0.keepAlive = .seconds(7) }.deadline, now + .seconds(7))
        XCTAssertEqual(try asking { $0.firstFrame = .milliseconds(1500) }.deadline, now + .milliseconds(1500))

        let next = try asking { $0.nextFrame = .seconds(8) }
        _ = try next.receive(#"{"message":"a","end":false}"#, now: now)
        XCTAssertEqual(next.deadline, now + .seconds(8))
        XCTAssertEqual(outcome(try next.handleTimeout(now: now + .seconds(8))), .interrupted(.nextFrameDeadline))

        let stopped = try asking { $0.afterStop = .seconds(9) }
        try stopped.stop(now: now)
        XCTAssertEqual(stopped.deadline, now + .seconds(9))
        XCTAssertEqual(outcome(try stopped.handleTimeout(now: now + .seconds(9))), .interrupted(.afterStopDeadline))

        let repeating = try asking { $0.stopRepeats = [.seconds(1), .seconds(3)] }
        try repeating.stop(now: now)
        XCTAssertEqual(repeating.deadline, now + .seconds(1))
        XCTAssertEqual(try repeating.handleTimeout(now: now + .seconds(1)), .stopRepeated(turn: 1))
        XCTAssertEqual(repeating.deadline, now + .seconds(3))

        let long = try asking { $0.answerWithin = .seconds(6) }
        XCTAssertEqual(outcome(try long.handleTimeout(now: now + .seconds(6))), .interrupted(.answerDeadline))

        let settling = try asking { $0.settle = .milliseconds(400) }
        while try settling.nextTransmit() != nil {}
        _ = try settling.receive(#"{"message":"","quota":0.5,"end":true}"#, now: now)
        try settling.request(Request(.remove(index: 0)), now: now)
        XCTAssertNil(try settling.nextTransmit())
        XCTAssertEqual(settling.deadline, now + .milliseconds(400))
        XCTAssertNil(try settling.handleTimeout(now: now + .milliseconds(400)))
        XCTAssertEqual(try settling.nextTransmit(), #"{"type":"remove","message":"0"}"#)
    }

    func testTimesOfAConnection() throws {
        let shaking = try Link { $0.handshake = .seconds(6) }
        XCTAssertEqual(shaking.connection.wants.deadline, shaking.now + .seconds(6))

        let link = try Link {
            $0.keepAlive = .zero
            $0.pingAfter = .seconds(7)
            $0.pongWithin = .seconds(2)
            $0.close = .seconds(4)
        }
        try link.exchange()
        XCTAssertEqual(link.connection.wants.deadline, link.now + .seconds(7))
        link.now += .seconds(7)
        try link.connection.handleTimeout(now: link.now)
        XCTAssertEqual(link.connection.wants.deadline, link.now + .seconds(2))
        try link.exchange()
        try link.connection.close(now: link.now)
        while try link.connection.transmit({ $0.count }) {}
        XCTAssertEqual(link.connection.wants.deadline, link.now + .seconds(4))
    }

    func testTimesThatAreNoneOrNearlySo() throws {
        let tiny = try asking { $0.firstFrame = .nanoseconds(1) }
        XCTAssertEqual(tiny.deadline, now + .milliseconds(1))
        XCTAssertEqual(try asking { $0.firstFrame = .microseconds(1999) }.deadline, now + .milliseconds(1))
        XCTAssertNil(try asking { $0.firstFrame = .zero }.deadline)
        let times: [(String, WritableKeyPath<Configuration.Settings, Duration?>)] = [
            ("keepAlive", \.keepAlive), ("firstFrame", \.firstFrame), ("nextFrame", \.nextFrame),
            ("answerWithin", \.answerWithin),
            ("afterStop", \.afterStop), ("settle", \.settle), ("connect", \.connect), ("handshake", \.handshake),
            ("pingAfter", \.pingAfter), ("pongWithin", \.pongWithin), ("close", \.close),
        ]
        for (name, time) in times {
            for below in [Duration.nanoseconds(-1), .seconds(-5), .seconds(-1e20)] {
                let error = assertThrows(.invalid) { try Configuration { $0[keyPath: time] = below } }
                XCTAssertTrue(error?.message.hasPrefix(name) ?? false, error?.message ?? "")
            }
        }
        assertThrows(.invalid) { try Configuration { $0.stopRepeats = [.seconds(-1), .seconds(1)] } }
    }

    func testTimesThatNeverCome() throws {
        let longs = [
            Duration.seconds(1e20), .seconds(Int64(1) << 61), .seconds(Int64.max), .seconds(18_446_744_073_709_552),
        ]
        for long in longs {
            let configuration = try Configuration {
                $0.keepAlive = .zero
                $0.firstFrame = long
            }
            let session = try Session(configuration: configuration, now: now)
            try session.request(.chat("hi"), now: now)
            // A thousand years at least.
            XCTAssertGreaterThan(session.deadline ?? long, .seconds(1000 * 365 * 86_400), "\(long)")
            // As the time it is, it may be as well.
            let late = try Session(now: long)
            try late.request(.chat("hi"), now: long)
            _ = try late.handleTimeout(now: long)
            XCTAssertEqual(late.state, .asking)
        }
        // Before the clock's origin it is the origin.
        for early in [Duration.seconds(-1), .seconds(Int64.min), .seconds(-1e20)] {
            let session = try Session(configuration: Configuration { $0.keepAlive = .seconds(7) }, now: early)
            try session.request(.chat("hi"), now: early)
            XCTAssertEqual(session.deadline, .seconds(7))
        }
    }

    func testADescriptionSaysNoHeadersValue() {
        var settings = Configuration.Settings()
        settings.headers = [("X-Proxy-Key", "of the proxy")]
        var text = ""
        dump(settings, to: &text)
        text += "\(settings)" + String(reflecting: settings)
        XCTAssertTrue(text.contains("X-Proxy-Key"), text)
        XCTAssertFalse(text.contains("of the proxy"), text)
    }

    func testSizesBelowZero() throws {
        let sizes: [(String, WritableKeyPath<Configuration.Settings, Int?>)] = [
            ("maxMessage", \.maxMessage), ("maxRequest", \.maxRequest), ("maxAnswer", \.maxAnswer),
            ("maxRecording", \.maxRecording),
        ]
        for (name, size) in sizes {
            for below in [-1, Int.min] {
                let error = assertThrows(.invalid) { try Configuration { $0[keyPath: size] = below } }
                XCTAssertTrue(error?.message.hasPrefix(name) ?? false, error?.message ?? "")
            }
            _ = try Configuration { $0[keyPath: size] = .max }
        }
    }

    func testSizes() throws {
        let message = try asking { $0.maxMessage = 40 }
        guard
            case .end(let end) = try message.receive(
                #"{"message":"a text that is too long to be taken","end":false}"#, now: now)
        else { return XCTFail("taken") }
        XCTAssertEqual(end.answer.outcome, .interrupted(.messageTooLong))

        let answer = try asking { $0.maxAnswer = 3 }
        XCTAssertEqual(
            outcome(try answer.receive(#"{"message":"four","end":false}"#, now: now)), .interrupted(.answerTooLong))

        _ = try asking { $0.maxRequest = 50 }
        assertThrows(.requestTooLong) { try self.asking { $0.maxRequest = 20 } }

        let sparing = try asking { $0.keepText = false }
        _ = try sparing.receive(#"{"message":"a","end":false}"#, now: now)
        XCTAssertEqual(sparing.answer?.text, "")
        XCTAssertEqual(sparing.answer?.chunks, 1)
    }

    func testRecordings() throws {
        func recorded(_ change: (inout Configuration.Settings) -> Void) throws -> String? {
            let session = try asking(change)
            while try session.nextTransmit() != nil {}
            return session.transcript?.text
        }
        XCTAssertNil(try recorded { _ in })
        let whole = try XCTUnwrap(recorded { $0.record = true })
        let part = try XCTUnwrap(
            recorded {
                $0.record = true
                $0.maxRecording = 10
            })
        XCTAssertLessThan(part.count, whole.count)
    }

    func testTheAuthenticationAtOnce() throws {
        XCTAssertNil(try Session(now: now).nextTransmit())
        let configuration = try Configuration { $0.authAtOnce = true }
        XCTAssertEqual(
            try Session(configuration: configuration, now: now).nextTransmit(), #"{"token":"anonymous","id":-1}"#)
    }
}
