// Lists the stored conversations and tells what is left of the quota: the companion calls, with the HTTP done by URLSession.
//
//     CHATNIO_URL=wss://api.chatnio.net CHATNIO_TOKEN=sk-... swift run Conversations
//
// One's own server is wss://HOST, or wss://HOST/api where it also serves its web page.

import ChatNio
import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Follows no redirect: the key would go along.
final class NoRedirects: NSObject, URLSessionTaskDelegate, Sendable {
    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }
}

/// A server's companion calls.
struct Server {
    let base: String
    let auth: Auth
    /// How long a call may take in all.
    let limit = Duration.seconds(30)
    let session = URLSession(configuration: .ephemeral, delegate: NoRedirects(), delegateQueue: nil)

    /// Makes a call; one that only reads is made again where that may go better.
    func call<Answer>(_ call: Rest.Call<Answer>) async throws -> Answer {
        let clock = ContinuousClock()
        let start = clock.now
        let retry = try Retry(within: limit, now: .zero)
        while true {
            var again: Duration?
            let failure: any Error
            do {
                let (status, body, retryAfter) = try await send(call, within: limit - (clock.now - start))
                do {
                    return try call.decode(status: status, body: body)
                } catch let error as Rest.Failure {
                    failure = error
                    again = error.retryCause.flatMap {
                        retry.failed($0, retryAfter: retryAfter, now: clock.now - start)
                    }
                }
            } catch let error as URLError {
                failure = error
                again = try call.isRepeatable ? retry.failed(.lost, now: clock.now - start) : nil
            }
            guard let again else { throw failure }
            complain("\(failure); trying again")
            try await clock.sleep(until: start + again)
        }
    }

    private func send<Answer>(
        _ call: Rest.Call<Answer>, within: Duration
    ) async throws -> (Int, [UInt8], Duration?) {
        let request = try call.request(auth: auth)
        guard let url = URL(string: base + request.target) else { throw URLError(.badURL) }
        var sent = URLRequest(url: url, timeoutInterval: max(within / .seconds(1), 0.001))
        sent.httpMethod = request.method
        sent.httpBody = request.body.map { Data($0.utf8) }
        for header in request.headers {
            sent.setValue(header.value, forHTTPHeaderField: header.name)
        }
        let (body, response) = try await session.data(for: sent)
        let answer = response as? HTTPURLResponse
        let seconds = answer?.value(forHTTPHeaderField: "Retry-After").flatMap(Int.init)
        return (answer?.statusCode ?? 0, Array(body), seconds.map { .seconds($0) })
    }
}

@main
struct Conversations {
    static func main() async {
        let environment = ProcessInfo.processInfo.environment
        guard CommandLine.arguments.count == 1 else {
            complain("usage: CHATNIO_URL=... CHATNIO_TOKEN=... Conversations")
            exit(2)
        }
        let auth = environment["CHATNIO_TOKEN"].map { Auth(token: $0) }
        guard let base = base(of: environment["CHATNIO_URL"] ?? "ws://127.0.0.1:8094", hasToken: auth != nil) else {
            complain("the URL should be like wss://HOST[/api]; without TLS a token goes to this machine alone")
            exit(2)
        }
        let server = Server(base: base, auth: auth ?? .anonymous)
        do {
            print("quota: \(try await server.call(Rest.quota))")
            for conversation in try await server.call(Rest.conversations) {
                print("\(conversation.id): \(printable(conversation.name))")
            }
        } catch {
            complain("\(error)")
            exit(1)
        }
    }
}

/// What the targets of the calls stand behind: of the chat's wss://HOST[/api][/chat] it is https://HOST[/api]. Nil where there is
/// none: a token goes to no other machine in the open.
func base(of url: String, hasToken: Bool) -> String? {
    guard var parts = URLComponents(string: url.contains("://") ? url : "wss://\(url)"), let host = parts.host,
        let scheme = ["wss": "https", "https": "https", "ws": "http", "http": "http"][parts.scheme ?? ""],
        parts.query == nil, parts.fragment == nil, parts.user == nil
    else { return nil }
    guard scheme == "https" || !hasToken || ["127.0.0.1", "localhost"].contains(host) else { return nil }
    parts.scheme = scheme
    parts.path = Rest.prefix(ofPath: parts.path)
    return parts.string
}

/// A server's words, without the control characters that could drive a terminal.
func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.properties.generalCategory != .control }))
}

func complain(_ text: String) {
    FileHandle.standardError.write(Data((printable(text) + "\n").utf8))
}
