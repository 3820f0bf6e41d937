import ChatNio
import Foundation
import XCTest

/// Servers that each do one thing wrong: what a caller gets of each is what the library's table of faults says.
final class FaultTests: HandleTestCase {
    private static let token = "sk-secret"
    /// How many are tried at once: most of them wait.
    private static let atOnce = 32

    func testACallerGetsWhatTheTableSays() async throws {
        let server = try FaultServers()
        defer { server.close() }
        let (rows, roots) = (server.rows, server.roots)
        XCTAssertEqual(rows.count, server.announced)
        let wrong = await withTaskGroup(of: String?.self) { group in
            var wrong: [String] = []
            for (number, row) in rows.enumerated() {
                if number >= Self.atOnce, let result = await group.next() ?? nil {
                    wrong.append(result)
                }
                group.addTask { await Self.compare(row, roots: roots) }
            }
            for await result in group {
                wrong += result.map { [$0] } ?? []
            }
            return wrong
        }
        XCTAssertEqual(wrong, [])
    }

    /// What is wrong, if something is.
    private static func compare(_ row: FaultServers.Row, roots: String) async -> String? {
        let start = ContinuousClock.now
        let got = await ask(row, roots: roots)
        let took = .now - start
        if got != row.wanted { return "\(row.fault), \(row.over): \(got) instead of \(row.wanted)" }
        if (row.least...row.most).contains(took) { return nil }
        return "\(row.fault), \(row.over): it took \(took), and is to take \(row.least) to \(row.most)"
    }

    /// Asks the row's questions; what the caller gets of each.
    private static func ask(_ row: FaultServers.Row, roots: String) async -> [FaultServers.Got] {
        var got: [FaultServers.Got] = []
        do {
            let client = try await Client(row.url, auth: Auth(token: token), configuration: configuration(row, roots))
            for _ in row.wanted { got.append(await ask(client)) }
        } catch let error as ChatNioError {
            got.append(FaultServers.Got(status: status(of: error), text: ""))
        } catch {
            got.append(FaultServers.Got(status: "\(error)", text: ""))
        }
        return got
    }

    /// Asks one question to its end.
    private static func ask(_ client: Client) async -> FaultServers.Got {
        var text = ""
        let status = await ask(client, text: &text)
        // As the table has it: no white space at the end, and at most 40 characters of Unicode; those of Swift are more than one.
        var scalars = Array(text.unicodeScalars)
        while scalars.last == " " { scalars.removeLast() }
        return FaultServers.Got(status: status, text: String(String.UnicodeScalarView(scalars.prefix(40))))
    }

    /// The same; `text` is what has come.
    private static func ask(_ client: Client, text: inout String) async -> String {
        do {
            for try await delta in client.ask("hi") {
                text += delta.text
            }
            return await client.lastAnswer?.outcome?.description ?? "no answer"
        } catch let error as ChatNioError {
            return status(of: error)
        } catch AnswerError.interrupted(let answer, let cause) {
            if let cause { return status(of: cause) }
            if case .interrupted(let why) = answer.outcome { return why.description }
            return "no reason"
        } catch AnswerError.notice {
            return "notice"
        } catch {
            return "\(error)"
        }
    }

    /// All limits are as the row wants them: what ends by another than its own is late.
    private static func configuration(_ row: FaultServers.Row, _ roots: String) throws -> Configuration {
        func limit(_ name: String) -> Duration { row.by == name ? row.limit : row.others }
        return try Configuration {
            $0.connect = limit("connect")
            $0.handshake = limit("handshake")
            $0.firstFrame = limit("first_frame")
            $0.nextFrame = limit("next_frame")
            $0.answerWithin = limit("answer_within")
            $0.afterStop = limit("after_stop")
            $0.pingAfter = limit("ping_after")
            $0.pongWithin = limit("pong_within")
            // How a client is left is none of what is asked here.
            $0.close = .milliseconds(300)
            $0.connectRetries = 0
            $0.maxMessage = 64 << 10
            $0.maxAnswer = 1 << 20
            $0.trust = .addedOnly
            $0.rootFiles = [roots]
        }
    }

    /// Why there is no connection: the C library's name of it, and for two of them the code.
    private static func status(of error: ChatNioError) -> String {
        guard let code = error.code, !error.message.isEmpty, !"\(error)\(error.message)".contains(token) else {
            return "a wrong message: \(error.message)"
        }
        let name = String(code.description.dropFirst("CHATNIO_".count))
        switch code {
        case .closedByServer: return "\(name) \(error.endCode.map(String.init) ?? "-")"
        case .http: return "\(name) \(error.endCode ?? 0)"
        default: return name
        }
    }
}
