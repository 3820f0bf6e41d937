import ChatNio
import Foundation
import XCTest

/// Every transcript gives the event log beside it, byte for byte: by a session, and by a connection however the server's
/// bytes are split, plain and in TLS, one event at a time and in batches.
final class TranscriptTests: HandleTestCase {
    private static let everyUpTo = 16 * 1024
    private static let seeds: UInt64 = 64

    func testSessionsGiveTheLogs() throws {
        for name in try Checkout.transcripts() {
            let transcript = try Transcript(Checkout.text(name + ".txt"))
            var log = EventLog()
            for replayed in try transcript.replay() {
                switch replayed {
                case .event(let event, let line): log.add(event, line: line)
                case .warning(let message, let line): log.addWarning(message, line: line)
                }
            }
            XCTAssertEqual(log.text, try Checkout.text(name + ".log"), name)
        }
    }

    func testConnectionsGiveTheLogs() throws {
        for name in try Checkout.transcripts() {
            try checkSplits(of: name, tls: false, every: true)
        }
    }

    func testConnectionsInTLSGiveTheLogs() throws {
        for name in try Checkout.transcripts() {
            try checkSplits(of: name, tls: true, every: false)
        }
    }

    func testTranscriptsReadWhatTheyWrite() throws {
        for name in try Checkout.transcripts() {
            let transcript = try Transcript(Checkout.text(name + ".txt"))
            XCTAssertEqual(try Transcript(transcript.text).text, transcript.text)
            XCTAssertEqual("\(transcript)", transcript.text)
        }
    }

    func testATranscriptThatIsNoneNamesItsLine() {
        let error = assertThrows(.badTranscript) { try Transcript("WEBSOCKET ws://h/\n\nnonsense\n") }
        XCTAssertTrue(error?.message.contains("line 3") ?? false, error?.message ?? "")
    }

    private func checkSplits(of name: String, tls: Bool, every: Bool) throws {
        let transcript = try Transcript(Checkout.text(name + ".txt"))
        let log = try Checkout.text(name + ".log")
        func check(_ split: Link.Split, batch: Int, _ how: String) throws -> Int {
            let (played, length) = try play(transcript, tls: tls, split, batch: batch)
            // Compared before, because XCTest would write a message down for each.
            if played != log {
                XCTAssertEqual(played, log, "\(name), \(how)")
            }
            return length
        }
        let length = try check(.whole, batch: 0, "whole")
        _ = try check(.whole, batch: 1, "whole, in batches of 1")
        _ = try check(.whole, batch: 7, "whole, in batches of 7")
        _ = try check(.byteByByte, batch: 0, "byte by byte")
        _ = try check(.byteByByte, batch: 3, "byte by byte, in batches")
        if every, length <= Self.everyUpTo {
            for cut in 1..<length {
                _ = try check(.at([cut]), batch: cut % 2 == 0 ? 0 : 3, "split behind \(cut)")
            }
        } else {
            for seed in 0..<Self.seeds {
                var state = seed
                // The same at every run.
                let cuts = (0..<8).map { _ in
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return 1 + Int(state >> 33) % length
                }
                _ = try check(.at(cuts.sorted()), batch: seed % 2 == 0 ? 0 : 5, "split at the places of seed \(seed)")
            }
        }
    }

    /// Plays a transcript through a connection; gives the log, and the length of the server's stream.
    private func play(
        _ transcript: Transcript, tls: Bool, _ split: Link.Split, batch: Int
    ) throws -> (log: String, length: Int) {
        var log = EventLog()
        var line: Int?
        let replay = try Replay(transcript)
        // The server says nothing by itself: the steps do.
        let link = try Link(tls: tls, transcript: "", auth: replay.auth)
        link.split = split
        link.batch = batch
        link.onEvent = { log.add($0, line: line) }
        try link.exchange()
        while let step = try replay.nextStep(in: link.connection.state) {
            line = nil
            switch step.action {
            case .request:
                do {
                    try link.connection.request(replay, now: link.now)
                } catch {
                    log.addWarning("skipped: \(error)", line: step.line)
                }
            case .receive(let message):
                line = step.line
                link.peer.send(message + "\n")
            case .closed: try link.connection.eof(now: link.now)
            case .warning(let message): log.addWarning(message, line: step.line)
            }
            try link.exchange()
        }
        line = nil
        try link.connection.close(now: link.now)
        try link.connection.eof(now: link.now)
        try link.exchange()
        return (log.text, link.received)
    }
}
