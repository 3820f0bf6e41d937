import ChatNio
import XCTest

/// When what has failed is tried again, under a simulated clock.
final class RetryTests: HandleTestCase {
    func testAThrottlingIsWaitedForAndItEnds() throws {
        let retry = try Retry(now: .seconds(100))
        XCTAssertEqual(retry.begin(now: .seconds(100)), .seconds(100))
        let first = try XCTUnwrap(retry.failed(.throttled, now: .seconds(100)))
        XCTAssertGreaterThanOrEqual(first, .milliseconds(101_100))
        let second = try XCTUnwrap(retry.failed(.unavailable, retryAfter: .seconds(7), now: .seconds(102)))
        XCTAssertGreaterThanOrEqual(second, .seconds(109))
        XCTAssertNil(retry.failed(.lost, now: .seconds(110)), "two retries are enough")
        XCTAssertEqual(retry.deadline, .seconds(120))
    }

    func testTheConfigurationCounts() throws {
        let never = try Retry(configuration: Configuration { $0.connectRetries = 0 }, now: .zero)
        XCTAssertNil(never.failed(.lost, now: .zero))
        let endless = try Retry(configuration: Configuration { $0.connect = .zero }, now: .zero)
        XCTAssertNil(endless.deadline)
        let limited = try Configuration { $0.connectsPerSecond = 4 }
        let retries = [try Retry(configuration: limited, now: .zero), try Retry(configuration: limited, now: .zero)]
        XCTAssertEqual(retries[0].begin(now: .zero), .zero)
        XCTAssertEqual(retries[1].begin(now: .zero), .milliseconds(250))
        XCTAssertNotNil(retries[0].failed(.lost, now: .zero))
    }

    func testACallHasALimitOfItsOwn() throws {
        let brief = try Configuration { $0.connect = .milliseconds(1) }
        let retry = try Retry(configuration: brief, within: .seconds(30), now: .seconds(7))
        XCTAssertEqual(retry.deadline, .seconds(37))
        XCTAssertNotNil(retry.failed(.unavailable, retryAfter: .seconds(12), now: .seconds(7)))
        XCTAssertNil(retry.failed(.unavailable, retryAfter: .seconds(18), now: .seconds(19)))
        XCTAssertNil(try Retry(within: .zero, now: .zero).deadline)
    }

    func testAConnectionTellsItsCause() throws {
        for (answer, cause) in [
            ("HTTP/1.1 429 x\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", Retry.Cause.throttled),
            ("HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n", .unavailable),
            ("HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n", nil),
        ] {
            let connection = try Connection("ws://127.0.0.1/chat", now: .zero)
            XCTAssertNil(connection.retryCause)
            try connection.receive(Array(answer.utf8), now: .zero)
            while try connection.nextEvent() != nil {}
            XCTAssertEqual(connection.retryCause, cause)
        }
    }

    func testAProxyThrottlesAsAServerDoes() throws {
        let through = try Configuration { $0.proxy = .url("http://proxy.example") }
        let connection = try Connection("ws://chat.example/chat", configuration: through, now: .zero)
        try connection.receive(Array("HTTP/1.1 429 x\r\nRetry-After: 7\r\n\r\n".utf8), now: .zero)
        while try connection.nextEvent() != nil {}
        XCTAssertEqual(connection.retryCause, .throttled)
        XCTAssertEqual(connection.refusal?.retryAfter, .seconds(7))
        XCTAssertEqual(connection.refusal?.body, "")
    }
}
