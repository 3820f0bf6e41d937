import ChatNio
import ChatNioTesting
import Foundation
import XCTest

/// Proxies, certificates of clients, key logs, what TLS agreed on, connects that are tried again or wait for others.
final class NetworkTests: HandleTestCase {
    /// What a connection through a proxy connects to, and sends first.
    private func first(
        through proxy: Configuration.Proxy, to url: String = "ws://chat.test"
    ) throws -> (host: String, port: UInt16, sent: String) {
        let configuration = try Configuration { $0.proxy = proxy }
        let connection = try Connection(url, configuration: configuration, now: .zero)
        var sent = ""
        try connection.transmit { bytes in
            sent = String(decoding: bytes, as: UTF8.self)
            return bytes.count
        }
        return (connection.host, connection.port, sent)
    }

    func testAConnectionGoesThroughItsProxy() throws {
        let http = try first(through: .url("http://me:secret@proxy.test:3128"))
        XCTAssertEqual(http.host, "proxy.test")
        XCTAssertEqual(http.port, 3128)
        XCTAssertTrue(http.sent.hasPrefix("CONNECT chat.test:80 HTTP/1.1\r\n"), http.sent)
        let key = Data("me:secret".utf8).base64EncodedString()
        XCTAssertTrue(http.sent.lowercased().contains("proxy-authorization: basic \(key)\r\n".lowercased()), http.sent)

        let socks = try first(through: .url("socks5h://proxy.test"))
        XCTAssertEqual(socks.port, 1080)
        XCTAssertEqual(socks.sent.utf8.first, 5)

        // An empty one is none.
        XCTAssertEqual(try first(through: .url("")).host, "chat.test")
        assertThrows(.badProxy) { try Configuration { $0.proxy = .url("ftp://proxy.test") } }
    }

    func testTheEnvironmentsProxyIsTakenWhenItIsAskedFor() throws {
        let names = ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"]
        let before = names.map { ($0, ProcessInfo.processInfo.environment[$0]) }
        defer {
            for (name, value) in before {
                if let value { setenv(name, value, 1) } else { unsetenv(name) }
            }
        }
        names.forEach { unsetenv($0) }
        setenv("http_proxy", "http://proxy.test:3128", 1)
        setenv("no_proxy", "other.test", 1)

        XCTAssertEqual(try first(through: .environment(server: "ws://chat.test")).host, "proxy.test")
        // Of another scheme, or left out, there is none.
        XCTAssertEqual(try first(through: .environment(server: "wss://chat.test")).host, "chat.test")
        XCTAssertEqual(try first(through: .environment(server: "ws://other.test")).host, "chat.test")
        XCTAssertEqual(try Connection("ws://chat.test", now: .zero).host, "chat.test")
        assertThrows(.badURL) { try Configuration { $0.proxy = .environment(server: "ftp://h") } }
    }

    func testAClientGoesThroughItsProxy() async throws {
        let proxy = try Listener()
        let serving = Task.detached { proxy.serveOne(asProxy: true) }
        let configuration = try Configuration { $0.proxy = .url(proxy.httpURL) }
        let client = try await Client("ws://chat.test/chat", configuration: configuration)
        try await client.close()
        let received = String(decoding: await serving.value, as: UTF8.self)
        XCTAssertTrue(received.hasPrefix("CONNECT chat.test:80 HTTP/1.1\r\n"), received)
        XCTAssertTrue(received.contains("\r\n\r\nGET /chat HTTP/1.1\r\n"), received)
    }

    func testProxiesThatWillNot() async throws {
        for (answer, code) in [
            ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", ChatNioError.Code.proxyAuth),
            ("HTTP/1.1 403 Forbidden\r\n\r\n", .proxyRefused), ("SSH-2.0-OpenSSH\r\n\r\n", .notAProxy),
        ] {
            let proxy = try Listener()
            let refusing = Task.detached { proxy.refuseOne(answer) }
            let url = proxy.httpURL.replacingOccurrences(of: "://", with: "://me:secret@")
            let configuration = try Configuration { $0.proxy = .url(url) }
            let error = await assertThrows(code) { try await Client("ws://chat.test", configuration: configuration) }
            await refusing.value
            XCTAssertFalse(error?.message.contains("secret") ?? true, error?.message ?? "")
        }
    }

    func testAConnectIsTriedAgain() async throws {
        let away = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
        let server = try Listener()
        let serving = Task.detached {
            server.refuseOne(away)
            return server.serveOne()
        }
        let client = try await Client(server.url, configuration: Configuration { $0.connectRetries = 1 })
        try await client.close()
        _ = await serving.value

        let twice = try Listener()
        let servingByDefault = Task.detached {
            twice.refuseOne(away)
            twice.refuseOne(away)
            return twice.serveOne()
        }
        let another = try await Client(twice.url)
        try await another.close()
        _ = await servingByDefault.value

        let never = try Listener()
        let refusing = Task.detached { never.refuseOne(away) }
        await assertThrows(.unavailable) {
            try await Client(never.url, configuration: Configuration { $0.connectRetries = 0 })
        }
        await refusing.value
    }

    func testConnectsAreSpaced() async throws {
        let server = try Loopback.serving(in: self)
        let configuration = try Configuration { $0.connectsPerSecond = 5 }
        let start = ContinuousClock.now
        for _ in 1...3 { _ = try await Client(server.url, configuration: configuration) }
        // However slow the machine is: not sooner.
        XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(400))
    }

    func testCountsBelowZero() throws {
        let counts: [(String, WritableKeyPath<Configuration.Settings, Int?>)] = [
            ("connectRetries", \.connectRetries), ("connectsPerSecond", \.connectsPerSecond),
        ]
        for (name, count) in counts {
            let error = assertThrows(.invalid) { try Configuration { $0[keyPath: count] = -1 } }
            XCTAssertTrue(error?.message.hasPrefix(name) ?? false, error?.message ?? "")
            _ = try Configuration { $0[keyPath: count] = .max }
        }
    }

    /// That it is shown to a server that asks for one, the transport's tests say.
    func testCertificatesOfClients() throws {
        _ = try Configuration { $0.clientCertificate = .pem(chain: Self.certificate, key: Self.key) }
        let both = Self.certificate + Self.key
        _ = try Configuration { $0.clientCertificate = .pem(chain: both, key: both) }
        let file = try Loopback.file(both, in: self)
        _ = try Configuration { $0.clientCertificate = .files(chain: file, key: file) }

        assertThrows(.badCertificate) {
            try Configuration { $0.clientCertificate = .pem(chain: Self.key, key: Self.certificate) }
        }
        let missing = assertThrows(.badRoots) {
            try Configuration { $0.clientCertificate = .files(chain: file, key: "/nowhere/key.pem") }
        }
        XCTAssertTrue(missing?.message.contains("/nowhere/key.pem") ?? false, missing?.message ?? "")
    }

    func testSecretsGoToTheKeyLog() throws {
        let lines = Lines()
        let link = try Link(tls: true) { $0.keyLog = .lines { lines.add($0) } }
        try link.exchange()
        XCTAssertEqual(link.connection.state, .idle)
        let kinds = lines.all.compactMap { $0.split(separator: " ").first }
        XCTAssertTrue(kinds.contains("CLIENT_TRAFFIC_SECRET_0"), "\(kinds)")
        XCTAssertFalse(lines.all.contains { $0.contains("\n") || $0.split(separator: " ").count != 3 })

        let path = try Loopback.file("before\n", in: self)
        let filed = try Link(tls: true) { $0.keyLog = .file(path) }
        try filed.exchange()
        let text = try String(contentsOfFile: path, encoding: .utf8)
        XCTAssertTrue(text.hasPrefix("before\n") && text.contains("\nCLIENT_TRAFFIC_SECRET_0 "), text)

        assertThrows(.system) { try Configuration { $0.keyLog = .file("/nowhere/keys") } }
    }

    /// The library calls the function as long as there is a connection, whoever has let go of its configuration.
    func testTheHostsKeyLogLivesAsLongAsItsConnection() throws {
        final class Held: Sendable {}
        weak var held: Held?
        func link() throws -> Link {
            let now = Held()
            held = now
            return try Link(tls: true) { $0.keyLog = .lines { _ in withExtendedLifetime(now) {} } }
        }
        var made: Link? = try link()
        XCTAssertNotNil(held, "it is gone before its connection")
        try made?.exchange()
        made = nil
        XCTAssertNil(held)
    }

    func testWhatTLSHasAgreedOn() async throws {
        let link = try Link(tls: true)
        XCTAssertNil(link.connection.tls)
        try link.exchange()
        let tls = try XCTUnwrap(link.connection.tls)
        XCTAssertEqual(tls.version, "TLSv1.3")
        XCTAssertTrue(tls.cipher.hasPrefix("TLS13_"), tls.cipher)
        // A sequence of ASN.1.
        XCTAssertEqual(tls.certificates.first?.first, 0x30)
        let plain = try Link()
        try plain.exchange()
        XCTAssertNil(plain.connection.tls)

        let server = try Loopback.serving("--tls", in: self)
        let client = try await Client(server.url, configuration: Configuration { $0.rootFiles = server.roots })
        let agreed = await client.tls
        XCTAssertEqual(agreed?.version, "TLSv1.3")
        XCTAssertEqual(agreed?.certificates.first?.first, 0x30)
        let none = try await Loopback.serving(in: self).client().tls
        XCTAssertNil(none)
    }

    func testADescriptionSaysNoSecret() throws {
        var settings = Configuration.Settings()
        settings.proxy = .url("http://me:secret@proxy.test")
        settings.clientCertificate = .pem(chain: Self.certificate, key: Self.key)
        settings.keyLog = .lines { _ in }
        var text = ""
        for value in [settings, settings.proxy!, settings.clientCertificate!] as [Any] {
            dump(value, to: &text)
            text += "\(value)" + String(reflecting: value)
        }
        XCTAssertTrue(text.contains("a proxy's URL") && text.contains("PEM"), text)
        XCTAssertFalse(text.contains("secret@") || text.contains("PRIVATE"), text)
    }

    /// For a client, by nobody trusted.
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBeTCCAR+gAwIBAgIUfdExTH5bjxE8snAuevDtxPj1KLMwCgYIKoZIzj0EAwIw
        ETEPMA0GA1UEAwwGY2xpZW50MCAXDTI2MTEyODE0MDY0NVoYDzIxMjYxMTA0MTQw
        NjQ1WjARMQ8wDQYDVQQDDAZjbGllbnQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
        AAT94yAucrv3cqecyt0Eqsm6TFBqnDoNmj5NJdr/AZcM80UhqHVKEub3ztd8Roni
        u1mXY72iYs3pS3/sZ/I+6Ovmo1MwUTAdBgNVHQ4EFgQU90aV+n4Gf584WlQd9pde
        063CNF0wHwYDVR0jBBgwFoAU90aV+n4Gf584WlQd9pde063CNF0wDwYDVR0TAQH/
        BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAgaVz6pfR2HAUbWUwPcabvlJOBvR9
        Ye8PW1Xn4Rm5AhACIFJIo/sslnUIV31XTqy1OuQpYhAfsPxEegqM2ocGFbwc
        -----END CERTIFICATE-----

        """
    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgGZlUk+dZApJ8YQ6s
        0UK6g6FX51Ckub95tO0nwpYp3zmhRANCAAT94yAucrv3cqecyt0Eqsm6TFBqnDoN
        mj5NJdr/AZcM80UhqHVKEub3ztd8Roniu1mXY72iYs3pS3/sZ/I+6Ovm
        -----END PRIVATE KEY-----

        """
}

/// Lines from another thread.
final class Lines: @unchecked Sendable {
    private let lock = NSLock()
    private var lines: [String] = []

    func add(_ line: String) {
        lock.withLock { lines.append(line) }
    }

    var all: [String] { lock.withLock { lines } }
}
