// Asks one question over a WebSocket that the program has already, of URLSession here: text messages go in and out of the
// session, and the program says what time it is. With NIO or any other WebSocket it is the same.
//
//     CHATNIO_URL=wss://api.chatnio.net CHATNIO_TOKEN=sk-... swift run OwnWebSocket "hi"
//
// Exit status: 0 answered; 1 it failed; 2 usage.

import ChatNio
import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@main
struct OwnWebSocket {
    static func main() async {
        let arguments = CommandLine.arguments
        let environment = ProcessInfo.processInfo.environment
        guard arguments.count == 2, var url = URL(string: environment["CHATNIO_URL"] ?? "ws://127.0.0.1:8094")
        else {
            let usage = "usage: CHATNIO_URL=... CHATNIO_TOKEN=... CHATNIO_MODEL=... OwnWebSocket QUESTION\n"
            FileHandle.standardError.write(Data(usage.utf8))
            exit(2)
        }
        // Where the chat is on a server whose URL says only so much.
        if ["", "/", "/api", "/api/"].contains(url.path) {
            url.appendPathComponent("chat")
        }
        do {
            let token = environment["CHATNIO_TOKEN"]
            let chat = try Chat(url, auth: token.map { Auth(token: $0) } ?? .anonymous)
            let answer = try await chat.ask(.chat(arguments[1], model: environment["CHATNIO_MODEL"]))
            print(answer.notice ?? answer.reason ?? answer.text)
            exit(answer.outcome == .complete ? 0 : 1)
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            exit(1)
        }
    }
}

/// A session, and the WebSocket that it goes over. An actor, since both the socket and the timer come to the session.
actor Chat {
    private let session: Session
    private let socket: URLSessionWebSocketTask
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant

    init(_ url: URL, auth: Auth) throws {
        start = clock.now
        session = try Session(auth: auth, now: .zero)
        var request = URLRequest(url: url)
        // URLSession for Linux asks to keep the connection alive instead (6.0); Apple's sets this by itself.
        request.setValue("Upgrade", forHTTPHeaderField: "Connection")
        socket = URLSession.shared.webSocketTask(with: request)
        socket.resume()
    }

    deinit {
        socket.cancel(with: .normalClosure, reason: nil)
    }

    private var now: Duration { start.duration(to: clock.now) }

    /// Asks, and waits for the whole answer.
    func ask(_ request: Request) async throws -> Answer {
        try session.request(request, now: now)
        try await send()
        let deadlines = Task { try await self.keepDeadlines() }
        defer { deadlines.cancel() }
        while true {
            var event: Event?
            do {
                switch try await socket.receive() {
                case .string(let text): event = try session.receive(text, now: now)
                default: event = try session.receiveBinary(now: now)
                }
            } catch let lost where !(lost is ChatNioError) {
                event = try session.closed(.lost)
                if event == nil { throw lost }
            }
            if case .end(let end) = event { return end.answer }
        }
    }

    /// Sends what the session has to send.
    private func send() async throws {
        while let message = try session.nextTransmit() {
            try await socket.send(.string(message))
        }
    }

    /// Does what is due, until the socket is of no use any more: then who reads it finds that out.
    private func keepDeadlines() async throws {
        while let deadline = session.deadline {
            try await clock.sleep(until: start + deadline)
            while let event = try session.handleTimeout(now: now) {
                if case .end = event { socket.cancel() }
            }
            try await send()
        }
    }
}
