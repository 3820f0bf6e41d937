import CChatNio

/// The thread of a client: it has the blocking client of the library, runs the actor's jobs, and carries the turns out,
/// one after the other.
final class ClientThread: SerialExecutor, @unchecked Sendable {
    // Sendable: who may touch what is said below.

    /// How long a wait for the server may keep the actor's jobs waiting. The library looks up as often.
    private static let tick: Int32 = 100
    /// How often the connection is looked at while nothing is asked: pings, keep-alives, an end.
    private static let idle = Duration.seconds(1)
    /// How many events are taken before the actor's jobs have their turn.
    private static let batch = 64
    /// How long to look after a request that has no answer: servers lose one that comes right after an end, so the library
    /// holds it for 0.25 s.
    private static let settle = Duration.milliseconds(300)

    // From any thread.
    private let stopper: Stopper
    private let onEvent: (@Sendable (Event) -> Void)?
    // Its clock and key log, which the library may call as long as the client lives.
    private let configuration: Configuration?

    // Guarded by the monitor.
    private let monitor = Monitor()
    private var jobs: [UnownedJob] = []
    private var waiting: [Work] = []
    private var running: Turn?
    private var isEnding = false

    // On the thread alone.
    private let client: Handle
    private(set) var lastAnswer: Answer?
    /// How the connection has ended, once it is over.
    private var over: ChatNioError?
    /// When the connection is to be looked at, though nothing is asked.
    private var nextLook = ContinuousClock.now
    /// Until when a request may be held.
    private var settled = ContinuousClock.now
    /// Until when what is asked next waits for the server's end of an answer that was interrupted and stopped; nil for as long
    /// as it takes.
    private var drained: ContinuousClock.Instant? = .now

    /// What waits for its turn.
    private enum Work {
        case turn(Turn)
        /// What sends a request, as a turn does.
        case request(@Sendable (ClientThread) -> Void)
        case other(@Sendable (ClientThread) -> Void)

        var sends: Bool {
            if case .other = self { false } else { true }
        }

        var turn: Turn? {
            if case .turn(let turn) = self { turn } else { nil }
        }
    }

    /// What the thread does next.
    private enum Step {
        case jobs([UnownedJob])
        case work(Work)
        case advance(Int32)
    }

    /// Connects, on a thread that then serves the client.
    static func connected(
        to url: String, auth: Auth, configuration: Configuration?, onEvent: (@Sendable (Event) -> Void)?
    ) async throws -> ClientThread {
        let stopper = try Stopper()
        let waiting = Waiting<Result<ClientThread, any Error>>()
        return try await withTaskCancellationHandler {
            try await waiting.value {
                do {
                    try startThread {
                        let made = Result { try ClientThread(url, auth, configuration, stopper, onEvent) }
                        if waiting.give(made) {
                            try? made.get().run()
                        }
                    }
                } catch {
                    waiting.give(.failure(error))
                }
            }.get()
        } onCancel: {
            // Once there is a client it is the caller's.
            if waiting.give(.failure(CancellationError())) {
                stopper.close()
            }
        }
    }

    private init(
        _ url: String, _ auth: Auth, _ configuration: Configuration?, _ stopper: Stopper,
        _ onEvent: (@Sendable (Event) -> Void)?
    ) throws {
        client = try auth.use { auth in
            try Configuration.use(configuration) { configuration in
                try Handle(free: chatnio_client_free, lastError: chatnio_client_error) { out, error in
                    stopper.use { stopper in
                        url.withText {
                            chatnio_client_new_with_stopper(configuration, auth, $0, $1, stopper, out, error)
                        }
                    }
                }
            }
        }
        self.stopper = stopper
        self.configuration = configuration
        self.onEvent = onEvent
    }
}

// From any thread.
extension ClientThread {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        monitor.locked {
            jobs.append(job)
            monitor.wake()
        }
    }

    /// Has a turn carried out, behind those that wait already; but not for a task that is cancelled.
    func begin(_ turn: Turn) {
        guard turn.request.beginsTurn else {
            drop(turn, for: ChatNioError(.badParameters, "only a chat or a restart has an answer: send the others"))
            return
        }
        if Task.isCancelled {
            drop(turn, for: CancellationError())
            return
        }
        monitor.locked {
            if turn.progress == .waiting {
                enqueue(.turn(turn))
            }
        }
    }

    /// Has something done on the thread, when all that waits already is over.
    func whenIdle(_ work: @escaping @Sendable (ClientThread) -> Void) {
        monitor.locked { enqueue(.other(work)) }
    }

    /// Has a request sent by `work`, when all that waits already is over.
    func whenQuiet(_ work: @escaping @Sendable (ClientThread) -> Void) {
        monitor.locked { enqueue(.request(work)) }
    }

    /// Under the lock.
    private func enqueue(_ work: Work) {
        waiting.append(work)
        monitor.wake()
    }

    /// Stops a turn that nobody waits for any more, or never sends it.
    func leave(_ turn: Turn) {
        if !drop(turn, for: CancellationError()) {
            _ = monitor.locked { stop(turn) }
        }
    }

    /// Stops the turn that runs, or never sends the one that is to be the next.
    func stop() -> Bool {
        let (next, isStopped) = monitor.locked {
            guard let turn = running ?? waiting.lazy.compactMap(\.turn).first else { return (nil as Turn?, false) }
            if withdraw(turn) { return (turn, true) }
            return (nil, stop(turn))
        }
        next?.onEnd(.failure(CancellationError()))
        return isStopped
    }

    /// Ends a turn that was not sent, and never will be.
    ///
    /// - Returns: false when it is too late for that.
    @discardableResult
    private func drop(_ turn: Turn, for error: any Error) -> Bool {
        let isDropped = monitor.locked { withdraw(turn) }
        if isDropped {
            turn.onEnd(.failure(error))
        }
        return isDropped
    }

    /// Under the lock: has it never sent, unless it is too late. Who calls this gives the turn its end.
    private func withdraw(_ turn: Turn) -> Bool {
        guard turn.progress == .waiting else { return false }
        turn.progress = .dropped
        waiting.removeAll { $0.turn === turn }
        return true
    }

    /// Under the lock, so that the stop reaches no other turn: this one runs, or goes out just now and is stopped then.
    private func stop(_ turn: Turn) -> Bool {
        guard turn === running, turn.progress != .dropped, !turn.isUnwanted else { return false }
        turn.isUnwanted = true
        if turn.progress == .sent {
            stopper.stop()
        }
        return true
    }

    /// The client is gone: closes the connection, and ends the thread, when all that was asked is over.
    func end() {
        monitor.locked {
            isEnding = true
            monitor.wake()
        }
    }
}

// On the thread.
extension ClientThread {
    private func run() {
        while let step = nextStep() {
            switch step {
            case .jobs(let jobs):
                for job in jobs {
                    job.runSynchronously(on: asUnownedSerialExecutor())
                }
            case .work(.turn(let turn)): carryOut(turn)
            case .work(.request(let work)), .work(.other(let work)): work(self)
            case .advance(let milliseconds): advance(milliseconds)
            }
        }
        _ = try? close()
    }

    private func nextStep() -> Step? {
        monitor.locked {
            while true {
                if !jobs.isEmpty {
                    defer { jobs = [] }
                    return .jobs(jobs)
                }
                if running != nil {
                    return .advance(Self.tick)
                }
                if let next = waiting.first {
                    if next.sends, isDraining {
                        return .advance(Self.tick)
                    }
                    waiting.removeFirst()
                    running = next.turn
                    return .work(next)
                }
                if isEnding {
                    return nil
                }
                let rest = over == nil ? nextLook - .now : .seconds(3600)
                if rest <= .zero {
                    return .advance(0)
                }
                monitor.wait(atMost: rest)
            }
        }
    }

    /// Whether the server has yet to end an answer that was interrupted, and is given the time for it. Then it is too late for
    /// that, and who asks is told so.
    private var isDraining: Bool {
        state == .draining && drained.map { .now < $0 } ?? true
    }

    /// Sends a turn's request, unless it was dropped until the very last.
    private func carryOut(_ turn: Turn) {
        do {
            try turn.request.use { request in
                let isWanted = monitor.locked {
                    guard turn.progress == .waiting else { return false }
                    turn.progress = .sending
                    return true
                }
                guard isWanted else {
                    detach()
                    return
                }
                try client.call { chatnio_client_request($0, request) }
                monitor.locked {
                    turn.progress = .sent
                    if turn.isUnwanted {
                        stopper.stop()
                    }
                }
            }
        } catch {
            let isDropped = monitor.locked {
                defer { turn.progress = .dropped }
                return turn.progress == .dropped
            }
            detach()
            if !isDropped {
                turn.onEnd(.failure(withEnd(error)))
            }
        }
    }

    /// Waits for one event, and passes it on with those that are there already: who reads the pieces is woken for all of
    /// them once.
    private func advance(_ milliseconds: Int32) {
        nextLook = .now + (.now < settled ? .milliseconds(Self.tick) : Self.idle)
        var deltas: [Delta] = []
        do {
            for number in 0..<Self.batch {
                let wait = number == 0 ? milliseconds : 0
                let event = try Event.filled { event in
                    try client.call(unless: .again, .interrupted) { chatnio_client_next($0, wait, event) }
                }
                guard let event else { break }
                // There may be more.
                nextLook = .now
                onEvent?(event)
                if case .delta(let delta) = event, !delta.text.isEmpty {
                    deltas.append(delta)
                } else if case .end(let end) = event {
                    hand(&deltas)
                    finish(with: end)
                    return
                }
            }
            hand(&deltas)
        } catch {
            hand(&deltas)
            let error = withEnd(error)
            over = error as? ChatNioError
            // A turn ends before its connection does, unless the library has a bug.
            finish(.failure(error))
        }
    }

    /// Passes the pieces on that have come.
    private func hand(_ deltas: inout [Delta]) {
        if !deltas.isEmpty {
            running?.onDeltas(deltas)
            deltas.removeAll(keepingCapacity: true)
        }
    }

    /// A turn has ended. What ended the connection, if that was it, is told to who waits.
    private func finish(with end: End) {
        if let delta = end.delta {
            running?.onDeltas([delta])
        }
        let answer = end.answer
        lastAnswer = answer
        let turn = detach()
        if case .interrupted = answer.outcome, over == nil {
            let afterStop = configuration?.afterStop ?? Configuration.Settings.usualAfterStop
            drained = afterStop == .zero ? nil : .now + afterStop
            advance(0)
        }
        turn?.onEnd(.success((answer, over)))
    }

    private func finish(_ result: Result<(Answer, ChatNioError?), any Error>) {
        detach()?.onEnd(result)
    }

    @discardableResult
    private func detach() -> Turn? {
        monitor.locked {
            defer { running = nil }
            return running
        }
    }

    /// Sends a request.
    func send(_ request: Request) throws {
        do {
            try request.use { request in
                _ = try client.call { chatnio_client_request($0, request) }
            }
        } catch {
            throw withEnd(error)
        }
        settled = .now + Self.settle
        nextLook = .now
    }

    func reconnect() throws -> Answer? {
        over = nil
        nextLook = .now
        return try ended { chatnio_client_reconnect($0, $1) }
    }

    func close() throws -> Answer? {
        try ended { chatnio_client_close($0, $1) }
    }

    /// Does what ends a running turn.
    private func ended(
        by body: (OpaquePointer, UnsafeMutablePointer<chatnio_event>) -> Int32
    ) throws -> Answer? {
        do {
            let event = try Event.filled { event in try client.call { body($0, event) } }
            guard case .end(let end) = event else { return nil }
            onEvent?(.end(end))
            finish(with: end)
            return end.answer
        } catch {
            throw withEnd(error)
        }
    }

    /// What was thrown, with how the connection ended, if that is over.
    private func withEnd(_ error: any Error) -> any Error {
        guard let error = error as? ChatNioError, error.isFatal else { return error }
        return client.use { client in
            error.withEnd(
                code: { chatnio_client_end_code(client, $0) },
                refusal: Refusal(
                    part: { chatnio_client_refusal(client, $0, $1) },
                    retryAfter: { chatnio_client_retry_after(client, $0) }))
        }
    }

    var state: State { client.use { client in State { chatnio_client_state(client, $0) } } }

    var answer: Answer? { client.use { client in Answer.shown { chatnio_client_answer(client, $0) } } }

    var conversation: Conversation {
        client.use { client in Conversation { chatnio_client_conversation(client, $0) } }
    }

    var counters: Counters { client.use { client in Counters { chatnio_client_counters(client, $0) } } }

    var memory: Int {
        client.use { client in
            var bytes = 0
            _ = chatnio_client_memory(client, &bytes)
            return bytes
        }
    }

    var tls: TLS? {
        client.use { client in
            TLS(
                agreed: { chatnio_client_tls(client, $0, $1) },
                certificate: { chatnio_client_tls_certificate(client, $0, $1) })
        }
    }

    var transcript: Transcript? {
        client.use { client in Transcript.recorded { chatnio_client_transcript(client, $0) } }
    }
}
