// Asks one question and prints the answer as it comes. Ctrl-C stops the answer.
//
//     CHATNIO_TOKEN=sk-... swift run Ask --url wss://api.chatnio.net --model gpt-4 "hi"
//
// Exit status: 0 answered, or stopped as asked; 1 it failed; 2 usage.

import ChatNio
import Foundation

@main
struct Ask {
    static func main() async {
        guard let options = Options(CommandLine.arguments.dropFirst(), ProcessInfo.processInfo.environment) else {
            say("usage: Ask --url URL [--token TOKEN] [--model MODEL] [--ca-file FILE] QUESTION")
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

    /// What the command line and the environment say.
    struct Options {
        var url: String
        var token: String?
        var model: String?
        var caFile: String?
        var question: String

        init?(_ arguments: ArraySlice<String>, _ environment: [String: String]) {
            var values = ["--url": environment["CHATNIO_URL"], "--token": environment["CHATNIO_TOKEN"]]
            var question: String?
            var rest = arguments
            while let argument = rest.popFirst() {
                if ["--url", "--token", "--model", "--ca-file"].contains(argument), let value = rest.popFirst() {
                    values[argument] = value
                } else if question == nil, !argument.hasPrefix("-") {
                    question = argument
                } else {
                    return nil
                }
            }
            guard let url = values["--url"] ?? nil, let question else { return nil }
            self.url = url
            self.question = question
            token = values["--token"] ?? nil
            model = values["--model"] ?? nil
            caFile = values["--ca-file"] ?? nil
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
