// A client's answers, piece by piece: one for each line of the input. `Contender URL QUESTION CHUNKS`

import ChatNio
import Foundation

@main
struct Contender {
    static func main() async throws {
        guard CommandLine.arguments.count == 4, let chunks = Int(CommandLine.arguments[3]) else {
            fatalError("usage: Contender URL QUESTION CHUNKS")
        }
        let client = try await Client(CommandLine.arguments[1])
        while readLine() != nil {
            var seen = 0
            // Of the process: the client has a thread of its own.
            let (cpu, elapsed) = (nanoseconds(CLOCK_PROCESS_CPUTIME_ID), nanoseconds(CLOCK_MONOTONIC))
            for try await delta in client.ask(CommandLine.arguments[2]) where !delta.text.isEmpty {
                seen += 1
            }
            let took = (nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, nanoseconds(CLOCK_MONOTONIC) - elapsed)
            guard seen == chunks else { fatalError("a chunk is missing: \(seen) of \(chunks)") }
            let line = "{\"cpu\":\(took.0),\"elapsed\":\(took.1),\"chunks\":\(chunks)}\n"
            FileHandle.standardOutput.write(Data(line.utf8))
        }
    }

    static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
