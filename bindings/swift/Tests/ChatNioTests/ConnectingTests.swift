import ChatNio
import ChatNioTesting
import Foundation
import XCTest

/// How a client's connection is made, and why it is not.
final class ConnectingTests: HandleTestCase {
    func testThrottling() async throws {
        let server = try Loopback.serving("--throttle", "0", in: self)
        let once = try Configuration { $0.connectRetries = 0 }
        let error = await assertThrows(.throttled) { try await Client(server.url, configuration: once) }
        XCTAssertTrue(error?.isFatal ?? false)
        XCTAssertTrue(error?.message.contains("too many requests") ?? false, error?.message ?? "")
        XCTAssertEqual(error?.endCode, 200)
    }

    func testTLS() async throws {
        let server = try Loopback.serving("--tls", in: self)
        let trusting = try Configuration { $0.rootFiles = server.roots }
        let client = try await Client(server.url, auth: Auth(token: "sk-test"), configuration: trusting)
        let text = try await client.ask("hi", model: "hello").joined()
        XCTAssertEqual(text, "Hello! How can I help?")

        await assertThrows(.tlsUnknownIssuer) { try await Client(server.url) }
    }

    /// The library calls the clock as long as there is a client, whoever has let go of its configuration.
    func testTheHostsClockLivesAsLongAsItsClient() async throws {
        final class Clock: Sendable {}
        weak var clock: Clock?
        let calls = Calls()
        let server = try Loopback.serving("--tls", in: self)
        func connect() async throws -> Client {
            let held = Clock()
            clock = held
            let configuration = try Configuration {
                $0.rootFiles = server.roots
                $0.wallClock = {
                    withExtendedLifetime(held) { calls.add() }
                    return UInt64(Date().timeIntervalSince1970)
                }
            }
            return try await Client(server.url, configuration: configuration)
        }
        let client = try await connect()
        let before = calls.count
        XCTAssertGreaterThan(before, 0)
        _ = try XCTUnwrap(clock, "it is gone before its client")
        try await client.reconnect()
        XCTAssertGreaterThan(calls.count, before)
    }

    /// What a server says in plain HTTP instead of opening a WebSocket.
    private static let refusals: [(answer: String, code: ChatNioError.Code, endCode: Int?, body: String?)] = [
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope", .http, 404, "nope"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n{\"reason\":\"gone\",\"status\":false}", .refused, 200,
            "{\"reason\":\"gone\",\"status\":false}"
        ),
        ("SSH-2.0-OpenSSH\r\n\r\n", .badHTTP, nil, nil),
    ]

    func testWhatARefusalSays() async throws {
        for refusal in Self.refusals {
            let server = try Listener()
            let refusing = Task.detached { server.refuseOne(refusal.answer) }
            let error = await assertThrows(refusal.code) { try await Client(server.url) }
            await refusing.value
            XCTAssertEqual(error?.endCode, refusal.endCode)
            XCTAssertEqual(error?.refusal?.body, refusal.body)
            XCTAssertEqual(error?.refusal?.reason, refusal.code == .refused ? "gone" : nil)
        }
    }

    func testWhatElseARefusalSays() async throws {
        let answer = """
            HTTP/1.1 302 Found\r
            Location: https://sso.test/\r
            WWW-Authenticate: Basic realm="chat"\r
            Retry-After: 7\r
            Content-Length: 0\r
            \r

            """
        let server = try Listener()
        let serving = Task.detached {
            server.refuseOne(answer)
            _ = server.serveOne()
            server.refuseOne(answer)
            server.refuseOne("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        }
        let made = await assertThrows(.http) { try await Client(server.url) }
        let client = try await Client(server.url)
        try await client.close()
        let reconnected = await assertThrows(.http) { try await client.reconnect() }
        for error in [made, reconnected] {
            let refusal = try XCTUnwrap(error?.refusal)
            XCTAssertEqual(error?.endCode, 302)
            XCTAssertEqual(refusal.body, "")
            XCTAssertEqual(refusal.location, "https://sso.test/")
            XCTAssertEqual(refusal.wwwAuthenticate, "Basic realm=\"chat\"")
            XCTAssertEqual(refusal.retryAfter, .seconds(7))
            XCTAssertNil(refusal.reason)
        }
        let bare = await assertThrows(.http) { try await client.reconnect() }
        XCTAssertEqual([bare?.refusal?.location, bare?.refusal?.wwwAuthenticate], [nil, nil])
        XCTAssertNil(bare?.refusal?.retryAfter)
        await serving.value
    }

    func testWhatARefusalSaysToOneThatReconnects() async throws {
        let server = try Listener()
        let refusals = Self.refusals
        let serving = Task.detached {
            _ = server.serveOne()
            for refusal in refusals { server.refuseOne(refusal.answer) }
        }
        let client = try await Client(server.url)
        try await client.close()
        for refusal in refusals {
            let error = await assertThrows(refusal.code) { try await client.reconnect() }
            XCTAssertEqual(error?.endCode, refusal.endCode)
            XCTAssertEqual(error?.refusal?.body, refusal.body)
            // Who asks then is told the same.
            let again = await assertThrows(refusal.code) { try await client.ask("hi").joined() }
            XCTAssertEqual(again?.isFatal, true)
        }
        await serving.value
    }

    func testCertificatesThatAreNoGood() async throws {
        for (kind, code) in [("expired", ChatNioError.Code.tlsExpired), ("wrong-name", .tlsWrongName)] {
            let server = try Loopback.serving("--tls", "--certificate", kind, in: self)
            let trusting = try Configuration { $0.rootFiles = server.roots }
            await assertThrows(code) { try await Client(server.url, configuration: trusting) }
        }
    }

    func testWhatIsNoServer() async throws {
        await assertThrows(.badURL) { try await Client("ftp://h") }
        await assertThrows(.plainToken) { try await Client("ws://example.com", auth: Auth(token: "sk-test")) }
        await assertThrows(.emptyToken) { try await Client("ws://127.0.0.1", auth: Auth(token: "")) }
        // Port 1 (tcpmux) is nobody's.
        await assertThrows(.connect) { try await Client("ws://127.0.0.1:1/chat") }
    }

    func testAServerThatIsSilentIsNotWaitedForLongerThanAllowed() async throws {
        let silent = try Listener()
        let configuration = try Configuration { $0.handshake = .milliseconds(50) }
        await assertThrows(.handshakeTimeout) { try await Client(silent.url, configuration: configuration) }
    }

    func testCancellingEndsTheWaitAndTheAttempt() async throws {
        let silent = try Listener()
        // Of itself it would never end.
        let configuration = try Configuration {
            $0.handshake = .zero
            $0.connect = .zero
        }
        let url = silent.url
        let (asked, request) = AsyncStream<Void>.makeStream()
        let waiting = Task.detached { silent.awaitEnd { request.finish() } }
        let task = Task { try await Client(url, configuration: configuration) }
        for await _ in asked {}
        task.cancel()
        await assertCancelled { try await task.value }
        // The server sees it.
        await waiting.value
    }

    func testACancelledTaskConnectsNotAtAll() async throws {
        let configuration = try Configuration { $0.handshake = .zero }
        let silent = try Listener()
        let url = silent.url
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await Client(url, configuration: configuration)
        }
        task.cancel()
        await assertCancelled { try await task.value }
    }

    func testAClientThatNobodyHoldsSaysGoodbye() async throws {
        let server = try Listener()
        let received = Task.detached { server.serveOne() }
        var client: Client? = try await Client(server.url)
        XCTAssertNotNil(client)
        client = nil
        // A Close frame with a status, masked, is the last of 8 bytes.
        let last = await received.value.suffix(8)
        XCTAssertEqual(last.first, 0x88)
        XCTAssertEqual(last.dropFirst().first, 0x82)
    }

    func testAHundredClientsAtOnce() async throws {
        let server = try Loopback.serving("--pace", "0", in: self)
        let url = server.url
        let configuration = try Configuration()
        try await withThrowingTaskGroup(of: String.self) { group in
            for number in 1...100 {
                group.addTask {
                    let auth = Auth(token: "sk-\(number)")
                    let client = try await Client(url, auth: auth, configuration: configuration)
                    var text = try await client.ask("hi", model: "hello").joined()
                    text += try await client.answer(to: "hi", model: "long-50").text.isEmpty ? "nothing" : ""
                    return text
                }
            }
            var answers = 0
            for try await text in group {
                XCTAssertEqual(text, "Hello! How can I help?")
                answers += 1
            }
            XCTAssertEqual(answers, 100)
        }
    }

    /// One client, asked, stopped and looked at by many tasks.
    func testOneClientForManyTasks() async throws {
        let server = try Loopback.serving("--pace", "0", in: self)
        let client = try await server.client()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...40 {
                group.addTask {
                    do {
                        switch number % 4 {
                        case 0: for try await _ in client.ask("hi", model: "long-100") { break }
                        case 1: client.stop()
                        case 2: _ = await (client.state, client.counters, client.memory, client.conversation)
                        default: _ = try await client.answer(to: "hi", model: "hello")
                        }
                    } catch is CancellationError {
                        // A stop came before it was sent.
                    }
                }
            }
            try await group.waitForAll()
        }
        let text = try await client.ask("hi", model: "hello").joined()
        XCTAssertEqual(text, "Hello! How can I help?")
    }
}

/// How often something was called.
final class Calls: @unchecked Sendable {
    private let lock = NSLock()
    private var made = 0

    func add() {
        lock.withLock { made += 1 }
    }

    var count: Int { lock.withLock { made } }
}

/// A socket on 127.0.0.1 that takes connections, and says nothing by itself.
final class Listener: Sendable {
    private let socket: FileHandle
    let url: String
    /// The same, as a proxy's.
    var httpURL: String {
        url.replacingOccurrences(of: "ws://", with: "http://").replacingOccurrences(of: "/chat", with: "")
    }

    init() throws {
        let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) | listen(socket, 4) | getsockname(socket, $0, &length)
            }
        }
        XCTAssertEqual(status, 0)
        self.socket = FileHandle(fileDescriptor: socket, closeOnDealloc: true)
        url = "ws://127.0.0.1:\(UInt16(bigEndian: address.sin_port))/chat"
    }

    private func acceptOne() -> FileHandle {
        FileHandle(fileDescriptor: accept(socket.fileDescriptor, nil, nil), closeOnDealloc: true)
    }

    /// Reads to the end of a request's head, or of the stream.
    private func head(from client: FileHandle) -> Data {
        var head = Data()
        while head.range(of: Data("\r\n\r\n".utf8)) == nil {
            let bytes = client.availableData
            if bytes.isEmpty { break }
            head += bytes
        }
        return head
    }

    /// Answers one connection's request, and closes it.
    func refuseOne(_ answer: String) {
        let client = acceptOne()
        if !head(from: client).isEmpty {
            client.write(Data(answer.utf8))
        }
    }

    /// Waits for a request that it does not answer, and then for that connection's end.
    func awaitEnd(_ onRequest: () -> Void) {
        let client = acceptOne()
        _ = head(from: client)
        onRequest()
        while !client.availableData.isEmpty {}
    }

    /// Serves one connection to its end, or as a proxy lets it through to such a server; gives what the client has sent.
    func serveOne(asProxy: Bool = false) -> [UInt8] {
        let peer = Peer()
        let client = acceptOne()
        var received: [UInt8] = []
        if asProxy {
            received += head(from: client)
            client.write(Data("HTTP/1.1 200 Connection established\r\n\r\n".utf8))
        }
        while true {
            while peer.transmit({ client.write(Data($0)) }) {}
            let bytes = client.availableData
            received += bytes
            bytes.withUnsafeBytes { peer.receive($0, now: 0) }
            if bytes.isEmpty || peer.wants.isFinished { return received }
        }
    }
}
