import ChatNio

/// A connection and its server, both in memory, and the bytes between them.
final class Link {
    let peer: Peer
    let connection: Connection
    /// Not 0, so that a deadline without its start shows.
    var now = Duration.seconds(1000)
    /// How many bytes the server has sent.
    private(set) var received = 0
    /// How the server's bytes are split.
    var split = Split.whole
    /// How many events are got at once; 0 gets them one by one.
    var batch = 0
    /// What gets them.
    var onEvent: (Event) -> Void = { _ in }

    enum Split {
        case whole
        case byteByByte
        /// Behind so many bytes, in rising order.
        case at([Int])
    }

    init(
        tls: Bool = false, transcript: String? = nil, auth: Auth = .anonymous,
        _ change: (inout Configuration.Settings) -> Void = { _ in }
    ) throws {
        let peer = Peer(tls: tls, transcript: transcript)
        let configuration = try Configuration { settings in
            if tls {
                settings.trust = .addedOnly
                settings.rootsPEM = [peer.root]
            }
            change(&settings)
        }
        self.peer = peer
        let url = tls ? "wss://localhost/chat" : "ws://localhost/chat"
        connection = try Connection(url, auth: auth, configuration: configuration, now: now)
    }

    private func takeEvents() throws {
        if batch == 0 {
            while let event = try connection.nextEvent() {
                onEvent(event)
            }
        } else {
            var events: [Event]
            repeat {
                events = try connection.nextEvents(upTo: batch)
                events.forEach(onEvent)
            } while events.count == batch
        }
    }

    /// Gives the connection bytes of the server.
    private func deliver(_ bytes: UnsafeBufferPointer<UInt8>) throws {
        func give(_ range: Range<Int>) throws {
            try connection.receive(UnsafeBufferPointer(rebasing: bytes[range]), now: now)
            try takeEvents()
        }
        let cuts: [Int] =
            switch split {
            case .whole: []
            case .byteByByte: Array(1..<max(bytes.count, 1))
            case .at(let cuts): cuts.map { $0 - received }.filter { (1..<max(bytes.count, 1)).contains($0) }
            }
        var from = 0
        for to in cuts + [bytes.count] where to > from {
            try give(from..<to)
            from = to
        }
        received += bytes.count
    }

    /// Moves bytes both ways, and gets events, until nothing is left to move.
    func exchange() throws {
        var isIdle = false
        while !isIdle {
            isIdle = true
            try takeEvents()
            while try connection.transmit({
                peer.receive($0, now: now.milliseconds); return $0.count
            }) {
                isIdle = false
            }
            while try peer.transmit(deliver) {
                isIdle = false
            }
        }
    }
}

extension Duration {
    var milliseconds: UInt64 {
        UInt64(components.seconds) * 1000 + UInt64(components.attoseconds / 1_000_000_000_000_000)
    }
}
