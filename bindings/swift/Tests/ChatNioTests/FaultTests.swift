import ChatNio
import Foundation
import XCTest

/// Servers that each do one thing wrong: what a caller gets of each is what the library's table of faults says.
final class FaultTests: HandleTestCase {
    /// No row needs as long: whatever hangs fails.
    private static let long = Duration.seconds(30)
    /// The deadline that a row names, so that it passes soon.
    private static let short = Duration.milliseconds(300)
    /// A handshake's, within which a part of it is to come, on a busy machine, too.
    private static let shortHandshake = Duration.seconds(3)
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
        var text = ""
        let status = await ask(row, roots: roots, text: &text)
        // Characters of Unicode, as the table has them: those of Swift are more than one.
        var scalars = Array(text.unicodeScalars)
        while scalars.last == " " { scalars.removeLast() }
        let compared = scalars.prefix(40)
        if status == row.status, compared.elementsEqual(row.text.unicodeScalars) { return nil }
        let got = String(String.UnicodeScalarView(compared))
        let wanted = "\(row.status) \(row.text.debugDescription)"
        return "\(row.fault), \(row.over): \(status) \(got.debugDescription) instead of \(wanted)"
    }

    /// Asks one question to its end; `text` is what has come.
    private static func ask(_ row: FaultServers.Row, roots: String, text: inout String) async -> String {
        do {
            let client = try await Client(row.url, auth: Auth(token: token), configuration: configuration(row, roots))
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

    /// All deadlines are long, except the one that the row names: a client that waits for another gets another status.
    private static func configuration(_ row: FaultServers.Row, _ roots: String) throws -> Configuration {
        func within(_ name: String) -> Duration { row.by == name ? short : long }
        return try Configuration {
            $0.connect = within("connect")
            $0.handshake = row.by == "handshake" ? shortHandshake : long
            $0.firstFrame = within("first_frame")
            $0.nextFrame = within("next_frame")
            $0.pingAfter = long
            $0.pongWithin = long
            // How a client is left is none of what is asked here.
            $0.close = short
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
