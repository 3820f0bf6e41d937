/// A client that connects by itself. It has one thread of its own, on which its connection lives.
///
/// ```swift
/// let client = try await Client("wss://api.chatnio.net", auth: Auth(token: "sk-..."))
/// for try await delta in client.ask("hi") {
///     print(delta, terminator: "")
/// }
/// ```
///
/// It asks one question at a time, as the server does; more wait, in the order in which they were asked. Behind an answer that
/// was interrupted by a deadline or a limit, and so stopped, they wait for the server's end of it, at most
/// ``Configuration/Settings/afterStop``: what is asked then is refused, as ``ChatNioError/Code/busy``, until it comes or
/// ``reconnect()`` has connected anew. Cancelling the
/// task that reads a stream, or leaving a `for try await ... in client.ask(...)` before its end (by `break`, by an error),
/// stops the answer at the server, so that nobody pays for text that was thrown away; what it cost ``lastAnswer`` knows.
/// While nothing is asked, the connection is kept alive.
///
/// A client that nobody holds any more carries out what was asked, says goodbye and closes its connection.
public actor Client {
    private nonisolated let thread: ClientThread

    /// The client's own thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// Connects, and waits until the WebSocket is open. Cancelling the task ends the wait at once, and the attempt within
    /// a moment.
    ///
    /// - Parameters:
    ///   - url: as in ``Connection/init(_:auth:configuration:now:)``.
    ///   - auth: who asks.
    ///   - configuration: deadlines, limits, trust; nil is the defaults.
    ///   - onEvent: gets every event of turns, strays and malformed messages too, on the client's thread, which it must
    ///     not hold up. That the connection is lost is none: who asks is told, and ``state`` says so.
    /// - Throws: ``ChatNioError``: those of ``Connection/init(_:auth:configuration:now:)``, and why it could not be made:
    ///   ``ChatNioError/Code/connect``, ``ChatNioError/Code/throttled``, ``ChatNioError/Code/tlsUnknownIssuer``, ...;
    ///   `CancellationError`.
    public init(
        _ url: String, auth: Auth = .anonymous, configuration: Configuration? = nil,
        onEvent: (@Sendable (Event) -> Void)? = nil
    ) async throws {
        thread = try await ClientThread.connected(to: url, auth: auth, configuration: configuration, onEvent: onEvent)
    }

    deinit {
        thread.end()
    }

    /// Asks a question, and streams the answer: see ``ask(_:)-(Request)``.
    ///
    /// - Parameters:
    ///   - question: the question.
    ///   - model: the model that is asked; nil is the server's default.
    ///   - answerWithin: as ``Request/answerWithin``.
    public nonisolated func ask(
        _ question: String, model: String? = nil, answerWithin: Duration? = nil
    ) -> DeltaStream {
        ask(.chat(question, model: model, answerWithin: answerWithin))
    }

    /// Asks, by a chat or a restart, and streams the answer: its pieces as they come, none of them empty, none ever
    /// dropped.
    ///
    /// A stream has one reader: that two tasks wait for it at the same time is a programming error, which ends the
    /// program. The answer is stopped when the reader's task is cancelled, or when the last
    /// copy of the stream and of its iterator is gone. Leaving the loop lets go of them where it is written
    /// `for try await delta in client.ask(...)`; a stream in a variable goes on until that variable is gone, unless
    /// ``stop()`` is called.
    ///
    /// - Returns: a stream that ends when the answer is complete or was stopped, also because its reader's task was
    ///   cancelled: ask `Task.isCancelled` where a part must not pass for the whole. Otherwise it throws, when it has given
    ///   all that came: ``AnswerError`` when the server answered instead of the model, or the answer was interrupted;
    ///   ``ChatNioError`` when the request could not be sent; `CancellationError` when the task was cancelled, or
    ///   ``stop()`` was called, before it was sent: then it never is.
    public nonisolated func ask(_ request: Request) -> DeltaStream {
        let pieces = Pieces()
        let turn = Turn(request) {
            pieces.add($0)
        } onEnd: { result in
            do {
                let (answer, cause) = try result.get()
                pieces.finish(throwing: AnswerError(answer, cause: cause))
            } catch {
                pieces.finish(throwing: error)
            }
        }
        let stream = DeltaStream(pieces) { [thread, weak turn] in
            if let turn {
                thread.leave(turn)
            }
        }
        thread.begin(turn)
        return stream
    }

    /// Asks the last question again, with these parameters, and streams the answer: see ``ask(_:)-(Request)``.
    ///
    /// - Parameters:
    ///   - model: the model that is asked; nil is the server's default.
    ///   - answerWithin: as ``Request/answerWithin``.
    public nonisolated func restart(model: String? = nil, answerWithin: Duration? = nil) -> DeltaStream {
        ask(.restart(model: model, answerWithin: answerWithin))
    }

    /// Asks, by a chat or a restart, and waits for the whole answer, whatever its outcome. Cancelling the task stops the
    /// answer, which is then what has come.
    ///
    /// - Throws: ``ChatNioError`` when the request could not be sent; `CancellationError` when the task was cancelled, or
    ///   ``stop()`` was called, before it was sent: then it never is.
    public nonisolated func answer(to request: Request) async throws -> Answer {
        let waiting = Waiting<Result<Answer, any Error>>()
        let turn = Turn(request) { result in
            waiting.give(result.map { $0.0 })
        }
        return try await withTaskCancellationHandler {
            try await waiting.value { thread.begin(turn) }.get()
        } onCancel: {
            thread.leave(turn)
        }
    }

    /// Asks a question, and waits for the whole answer: see ``answer(to:)-(Request)``.
    ///
    /// - Parameters:
    ///   - question: the question.
    ///   - model: the model that is asked; nil is the server's default.
    ///   - answerWithin: as ``Request/answerWithin``.
    public nonisolated func answer(
        to question: String, model: String? = nil, answerWithin: Duration? = nil
    ) async throws -> Answer {
        try await answer(to: .chat(question, model: model, answerWithin: answerWithin))
    }

    /// The answer of the turn that ended last, whatever its outcome: what a stream that was left has cost, for instance.
    /// Waits for the end of all that was asked before, cancelled or not; nil when nothing was. Where several questions
    /// wait that is the last one's: the end of each, with its answer, comes to `onEvent`.
    public nonisolated var lastAnswer: Answer? {
        get async {
            let waiting = Waiting<Answer?>()
            return await waiting.value {
                thread.whenIdle { thread in waiting.give(thread.lastAnswer) }
            }
        }
    }

    /// Stops the answer that runs, at once, from anywhere: its end comes to who reads it. A question that is about to be
    /// asked is never sent instead: who reads it gets a `CancellationError`.
    ///
    /// - Returns: whether there was one to be stopped.
    @discardableResult
    public nonisolated func stop() -> Bool {
        thread.stop()
    }

    /// Sends a request that is not answered: a share, a mask, an edit or a remove; behind what was asked before. Cancelling
    /// the task does not take it back.
    ///
    /// - Throws: ``ChatNioError``, after which nothing has changed: see ``Session/request(_:now:)-(Request,_)``;
    ///   ``ChatNioError/Code/badParameters`` for a request that is answered, which is for ``ask(_:)-(Request)``, and for
    ///   a stop, which would wait for the end of what it is to stop: that is ``stop()``.
    public nonisolated func send(_ request: Request) async throws {
        if request.beginsTurn {
            throw ChatNioError(.badParameters, "a chat or a restart has an answer: ask for it")
        }
        if case .stop = request.kind {
            throw ChatNioError(.badParameters, "a stop would wait for what it is to stop: call stop()")
        }
        let waiting = Waiting<Result<Void, any Error>>()
        try await waiting.value {
            thread.whenQuiet { thread in
                waiting.give(Result { try thread.send(request) })
            }
        }.get()
    }

    /// Connects anew to the same URL, and continues the conversation that the server opened. Works in any state. What
    /// waited to be asked is asked then. Turn numbers and counters go on, a recording starts afresh.
    ///
    /// What the server loads is what it saved last: the question, perhaps not the answer.
    ///
    /// It cannot be cancelled, and holds the actor up for as long as connecting may take
    /// (``Configuration/Settings/connect`` and ``Configuration/Settings/handshake``).
    ///
    /// - Returns: the answer that ran, interrupted, if one did; who reads it gets it too.
    /// - Throws: why it could not be made; it may be tried again.
    @discardableResult
    public func reconnect() throws -> Answer? {
        try thread.reconnect()
    }

    /// Closes the connection in an orderly way, within ``Configuration/Settings/close``. Afterwards only
    /// ``reconnect()`` works.
    ///
    /// - Returns: the answer that ran, interrupted, if one did; who reads it gets it too.
    /// - Throws: how the connection was lost instead, if it was and nothing ran.
    @discardableResult
    public func close() throws -> Answer? {
        try thread.close()
    }

    /// What the session is doing.
    public var state: State { thread.state }

    /// The running turn's answer so far; nil when no turn runs.
    public var answer: Answer? { thread.answer }

    /// Which conversation the connection is in, as far as the server has said.
    public var conversation: Conversation { thread.conversation }

    /// What the session has counted.
    public var counters: Counters { thread.counters }

    /// About how many bytes the client holds: see ``Connection/memory``.
    public var memory: Int { thread.memory }

    /// What TLS has agreed on; nil without TLS.
    public var tls: TLS? { thread.tls }

    /// What was sent and received so far, without tokens; nil unless ``Configuration/Settings/record`` is on. Of this
    /// connection: a reconnect begins a new one.
    public var transcript: Transcript? { thread.transcript }
}
