import Foundation

/// `chatnio serve --fault all`: all faulty servers, and the table.
final class FaultServers {
    /// A line of the table: see docs/testing.md.
    struct Row: Sendable {
        let fault, over, url, by: String
        let limit, others, least, most: Duration
        /// What the caller gets of the first question, and of a second where there is one.
        let wanted: [Got]
    }

    /// What a caller gets of a question.
    struct Got: Sendable, Equatable {
        let status, text: String

        /// By Unicode's numbers: Swift takes other texts for the same, too.
        static func == (one: Self, other: Self) -> Bool {
            one.status == other.status && one.text.utf8.elementsEqual(other.text.utf8)
        }
    }

    let rows: [Row]
    /// How many rows there are, by the server's word; -1 when it has said none.
    let announced: Int
    let roots: String
    private let process = Process()
    private let input = Pipe()

    init() throws {
        roots = NSTemporaryDirectory() + "chatnio-\(UUID().uuidString).pem"
        let output = Pipe()
        process.executableURL = Checkout.root.appendingPathComponent("target/debug/chatnio")
        process.arguments = ["serve", "--fault", "all", "--tls", "--until-stdin-closes", "--ca-out", roots]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        // The empty line is its last.
        var table = Data()
        while !table.suffix(2).elementsEqual("\n\n".utf8) {
            let bytes = output.fileHandleForReading.availableData
            if bytes.isEmpty { break }
            table += bytes
        }
        // By bytes, because Swift takes other signs for lines' ends too.
        let lines = table.split(separator: UInt8(ascii: "\n"))
        let head = String(decoding: lines.first ?? Data(), as: UTF8.self)
        announced = head.split(separator: "\t").last.flatMap { Int($0) } ?? -1
        rows = lines.dropFirst().map { line in
            let cells = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            func time(_ cell: Int) -> Duration { .milliseconds(Int(cells[cell]) ?? -1) }
            let second = cells[10] == "-" ? [] : [Got(status: cells[10], text: cells[11])]
            return Row(
                fault: cells[0], over: cells[1], url: cells[2], by: cells[3],
                limit: time(4), others: time(5), least: time(6), most: time(7),
                wanted: [Got(status: cells[8], text: cells[9])] + second)
        }
    }

    func close() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: roots)
    }
}
