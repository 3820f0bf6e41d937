import ChatNio
import Foundation
import XCTest

final class ConnectionTests: HandleTestCase {
    func testAnAnswerPlainAndInTLS() throws {
        for tls in [false, true] {
            let link = try Link(tls: tls, auth: Auth(token: "sk-1"))
            var events: [Event] = []
            link.onEvent = { events.append($0) }
            try link.exchange()
            XCTAssertEqual(events, [.open])
            try link.connection.request(.chat("hi", model: "hello"), now: link.now)
            try link.exchange()
            var answer: Answer?
            while answer == nil {
                // As long as its model pauses.
                link.now = .milliseconds(Int64(link.peer.wants.deadline))
                link.peer.handleTimeout(now: link.now.milliseconds)
                try link.exchange()
                for case .end(let end) in events { answer = end.answer }
            }
            XCTAssertEqual(answer?.text, "Hello! How can I help?")
            XCTAssertEqual(link.connection.state, .idle)
            XCTAssertGreaterThan(link.connection.memory, 0)
        }
    }

    func testWhereToConnect() throws {
        let connection = try Connection("wss://[::1]:8443", now: .zero)
        XCTAssertEqual(connection.host, "::1")
        XCTAssertEqual(connection.port, 8443)
        XCTAssertEqual(try Connection("api.chatnio.net", now: .zero).port, 443)
        assertThrows(.badURL) { try Connection("ftp://h", now: .zero) }
        assertThrows(.plainToken) { try Connection("ws://example.com", auth: Auth(token: "sk-1"), now: .zero) }
        let allowing = try Configuration { $0.allowTokenOverPlainWS = true }
        _ = try Connection("ws://example.com", auth: Auth(token: "sk-1"), configuration: allowing, now: .zero)
    }

    func testHeadersAreSent() throws {
        let configuration = try Configuration { $0.headers = [("X-Proxy-Key", "of the proxy")] }
        let connection = try Connection("ws://localhost", configuration: configuration, now: .zero)
        XCTAssertNil(connection.refusal)
        XCTAssertTrue(connection.wants.write)
        var sent = ""
        try connection.transmit { bytes in
            sent = String(decoding: bytes, as: UTF8.self)
            return bytes.count
        }
        XCTAssertTrue(sent.hasPrefix("GET /chat HTTP/1.1\r\n"), sent)
        XCTAssertTrue(sent.contains("x-proxy-key: of the proxy\r\n"), sent)
        XCTAssertFalse(try connection.transmit { $0.count })
        XCTAssertFalse(connection.wants.write)
    }

    func testBytesAreSentInParts() throws {
        let connection = try Connection("ws://localhost", now: .zero)
        var parts: [UInt8] = []
        while try connection.transmit({ bytes in
            parts.append(bytes[0])
            return 1
        }) {}
        XCTAssertTrue(String(decoding: parts, as: UTF8.self).hasSuffix("\r\n\r\n"))

        struct Broken: Error {}
        let other = try Connection("ws://localhost", now: .zero)
        XCTAssertThrowsError(try other.transmit { _ in throw Broken() }) { XCTAssertTrue($0 is Broken) }
        assertThrows(.invalid) { try other.transmit { $0.count + 1 } }
        assertThrows(.invalid) { try other.transmit { _ in -1 } }
        // Nothing of it counts as sent.
        var first: UInt8?
        try other.transmit { bytes in
            first = bytes.first
            return bytes.count
        }
        XCTAssertEqual(first, UInt8(ascii: "G"))
    }

    func testBytesComeInAnyCollection() throws {
        let refusal = "HTTP/1.1 404 Not Found\r\nRetry-After: 3\r\nContent-Length: 7\r\n\r\nnothing"
        let collections: [any Collection<UInt8>] = [
            Array(refusal.utf8), Array(refusal.utf8)[...], Data(refusal.utf8), refusal.utf8,
            Array(refusal.utf8.reversed()).reversed(),
        ]
        for bytes in collections {
            let connection = try Connection("ws://localhost", now: .zero)
            while try connection.transmit({ $0.count }) {}
            XCTAssertTrue(connection.wants.read)
            try connection.receive(bytes, now: .zero)
            guard case .closed(let closed) = try connection.nextEvent() else { return XCTFail("not closed") }
            XCTAssertEqual(closed.error.code, .http)
            XCTAssertEqual(closed.code, 404)
            XCTAssertEqual(connection.refusal?.body, "nothing")
            XCTAssertEqual(connection.refusal?.retryAfter, .seconds(3))
            XCTAssertNil(connection.refusal?.location)
            XCTAssertNil(try connection.nextEvent())
            XCTAssertTrue(connection.wants.isFinished)
        }
    }

    func testTheServerIsCut() throws {
        let link = try Link(auth: Auth(token: "sk-1"))
        var events: [Event] = []
        link.onEvent = { events.append($0) }
        try link.connection.request(.chat("hi", model: "silent"), now: link.now)
        try link.exchange()
        link.peer.cut()
        try link.exchange()
        try link.connection.eof(now: link.now)
        try link.exchange()
        guard events.count >= 2, case .end(let end) = events[events.count - 2],
            case .closed(let closed) = events[events.count - 1]
        else { return XCTFail("\(events)") }
        XCTAssertEqual(end.answer.outcome, .interrupted(.connectionLost))
        XCTAssertEqual(closed.error.code, .endOfStream)
        XCTAssertTrue(closed.error.isFatal)
        XCTAssertEqual(link.connection.state, .closed)
    }

    func testTheSocketFails() throws {
        let link = try Link()
        try link.exchange()
        var events: [Event] = []
        link.onEvent = { events.append($0) }
        // ECONNRESET
        try link.connection.failed(104, now: link.now)
        try link.exchange()
        guard case .closed(let closed) = events.first else { return XCTFail("\(events)") }
        XCTAssertEqual(closed.error.code, .io)
    }

    func testAnUnknownRootIsRefused() throws {
        let link = try Link(tls: true) {
            $0.rootsPEM = []
            $0.trust = .platform
        }
        var events: [Event] = []
        link.onEvent = { events.append($0) }
        try link.exchange()
        guard case .closed(let closed) = events.last else { return XCTFail("\(events)") }
        XCTAssertEqual(closed.error.code, .tlsUnknownIssuer)
    }

    func testWhatIsNotTLS() throws {
        let connection = try Connection("wss://localhost", now: .zero)
        try connection.receive("HTTP/1.1 400 Bad Request\r\n\r\n".utf8, now: .zero)
        guard case .closed(let closed) = try connection.nextEvent() else { return XCTFail("not closed") }
        XCTAssertEqual(closed.error.code, .tlsNotTLS)
    }

    func testCertificatesAreCheckedByTheHostsClock() throws {
        for (seconds, code) in [(0, ChatNioError.Code.tlsNotYetValid), (UInt64(1) << 37, .tlsExpired)] {
            let link = try Link(tls: true) { $0.wallClock = { seconds } }
            var events: [Event] = []
            link.onEvent = { events.append($0) }
            try link.exchange()
            guard case .closed(let closed) = events.last else { return XCTFail("\(events)") }
            XCTAssertEqual(closed.error.code, code)
        }
    }

    func testAnyCertificateIsDangerous() throws {
        let link = try Link(tls: true) {
            $0.rootsPEM = []
            $0.trust = .platform
            $0.dangerousAcceptAnyCertificate = true
        }
        var events: [Event] = []
        link.onEvent = { events.append($0) }
        try link.exchange()
        XCTAssertEqual(events, [.open])
    }

    func testRootsThatAreNone() throws {
        assertThrows(.badRoots) { try Configuration { $0.rootFiles = ["/nowhere/ca.pem"] } }
        assertThrows(.badRoots) { try Configuration { $0.rootsPEM = ["no certificate"] } }
        assertThrows(.badRoots) { try Configuration { $0.rootsDER = [[1, 2, 3]] } }
        assertThrows(.badRoots) { try Configuration { $0.trust = .addedOnly }.loadRoots() }
        assertThrows(.invalid) { try Configuration { $0.stopRepeats = [.seconds(2), .seconds(1)] } }
        try Configuration { $0.rootsPEM = [Peer(tls: true).root] }.loadRoots()
    }

    func testEventsComeInBatches() throws {
        let link = try Link()
        try link.exchange()
        for number in 1...10 {
            link.peer.send("{\"message\":\"\(number)\",\"end\":false}\n")
        }
        while try link.peer.transmit({ try link.connection.receive($0, now: link.now) }) {}
        let batches = try [
            link.connection.nextEvents(upTo: 4), link.connection.nextEvents(), link.connection.nextEvents(),
        ]
        XCTAssertEqual(batches.map(\.count), [4, 6, 0])
        let texts = batches.joined().map { if case .stray(let stray) = $0 { stray.text } else { "?" } }
        XCTAssertEqual(texts, (1...10).map(String.init))
        XCTAssertEqual(try link.connection.nextEvents(upTo: .max), [])
    }

    func testABatchIsNoLongerThanItMayBe() throws {
        let link = try Link()
        try link.exchange()
        for _ in 1...1030 {
            link.peer.send("{\"message\":\"a\",\"end\":false}\n")
        }
        while try link.peer.transmit({ try link.connection.receive($0, now: link.now) }) {}
        XCTAssertEqual(try link.connection.nextEvents(upTo: .max).count, 1024)
        XCTAssertEqual(try link.connection.nextEvents(upTo: .max).count, 6)
    }

    func testClosingIsOrderly() throws {
        let link = try Link()
        try link.exchange()
        var events: [Event] = []
        link.onEvent = { events.append($0) }
        try link.connection.close(now: link.now)
        try link.exchange()
        try link.connection.eof(now: link.now)
        try link.exchange()
        guard case .closed(let closed) = events.last else { return XCTFail("\(events)") }
        XCTAssertEqual(closed.error.code, .closed)
        XCTAssertNil(try link.connection.reconnect(now: link.now))
        XCTAssertTrue(link.connection.wants.write)
    }

    func testInputThatNobodyTakesIsPushedBack() throws {
        let link = try Link()
        try link.exchange()
        link.peer.send("{}\n")
        _ = try link.peer.transmit { try link.connection.receive($0, now: link.now) }
        XCTAssertFalse(link.connection.wants.read)
        assertThrows(.undrained) { try link.connection.receive([UInt8](repeating: 0, count: 33 << 20), now: link.now) }
        _ = try link.connection.nextEvents()
        XCTAssertTrue(link.connection.wants.read)
    }
}
