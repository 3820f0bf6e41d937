import ChatNio
import ChatNioTesting
import Foundation
import XCTest

final class ClientTests: HandleTestCase {
    func testAnAnswerStreams() async throws {
        let server = try Loopback.serving("--pace", "0", in: self)
        let client = try await server.client()
        var pieces: [String] = []
        for try await delta in client.ask("hi", model: "hello") {
            XCTAssertFalse(delta.text.isEmpty)
            XCTAssertEqual(delta.turn, 1)
            pieces.append("\(delta)")
        }
        XCTAssertGreaterThan(pieces.count, 1)
        XCTAssertEqual(pieces.joined(), "Hello! How can I help?")
        let answer = await client.lastAnswer
        XCTAssertEqual(answer?.text, "Hello! How can I help?")
        XCTAssertEqual(answer?.outcome, .complete)
        XCTAssertEqual(answer?.quota.text, "0.00029")
        XCTAssertEqual(answer?.chunks, pieces.count)
        let state = await client.state
        XCTAssertEqual(state, .idle)
        let again = try await client.restart(model: "hello").joined()
        XCTAssertEqual(again, "Hello! How can I help?")
        let restarted = await client.lastAnswer
        XCTAssertEqual(restarted?.asked, .restart)
        XCTAssertEqual(restarted?.turn, 2)
    }

    func testWholeAnswers() async throws {
        let server = try Loopback.serving("--pace", "0", in: self)
        let client = try await server.client()
        let answer = try await client.answer(to: "hi", model: "hello")
        XCTAssertEqual(answer.text, "Hello! How can I help?")
        // Whatever the outcome.
        let refused = try await client.answer(to: "hi", model: "nosuch")
        XCTAssertEqual(refused.outcome, .notice)
        await assertThrows(.emptyMessage) { try await client.answer(to: " ") }
        await assertThrows(.badParameters) { try await client.answer(to: Request(.remove(index: 0))) }
    }

    func testWhatIsAskedTogetherIsAnsweredInOrder() async throws {
        let server = try Loopback.serving("--pace", "0", in: self)
        let client = try await server.client(recording: true)
        let streams = (1...5).map { client.ask("question \($0)", model: "hello") }
        for stream in streams.reversed() {
            let text = try await stream.joined()
            XCTAssertEqual(text, "Hello! How can I help?")
        }
        let sent = await client.transcript?.text ?? ""
        let questions = sent.matches(of: #/"message":"question (\d)"/#).map { $0.1 }
        XCTAssertEqual(questions, ["1", "2", "3", "4", "5"])
    }

    /// A server that ends the answer only when it has seen the stop.
    private func serverThatWaitsForAStop() throws -> Loopback {
        let script = """
            WEBSOCKET ws://h/chat

            > SEND {"token":"sk-...","id":-1}
            > SEND {"type":"chat","message":"hi"}
            < RECV {"conversation":1,"quota":0,"message":"","end":false}
            < RECV {"message":"the first piece","quota":0.1,"end":false}
            > SEND {"type":"stop"}
            < RECV {"message":"","quota":0.25,"end":true}
            > SEND {"type":"chat","message":"more"}
            < RECV {"conversation":1,"quota":0,"message":"","end":false}
            < RECV {"message":"more","quota":0.5,"end":true}

            """
        return try Loopback.serving("--script", Loopback.file(script, in: self), in: self)
    }

    func testLeavingAStreamStopsTheAnswerAtTheServer() async throws {
        let client = try await serverThatWaitsForAStop().client()
        for try await delta in client.ask("hi") {
            XCTAssertEqual(delta.text, "the first piece")
            break
        }
        // That the end came at all, says that the server has seen the stop; and what it cost is known.
        let answer = await client.lastAnswer
        XCTAssertEqual(answer?.outcome, .stopped)
        XCTAssertEqual(answer?.text, "the first piece")
        XCTAssertEqual(answer?.quota.text, "0.25")
        // The conversation goes on.
        let more = try await client.ask("more").joined()
        XCTAssertEqual(more, "more")
    }

    func testCancellingTheTaskStopsTheAnswerAtTheServer() async throws {
        let client = try await serverThatWaitsForAStop().client()
        let (first, seen) = AsyncStream<Void>.makeStream()
        let task = Task {
            for try await _ in client.ask("hi") { seen.finish() }
        }
        for await _ in first {}
        task.cancel()
        _ = await task.result
        let answer = await client.lastAnswer
        XCTAssertEqual(answer?.outcome, .stopped)
        XCTAssertEqual(answer?.quota.text, "0.25")
    }

    func testCancellingAWholeAnswerGivesWhatHasCome() async throws {
        let (first, seen) = AsyncStream<Void>.makeStream()
        let client = try await serverThatWaitsForAStop().client { if case .delta = $0 { seen.finish() } }
        let task = Task { try await client.answer(to: "hi") }
        for await _ in first {}
        task.cancel()
        let answer = try await task.value
        XCTAssertEqual(answer.outcome, .stopped)
        XCTAssertEqual(answer.text, "the first piece")
        XCTAssertEqual(answer.quota.text, "0.25")
    }

    func testStoppingEndsTheStream() async throws {
        let client = try await serverThatWaitsForAStop().client()
        XCTAssertFalse(client.stop())
        var text = ""
        for try await delta in client.ask("hi") {
            text += delta.text
            XCTAssertTrue(client.stop())
            XCTAssertFalse(client.stop())
        }
        XCTAssertEqual(text, "the first piece")
        let answer = await client.lastAnswer
        XCTAssertEqual(answer?.outcome, .stopped)
        XCTAssertFalse(client.stop())
    }

    /// However early it comes: what is not asked yet never is, and what was asked is stopped.
    func testStoppingAtOnce() async throws {
        let server = try Loopback.serving(in: self)
        for _ in 1...10 {
            let client = try await server.client(recording: true)
            let answer = client.ask("hi", model: "slow")
            XCTAssertTrue(client.stop())
            XCTAssertFalse(client.stop())
            do {
                _ = try await answer.joined()
                let outcome = await client.lastAnswer?.outcome
                XCTAssertEqual(outcome, .stopped)
            } catch is CancellationError {
                let sent = await client.transcript?.text
                XCTAssertFalse(sent?.contains("hi") ?? true, sent ?? "")
            }
        }
    }

    func testWhatWaitsIsNeverAskedWhenItIsStoppedOrLeft() async throws {
        let server = try Loopback.serving("--pace", "0", in: self)
        let client = try await server.client(recording: true)
        let (held, hold) = AsyncStream<Void>.makeStream()
        let gate = DispatchSemaphore(value: 0)
        // Nothing is sent as long as its thread is held up.
        let job = Task {
            await client.onItsThread {
                hold.finish()
                gate.wait()
            }
        }
        for await _ in held {}
        let stopped = client.ask("never", model: "hello")
        XCTAssertTrue(client.stop())
        XCTAssertFalse(client.stop())
        let left = Task { try await client.answer(to: "never", model: "hello") }
        left.cancel()
        gate.signal()
        await job.value
        await assertCancelled { try await stopped.joined() }
        await assertCancelled { try await left.value }
        let text = try await client.ask("hi", model: "hello").joined()
        XCTAssertEqual(text, "Hello! How can I help?")
        let sent = await client.transcript?.text
        XCTAssertFalse(sent?.contains("never") ?? true, sent ?? "")
    }

    func testACancelledTaskAsksNothing() async throws {
        let server = try Loopback.serving("--pace", "0", in: self)
        let client = try await server.client(recording: true)
        for _ in 1...50 {
            let streaming = Task {
                while !Task.isCancelled { await Task.yield() }
                let stream = client.ask("never", model: "hello")
                // Would it be asked, it was by then, before anybody reads.
                _ = await client.lastAnswer
                return try await stream.joined()
            }
            let waiting = Task {
                while !Task.isCancelled { await Task.yield() }
                return try await client.answer(to: "never", model: "hello").text
            }
            for task in [streaming, waiting] {
                task.cancel()
                await assertCancelled { try await task.value }
            }
        }
        let sent = await client.transcript?.text
        XCTAssertFalse(sent?.contains("never") ?? true, sent ?? "")
    }

    /// Whenever a task is cancelled: it gets a `CancellationError`, or its question was sent.
    func testACancelledQuestionIsSentOrNot() async throws {
        let server = try Loopback.serving("--pace", "1", in: self)
        let client = try await server.client(recording: true)
        var cancelled: [String] = []
        var asked: [String] = []
        for number in 1...200 {
            let question = "question \(number)."
            let task = Task {
                number.isMultiple(of: 2)
                    ? try await client.ask(question, model: "hello").joined()
                    : try await client.answer(to: question, model: "hello").text
            }
            for _ in 0..<number / 10 { await Task.yield() }
            task.cancel()
            do {
                _ = try await task.value
                asked.append(question)
            } catch is CancellationError {
                cancelled.append(question)
            }
        }
        _ = await client.lastAnswer
        let sent = await client.transcript?.text ?? ""
        XCTAssertEqual(asked.filter { !sent.contains($0) }, [])
        XCTAssertEqual(cancelled.filter { sent.contains($0) }, [])
    }

    func testWhatIsLeftBeforeItsTurnIsNeverAsked() async throws {
        let client = try await serverThatWaitsForAStop().client(recording: true)
        let first = client.ask("hi")
        let second = Task { try await client.answer(to: "never") }
        var third: DeltaStream? = client.ask("never, too")
        XCTAssertNotNil(third)
        third = nil
        second.cancel()
        do {
            _ = try await second.value
            XCTFail("answered")
        } catch is CancellationError {
        }
        for try await _ in first { client.stop() }
        let more = try await client.ask("more").joined()
        XCTAssertEqual(more, "more")
        let sent = await client.transcript?.text
        XCTAssertFalse(sent?.contains("never") ?? true, sent ?? "")
    }

    func testAnAnswerThatNobodyReadsIsStoppedThoughItsClientIsGone() async throws {
        let server = try serverThatWaitsForAStop()
        let (ended, end) = AsyncStream<Answer>.makeStream()
        var client: Client? = try await server.client { event in
            if case .end(let turn) = event { end.yield(turn.answer) }
        }
        var deltas = client?.ask("hi").makeAsyncIterator()
        client = nil
        _ = try await deltas?.next()
        deltas = nil
        for await answer in ended {
            XCTAssertEqual(answer.outcome, .stopped)
            break
        }
    }

    func testAStreamHoldsItsClient() async throws {
        let server = try Loopback.serving("--pace", "0.1", in: self)
        let text = try await server.client().ask("hi", model: "slow").joined()
        XCTAssertTrue(text.hasSuffix("w79 ") || text.contains("w79"), text)
    }

    func testNoPieceIsDroppedHoweverSlowTheReaderIs() async throws {
        let server = try Loopback.serving("--pace", "0", in: self)
        let client = try await server.client()
        let stream = client.ask("hi", model: "long-20000")
        // All of it waits before the first is read.
        let answer = await client.lastAnswer
        var pieces = 0
        var text = ""
        for try await delta in stream {
            pieces += 1
            text += delta.text
        }
        XCTAssertEqual(pieces, 20000)
        XCTAssertEqual(answer?.chunks, 20000)
        XCTAssertEqual(text, answer?.text)
    }

    func testNoticesAreErrors() async throws {
        let server = try Loopback.serving("--pace", "0", in: self)
        let client = try await server.client()
        do {
            _ = try await client.ask("hi", model: "nosuch").joined()
            XCTFail("answered")
        } catch let error as AnswerError {
            guard case .notice(let answer) = error else { return XCTFail("\(error)") }
            XCTAssertEqual(answer.outcome, .notice)
            XCTAssertEqual("\(error)", answer.notice)
        }
        // A request that is refused is none.
        await assertThrows(.emptyMessage) { try await client.ask("").joined() }
        await assertThrows(.badParameters) { try await client.ask(Request(.stop)).joined() }
        let text = try await client.ask("hi", model: "hello").joined()
        XCTAssertEqual(text, "Hello! How can I help?")
    }

    func testTheServerIsCut() async throws {
        let server = try Loopback.serving("--pace", "0", in: self)
        let client = try await server.client()
        var text = ""
        do {
            for try await delta in client.ask("hi", model: "drop") { text += delta.text }
            XCTFail("answered")
        } catch let error as AnswerError {
            guard case .interrupted(let answer, let cause) = error else { return XCTFail("\(error)") }
            XCTAssertEqual(answer.outcome, .interrupted(.connectionLost))
            XCTAssertTrue(error.isRetryable)
            XCTAssertFalse(text.isEmpty)
            XCTAssertEqual(answer.text, text)
            XCTAssertTrue(cause?.isFatal ?? false)
            XCTAssertEqual("\(error)", cause?.message)
        }
        let state = await client.state
        XCTAssertEqual(state, .closed)
        let dead = await assertThrows(.endOfStream) { try await client.ask("hi").joined() }
        XCTAssertTrue(dead?.isFatal ?? false)

        let interrupted = try await client.reconnect()
        XCTAssertNil(interrupted)
        let again = try await client.ask("hi", model: "hello").joined()
        XCTAssertEqual(again, "Hello! How can I help?")
    }

    func testWhatIsAskedBehindADeadlineWaitsForTheServersEnd() async throws {
        // It ends the answer when the stop has come again.
        let script = """
            > SEND {"token":"sk-...","id":-1}
            > SEND {"type":"chat","message":"hi"}
            < RECV {"message":"the first piece","quota":0.1,"end":false}
            > SEND {"type":"stop"}
            > SEND {"type":"stop"}
            < RECV {"message":"","quota":0.25,"end":true}
            > SEND {"type":"chat","message":"hi"}
            < RECV {"message":"all of it","quota":0.5,"end":true}

            """
        let server = try Loopback.serving("--script", Loopback.file(script, in: self), in: self)
        let configuration = try Configuration { $0.stopRepeats = [.milliseconds(50)] }
        let client = try await Client(server.url, auth: Auth(token: "sk-test"), configuration: configuration)
        do {
            _ = try await client.ask("hi", answerWithin: .milliseconds(50)).joined()
            XCTFail("answered")
        } catch let error as AnswerError {
            XCTAssertEqual(error.answer.outcome, .interrupted(.answerDeadline))
            XCTAssertTrue(error.isRetryable)
        }
        // What it has come to so far is told at once, and what is taken back meanwhile is never asked.
        let answer = await client.lastAnswer
        XCTAssertEqual(answer?.outcome, .interrupted(.answerDeadline))
        let never = Task { try await client.answer(to: "never") }
        never.cancel()
        do {
            _ = try await never.value
            XCTFail("answered")
        } catch is CancellationError {
        }
        let again = try await client.ask("hi").joined()
        XCTAssertEqual(again, "all of it")
        XCTAssertEqual(try server.requests.map(\.type), ["chat", "stop", "stop", "chat"])
    }

    func testAServerThatDoesNotEndWhatWasStoppedIsNotWaitedForForEver() async throws {
        let script = """
            > SEND {"token":"sk-...","id":-1}
            > SEND {"type":"chat","message":"hi"}
            < RECV {"message":"the first piece","quota":0.1,"end":false}

            """
        let server = try Loopback.serving("--script", Loopback.file(script, in: self), in: self)
        let configuration = try Configuration { $0.afterStop = .milliseconds(50) }
        let client = try await Client(server.url, auth: Auth(token: "sk-test"), configuration: configuration)
        let answer = try await client.answer(to: "hi", answerWithin: .milliseconds(50))
        XCTAssertEqual(answer.outcome, .interrupted(.answerDeadline))
        await assertThrows(.busy) { try await client.ask("hi").joined() }
        await assertThrows(.busy) { try await client.send(Request(.remove(index: 0))) }
        try await client.reconnect()
        for try await delta in client.ask("hi") {
            XCTAssertEqual(delta.text, "the first piece")
            break
        }
    }

    func testReconnectingMayFailAndBeTriedAgain() async throws {
        let server = try Loopback.serving("--pace", "0", in: self)
        let client = try await server.client()
        _ = try await client.answer(to: "hi", model: "hello")
        server.close()
        await assertThrows(.connect) { try await client.reconnect() }
        await assertThrows(.connect) { try await client.reconnect() }
        // It is there again.
        let port = try XCTUnwrap(URL(string: server.url)?.port)
        _ = try Loopback.serving("--pace", "0", "--port", "\(port)", in: self)
        try await client.reconnect()
        let text = try await client.ask("hi", model: "hello").joined()
        XCTAssertEqual(text, "Hello! How can I help?")
    }

    func testClosingInterrupts() async throws {
        let client = try await serverThatWaitsForAStop().client()
        var closed: Answer?
        do {
            for try await _ in client.ask("hi") { closed = try await client.close() }
            XCTFail("answered")
        } catch let error as AnswerError {
            guard case .interrupted(let answer, let cause) = error else { return XCTFail("\(error)") }
            XCTAssertEqual(answer.outcome, .interrupted(.closedByHost))
            XCTAssertFalse(error.isRetryable)
            XCTAssertEqual(cause?.code, .closed)
            XCTAssertEqual(answer, closed)
        }
        await assertThrows(.closed) { try await client.ask("hi").joined() }
        await assertThrows(.closed) { try await client.send(Request(.remove(index: 0))) }
        let nothing = try await client.close()
        XCTAssertNil(nothing)
    }

    func testReconnectingInterruptsAndGoesOn() async throws {
        let server = try serverThatWaitsForAStop()
        let client = try await server.client(recording: true)
        do {
            for try await _ in client.ask("hi") { try await client.reconnect() }
            XCTFail("answered")
        } catch let error as AnswerError {
            guard case .interrupted(let answer, let cause) = error else { return XCTFail("\(error)") }
            XCTAssertEqual(answer.outcome, .interrupted(.reconnected))
            XCTAssertNil(cause)
        }
        for try await delta in client.ask("hi") {
            XCTAssertEqual(delta.turn, 2)
            client.stop()
        }
        let conversation = await client.conversation
        XCTAssertEqual(conversation, .resumed(id: 1))
        XCTAssertEqual(conversation.asked, 1)
        let sent = await client.transcript?.text ?? ""
        XCTAssertTrue(sent.contains("\"id\":1"), sent)
    }

    func testRequestsThatAreNotAnswered() async throws {
        let server = try Loopback.serving("--pace", "0", in: self)
        let client = try await server.client(recording: true)
        async let text = client.ask("hi", model: "hello").joined()
        _ = try await text
        try await client.send(Request(.mask([.init(.system, "Be brief.")])))
        try await client.send(Request(.edit(index: 1, "ho")))
        try await client.send(Request(.remove(index: 0)))
        await assertThrows(.badMask) { try await client.send(Request(.mask([]))) }
        await assertThrows(.badParameters) { try await client.send(.chat("hi")) }
        await assertThrows(.badParameters) { try await client.send(Request(.stop)) }
        // So soon after an end they are held for a moment.
        var sent = ""
        while !sent.contains("\"type\":\"remove\"") {
            try await Task.sleep(for: .milliseconds(1))
            sent = await client.transcript?.text ?? ""
        }
        for kind in ["mask", "edit", "remove"] {
            XCTAssertTrue(sent.contains("\"type\":\"\(kind)\""), sent)
        }
    }

    func testWhatIsHeldIsSentBeforeTheClosing() async throws {
        let server = try Loopback.serving("--pace", "0", in: self)
        let client = try await server.client(recording: true)
        _ = try await client.answer(to: "hi", model: "hello")
        try await client.send(Request(.remove(index: 0)))
        try await client.close()
        let sent = await client.transcript?.text ?? ""
        XCTAssertTrue(sent.contains("\"type\":\"remove\""), sent)
    }

    func testEveryEventIsTold() async throws {
        let server = try Loopback.serving("--pace", "0", in: self)
        let events = Events()
        let client = try await server.client { events.add($0) }
        let answer = try await client.answer(to: "hi", model: "garbage")
        XCTAssertGreaterThan(answer.malformed, 0)
        let counters = await client.counters
        let told = events.all
        XCTAssertEqual(told.filter { if case .malformed = $0 { true } else { false } }.count, counters.malformed)
        XCTAssertEqual(told.filter { if case .opened = $0 { true } else { false } }.count, 1)
        guard case .end(let end) = told.last else { return XCTFail("\(told)") }
        XCTAssertEqual(end.answer, answer)
        let memory = await client.memory
        XCTAssertGreaterThan(memory, 0)
        let running = await client.answer
        XCTAssertNil(running)
    }

    func testARunningAnswerIsSeen() async throws {
        let client = try await serverThatWaitsForAStop().client()
        for try await _ in client.ask("hi") {
            let answer = await client.answer
            XCTAssertEqual(answer?.text, "the first piece")
            XCTAssertNil(answer?.outcome)
            let state = await client.state
            XCTAssertEqual(state, .answering)
            client.stop()
        }
    }

    func testAnIdleConnectionIsKeptAliveAndItsEndIsSeen() async throws {
        let (events, told) = AsyncStream<Event>.makeStream()
        let server = try Loopback.serving("--pace", "0", in: self)
        let configuration = try Configuration {
            $0.keepAlive = .milliseconds(1)
        }
        let client = try await Client(server.url, configuration: configuration) { told.yield($0) }
        _ = try await client.answer(to: "hi")
        for await event in events where event == .keepAlive { break }
        server.close()
        // Nobody asks: the thread finds it out by itself.
        while await client.state != .closed {
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    func testADeadlineEndsTheTurnAndNotTheConnection() async throws {
        // A deadline that no model holds: the turn is interrupted, the connection is not.
        let server = try Loopback.serving(in: self)
        let configuration = try Configuration {
            $0.firstFrame = .milliseconds(1); $0.nextFrame = .milliseconds(1)
        }
        let client = try await Client(server.url, auth: Auth(token: "sk-test"), configuration: configuration)
        do {
            _ = try await client.ask("hi", model: "silent").joined()
            XCTFail("answered")
        } catch let error as AnswerError {
            guard case .interrupted(_, let cause) = error else { return XCTFail("\(error)") }
            XCTAssertNil(cause)
        }
        var request = Request.chat("hi", model: "hello")
        request.firstFrame = .seconds(20)
        request.nextFrame = .seconds(20)
        let text = try await client.ask(request).joined()
        XCTAssertEqual(text, "Hello! How can I help?")
    }

    func testADescriptionSaysNoToken() async throws {
        let server = try Loopback.serving("--pace", "0", in: self)
        let client = try await server.client(recording: true)
        _ = try await client.ask("hi", model: "hello").joined()
        var text = ""
        dump(client, to: &text)
        text += String(reflecting: client) + "\(client)" + (await client.transcript?.text ?? "")
        XCTAssertFalse(text.contains("sk-test"), text)
    }
}

extension Client {
    /// Runs `body` as the actor's own code runs.
    func onItsThread(_ body: @Sendable () -> Void) { body() }
}

/// Fails unless `body` throws a `CancellationError`.
func assertCancelled<T>(
    file: StaticString = #filePath, line: UInt = #line, _ body: () async throws -> T
) async {
    do {
        let value = try await body()
        XCTFail("\(value) came", file: file, line: line)
    } catch is CancellationError {
    } catch {
        XCTFail("\(error) was thrown", file: file, line: line)
    }
}

/// Events from a client's thread.
final class Events: @unchecked Sendable {
    private let lock = NSLock()
    private var events: [Event] = []

    func add(_ event: Event) {
        lock.withLock { events.append(event) }
    }

    var all: [Event] { lock.withLock { events } }
}
