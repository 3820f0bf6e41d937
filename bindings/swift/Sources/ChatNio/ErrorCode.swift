// Made of ffi/include/chatnio.h by ffi/tests/header/swift.rs: do not edit.

import CChatNio

extension ChatNioError {
    /// The kinds of errors: every status of the library.
    public enum Code: Int32, Sendable, CaseIterable, CustomStringConvertible {
        // Not now, or not there: nothing is wrong.

        /// There is nothing, or it did not come in time. Never thrown: calls answer nil instead.
        case again = 4001
        /// A signal came while waiting. Never thrown: the client waits on.
        case interrupted = 4002
        /// A turn runs, and the server takes nothing but a stop. The same request is fine after the turn's end.
        case busy = 4003
        /// Input waits for its events to be taken, and more than may be held was added: take the events first. Nothing
        /// of it was taken.
        case undrained = 4004
        /// What was asked for is not there. Seldom thrown: calls answer nil instead.
        case absent = 4005
        /// What was requested before is not sent yet, and is over the limit (four times
        /// ``Configuration/Settings/maxRequest``). The same request is fine once that went out.
        case unsent = 4006

        // The call cannot be: correct it. Nothing has changed.

        /// An argument cannot be.
        case invalid = 4101
        /// A text is not UTF-8. Swift's always are.
        case notUTF8 = 4102
        /// The configuration is in use, and cannot be changed any more. Swift's are never changed.
        case frozen = 4103
        /// The URL is not one of a chat server.
        case badURL = 4104
        /// A handshake header's name or value is not allowed.
        case badHeader = 4105
        /// A root certificate cannot be read, or none is given where only given ones count.
        case badRoots = 4106
        /// The transcript cannot be read: the message says in which line.
        case badTranscript = 4107
        /// The token is empty. To ask without an account there is ``Auth/anonymous``.
        case emptyToken = 4108
        /// Conversation ids are positive.
        case badConversation = 4109
        /// A token must not go over plain ws:// to a host that is not loopback.
        case plainToken = 4110
        /// The question is empty or only white space: it would never be answered.
        case emptyMessage = 4111
        /// The share's hash is empty.
        case emptyShare = 4112
        /// A mask has at least one message.
        case badMask = 4113
        /// A parameter is NaN or infinite.
        case notFinite = 4114
        /// The request takes no such parameter, or is not for this call.
        case badParameters = 4115
        /// The request or the authentication is over the limit on what is sent.
        case requestTooLong = 4116
        /// There is no question to answer again: none was asked in this session, and it continues no conversation.
        case nothingToRestart = 4117
        /// The client was given its socket. Not with this package's client, which connects its own.
        case givenSocket = 4118
        /// The URL is not one of a proxy: `http`, `socks5` or `socks5h`.
        case badProxy = 4119
        /// The client's certificate or its key cannot be used.
        case badCertificate = 4120
        /// The token holds what no HTTP header can carry: a line's end, a space, something outside of ASCII. Only of
        /// companion calls.
        case badToken = 4121
        /// The name of an extra field is one of the protocol's own, which has a property.
        case knownField = 4122
        /// The value of an extra field is not one whole JSON value.
        case badExtra = 4123

        // In events: a message that could not be read.

        /// In an event: a message could not be read. It was skipped and counted; turn and session go on.
        case malformed = 4201
        /// In an event: a message was over the limit. It was skipped and counted.
        case messageTooLong = 4202

        // A companion call has no result.

        /// The server does not know the key (HTTP 401).
        case restBadKey = 4301
        /// The call needs a key: there was none, or a login token that has run out.
        case restNoKey = 4302
        /// The server refuses this address for some 20 minutes, good keys too, after too many wrong ones.
        case restBlackListed = 4303
        /// Too many calls in one second from this address: wait one.
        case restThrottled = 4304
        /// There is no such conversation, share or code, or it is somebody else's.
        case restNotFound = 4305
        /// The server refuses, for a reason of its own.
        case restRefused = 4306
        /// The server has no such call: it is too old for it, or the prefix is wrong.
        case restNoSuchCall = 4307
        /// A web page came in place of an answer: the prefix is wrong, and often `/api`.
        case restWebPage = 4308
        /// Another HTTP status came, from the server or from something before it. Redirects are not followed.
        case restHTTP = 4309
        /// The answer cannot be read.
        case restMalformed = 4310

        // The connection is over.

        /// The session or connection was closed by this side.
        case closed = 4901
        /// The server closed the connection in an orderly way.
        case closedByServer = 4902
        /// The server ended the stream without a WebSocket Close.
        case endOfStream = 4903
        /// The encrypted stream was cut: whoever did it, it need not have been the server.
        case truncated = 4904
        /// The socket failed.
        case io = 4905
        /// Nothing came for long, not even in answer to a ping: the connection is dead.
        case unresponsive = 4906
        /// The server did not answer the closing in time.
        case closeTimeout = 4907
        /// The server broke the protocol of WebSocket or of the chat.
        case `protocol` = 4908
        /// The server sent text that is not UTF-8.
        case serverNotUTF8 = 4909
        /// The server sent a message over the limit, which a connection cannot skip.
        case oversized = 4910

        // The connection could not be made.

        /// The host's name cannot be looked up.
        case resolve = 4921
        /// No address of the host can be connected to.
        case connect = 4922
        /// Name look-up and connect took too long.
        case connectTimeout = 4923
        /// The TLS or WebSocket handshake took too long.
        case handshakeTimeout = 4924
        /// The server, or a gateway or a proxy before it (HTTP 429), throttles this address: wait before the next
        /// connection.
        case throttled = 4925
        /// The server answered with a refusal of its own instead of opening the WebSocket.
        case refused = 4926
        /// The server answered with another HTTP status than 101 (429 and 502 to 504 have statuses of their own); no
        /// redirect is followed.
        case http = 4927
        /// The server's WebSocket handshake is wrong.
        case upgrade = 4928
        /// The server does not speak HTTP/1.1.
        case badHTTP = 4929
        /// A gateway, or a proxy, answered that the server behind it is away or overloaded (HTTP 502, 503 or 504): try
        /// again later.
        case unavailable = 4930
        /// Nobody trusted signed the server's certificate.
        case tlsUnknownIssuer = 4931
        /// The server's certificate is for other names.
        case tlsWrongName = 4932
        /// The server's certificate has expired.
        case tlsExpired = 4933
        /// The server's certificate is not valid yet.
        case tlsNotYetValid = 4934
        /// The server's certificate is wrong in another way.
        case tlsCertificate = 4935
        /// What came is not TLS.
        case tlsNotTLS = 4936
        /// The machine has no usable root certificates, and no others were given.
        case tlsNoRoots = 4937
        /// TLS failed in another way.
        case tls = 4938
        /// The server wants a client certificate, and none was given.
        case tlsClientCertificate = 4939
        /// The proxy wants a user name and a password, or others (HTTP 407 is one of these).
        case proxyAuth = 4941
        /// The proxy refused, or could not reach the server.
        case proxyRefused = 4942
        /// What answered is not such a proxy.
        case notAProxy = 4943
        /// The system gave no random bytes, which every connection needs.
        case noRandom = 4951
        /// The operating system refused something else, such as a thread or a socket option.
        case system = 4952
        /// The library failed in itself, which is a bug. Nothing works any more on what it happened to; the message
        /// says what and where.
        case panic = 4999

        /// The status's name in the C library, such as `CHATNIO_BUSY`.
        public var description: String { String(cString: chatnio_status_name(rawValue)) }
    }
}
