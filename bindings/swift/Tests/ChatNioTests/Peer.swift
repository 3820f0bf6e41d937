import CChatNio
import CChatNioTesting
import ChatNio

/// A server's end of one connection, in memory.
final class Peer {
    private let peer: OpaquePointer

    /// - Parameter transcript: what it plays; nil is its fake models.
    init(tls: Bool = false, transcript: String? = nil) {
        var script: OpaquePointer?
        if let transcript {
            precondition(chatnio_transcript_parse(transcript, transcript.utf8.count, &script, nil) == 0)
        }
        var peer: OpaquePointer?
        precondition(chatnio_peer_new(0, tls, script, &peer, nil) == 0)
        chatnio_transcript_free(script)
        self.peer = peer!
    }

    deinit {
        chatnio_peer_free(peer)
    }

    /// The root certificate to trust.
    var root: String {
        var pem = chatnio_text()
        precondition(chatnio_peer_ca_pem(peer, &pem) == 0)
        return String(decoding: UnsafeRawBufferPointer(start: pem.data, count: pem.len), as: UTF8.self)
    }

    func receive(_ bytes: UnsafeRawBufferPointer, now: UInt64) {
        let bytes = bytes.assumingMemoryBound(to: UInt8.self)
        precondition(chatnio_peer_receive(peer, now, bytes.baseAddress, bytes.count) == 0)
    }

    func send(_ message: String) {
        precondition(chatnio_peer_send(peer, message, message.utf8.count) == 0)
    }

    func handleTimeout(now: UInt64) {
        precondition(chatnio_peer_handle_timeout(peer, now) == 0)
    }

    func cut() {
        precondition(chatnio_peer_cut(peer) == 0)
    }

    /// What it waits for.
    var wants: (deadline: UInt64, isFinished: Bool) {
        var wants = chatnio_wants()
        wants.size = MemoryLayout<chatnio_wants>.stride
        precondition(chatnio_peer_wants(peer, &wants) == 0)
        return (wants.deadline, wants.finished)
    }

    /// Hands out what it sends, if there is something.
    func transmit(_ take: (UnsafeBufferPointer<UInt8>) throws -> Void) rethrows -> Bool {
        var bytes = chatnio_bytes()
        guard chatnio_peer_transmit(peer, &bytes) == 0 else { return false }
        try take(UnsafeBufferPointer(start: bytes.data, count: bytes.len))
        precondition(chatnio_peer_transmitted(peer, bytes.len) == 0)
        return true
    }
}

/// How many handles of the library are alive.
var liveHandles: Int { chatnio_testing_live_handles() }

/// Makes the next call on this thread panic inside.
func panicNext() { chatnio_testing_panic_next() }
