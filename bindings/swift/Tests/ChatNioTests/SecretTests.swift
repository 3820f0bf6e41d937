import ChatNio
import Foundation
import XCTest

/// No secret is in what a program could print, log or store: every fault of the table, plain and over TLS, to clients that have
/// one of each kind; and again with the faulty server in the place of a proxy.
final class SecretTests: HandleTestCase {
    private static let token = "sk-MARKEDtoken"
    private static let header = "MARKEDheader"
    private static let query = "MARKEDquery"
    private static let password = "MARKEDpassword"
    /// `user:MARKEDpassword`, as a proxy is told it.
    private static let passwordBase64 = "dXNlcjpNQVJLRURwYXNzd29yZA"
    /// A line of the key.
    private static let key = String(NetworkTests.key.split(separator: "\n")[1])
    private static let secrets = [token, header, query, password, passwordBase64, key]

    /// No row is waited for: what comes of it is not asked here.
    private static let short = Duration.milliseconds(200)
    /// How many are tried at once: most of them wait.
    private static let atOnce = 32

    /// A way to a faulty server: as the server, or as a proxy.
    private struct Way: Sendable {
        let name, url: String
        var proxy: String?
    }

    func testNoTextShowsASecret() async throws {
        let server = try FaultServers()
        defer { server.close() }
        let (rows, roots) = (server.rows, server.roots)
        XCTAssertEqual(rows.count, server.announced)
        let ways = rows.flatMap(Self.ways)
        XCTAssertGreaterThan(ways.count, 1000)
        let shown = await withTaskGroup(of: [String].self) { group in
            var shown: [String] = []
            for (number, way) in ways.enumerated() {
                if number >= Self.atOnce {
                    shown += await group.next() ?? []
                }
                group.addTask {
                    let texts = await Self.ask(way, roots: roots)
                    return Self.shown(texts.count > 2 ? texts : ["nothing was seen: \(Self.query)"])
                        .map { "\(way.name): \($0)" }
                }
            }
            for await found in group { shown += found }
            return shown
        }
        XCTAssertEqual(shown.count, 0, shown.prefix(5).joined(separator: "\n"))
    }

    func testASecretThatShowsIsFound() {
        XCTAssertEqual(Self.shown([Self.secrets.joined(separator: " "), "nothing"]).count, Self.secrets.count)
        XCTAssertTrue(NetworkTests.key.contains(Self.key) && Self.key.count > 40)
    }

    private static func ways(_ row: FaultServers.Row) -> [Way] {
        let name = "\(row.fault), \(row.over)"
        let straight = Way(name: name, url: "\(row.url)?key=\(query)")
        guard row.over == "plain" else { return [straight] }
        let address = row.url.dropFirst("ws://".count).prefix { $0 != "/" }
        return [straight]
            + ["http", "socks5", "socks5h"].map { kind in
                Way(
                    name: "\(name) (\(kind))", url: "ws://localhost:9/chat?key=\(query)",
                    proxy: "\(kind)://user:\(password)@\(address)")
            }
    }

    /// Asks one question to its end; every text there is to see.
    private static func ask(_ way: Way, roots: String) async -> [String] {
        var texts: [String] = []
        do {
            let settings = settings(way, roots: roots)
            let configuration = try Configuration(settings)
            let auth = Auth(token: token)
            texts += all(of: settings) + all(of: configuration) + all(of: auth)
            let events = Events()
            let client = try await Client(way.url, auth: auth, configuration: configuration) { events.add($0) }
            do {
                for try await delta in client.ask("hi") { texts.append(delta.text) }
            } catch {
                texts += all(of: error)
            }
            // Some servers go on and on.
            texts += all(of: client) + events.all.suffix(50).flatMap(all(of:))
            if let answer = await client.lastAnswer { texts += all(of: answer) }
            if let transcript = await client.transcript { texts += all(of: transcript) + [transcript.text] }
            _ = try await client.close()
        } catch {
            texts += all(of: error)
        }
        return texts
    }

    private static func settings(_ way: Way, roots: String) -> Configuration.Settings {
        var settings = Configuration.Settings()
        settings.connect = short
        settings.handshake = short
        settings.firstFrame = short
        settings.nextFrame = short
        settings.answerWithin = short
        settings.close = short
        settings.connectRetries = 0
        settings.maxMessage = 64 << 10
        settings.maxAnswer = 64 << 10
        settings.record = true
        settings.headers = [("Authorization", header)]
        settings.proxy = way.proxy.map { .url($0) }
        settings.trust = .addedOnly
        settings.rootFiles = [roots]
        settings.clientCertificate = .pem(chain: NetworkTests.certificate, key: NetworkTests.key)
        return settings
    }

    /// All that a program, a debugger or a log shows of a value.
    private static func all(of value: Any) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        let localized = (value as? any Error).map { [$0.localizedDescription, "\($0 as NSError)"] } ?? []
        return [dumped, "\(value)", String(reflecting: value)] + localized
    }

    /// Which secrets show, by their beginnings, and in what.
    private static func shown(_ texts: [String]) -> [String] {
        texts.flatMap { text in secrets.filter { holds(text, String($0.prefix(8))) }.map { "\($0) is in \(text)" } }
    }

    /// As `contains`, which takes its time for signs that are more than one character.
    private static func holds(_ text: String, _ secret: String) -> Bool {
        var (text, secret) = (text, secret)
        return text.withUTF8 { text in
            secret.withUTF8 { memmem(text.baseAddress!, text.count, $0.baseAddress!, $0.count) != nil }
        }
    }
}
