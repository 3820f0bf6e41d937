// Asks one question and prints the answer as it comes. Ctrl-C stops the answer.
//
//     CHATNIO_URL=wss://api.chatnio.net CHATNIO_TOKEN=sk-... swift run Ask "hi"
//
// Exit status: 0 answered, or stopped as asked; 1 it failed; 2 usage.

import ChatNio
import Foundation

@main
struct Ask {
    static func main() async {
        guard let options = Options(CommandLine.arguments, ProcessInfo.processInfo.environment) else {
            say("usage: CHATNIO_URL=... CHATNIO_TOKEN=... CHATNIO_MODEL=... Ask QUESTION")
            exit(2)
        }
        do {
            try await ask(options)
        } catch {
            say("\(error)")
            exit(1)
        }
    }

    static func ask(_ options: Options) async throws {
        let configuration = try Configuration { $0.rootFiles = options.caFile.map { [$0] } ?? [] }
        let auth = options.token.map { Auth(token: $0) } ?? .anonymous
        let client = try await Client(options.url, auth: auth, configuration: configuration)
        let interrupt = onInterrupt { client.stop() }
        defer { interrupt.cancel() }

        for try await delta in client.ask(options.question, model: options.model) {
            FileHandle.standardOutput.write(Data(printable(delta.text).utf8))
        }
        print()
        if let answer = await client.lastAnswer, let outcome = answer.outcome {
            say("\(outcome), quota \(answer.quota)")
        }
        try await client.close()
    }

    /// What the environment and the command line say.
    struct Options {
        var url: String
        var token: String?
        var model: String?
        var caFile: String?
        var question: String

        init?(_ arguments: [String], _ environment: [String: String]) {
            guard arguments.count == 2 else { return nil }
            url = environment["CHATNIO_URL"] ?? "ws://127.0.0.1:8094"
            token = environment["CHATNIO_TOKEN"]
            model = environment["CHATNIO_MODEL"]
            caFile = environment["CHATNIO_CA_FILE"]
            question = arguments[1]
        }
    }
}

/// Does something on Ctrl-C instead of ending the program.
func onInterrupt(_ body: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
    signal(SIGINT, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: SIGINT)
    source.setEventHandler(handler: body)
    source.resume()
    return source
}

/// A server's words, without the control characters that could drive a terminal.
func printable(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.filter { $0.properties.generalCategory != .control || $0 == "\n" || $0 == "\t" }))
}

func say(_ text: String) {
    FileHandle.standardError.write(Data((printable(text) + "\n").utf8))
}
