//! What every function answers.

use std::ffi::{CStr, c_char};

/// What functions answer, as `int32_t`. A minor version may add more: treat an unknown one by
/// `chatnio_status_is_fatal()`.
///
/// Below 4900 the handle is as it was before the call, and may be used on. From 4900 on (the fatal band) the
/// connection is over or could not be made: nothing more comes from the handle before it reconnects.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum chatnio_status {
    /// Done.
    CHATNIO_OK = 0,

    /// There is nothing (no event, nothing to send, nothing due), or it did not come in time. Call again later.
    CHATNIO_AGAIN = 4001,
    /// A signal came while waiting. Nothing is lost: call again.
    CHATNIO_INTERRUPTED = 4002,
    /// A turn runs, and the server takes nothing but a stop. The same request is fine after the turn's end.
    CHATNIO_BUSY = 4003,
    /// Input waits for its events to be taken, and more than may be held was added: take the events until
    /// `CHATNIO_AGAIN` first. Nothing of it was taken.
    CHATNIO_UNDRAINED = 4004,
    /// What was asked for is not there: a field, a running turn, a recording.
    CHATNIO_ABSENT = 4005,
    /// What was requested before is not sent yet, and is over the limit (`chatnio_config_set_max_request()`). The
    /// same request is fine once that went out.
    CHATNIO_UNSENT = 4006,

    /// An argument cannot be: NULL where it must not be, NULL with a length, a size of no version, an unknown
    /// constant, more bytes transmitted than were handed out.
    CHATNIO_INVALID = 4101,
    /// A text is not UTF-8.
    CHATNIO_NOT_UTF8 = 4102,
    /// The configuration is in use, and cannot be changed any more.
    CHATNIO_FROZEN = 4103,
    /// The URL is not one of a chat server.
    CHATNIO_BAD_URL = 4104,
    /// A handshake header's name or value is not allowed.
    CHATNIO_BAD_HEADER = 4105,
    /// A root certificate cannot be read, or none is given where only given ones count.
    CHATNIO_BAD_ROOTS = 4106,
    /// The transcript cannot be read: the error's text says in which line.
    CHATNIO_BAD_TRANSCRIPT = 4107,
    /// The token is empty. To ask without an account, give no authentication or the token "anonymous".
    CHATNIO_EMPTY_TOKEN = 4108,
    /// Conversation ids are positive; -1 starts a new one.
    CHATNIO_BAD_CONVERSATION = 4109,
    /// A token must not go over plain ws:// to a host that is not loopback.
    CHATNIO_PLAIN_TOKEN = 4110,
    /// The question is empty or only white space: it would never be answered.
    CHATNIO_EMPTY_MESSAGE = 4111,
    /// The share's hash is empty.
    CHATNIO_EMPTY_SHARE = 4112,
    /// A mask is a non-empty JSON array of {"role":"system|user|assistant","content":"..."}.
    CHATNIO_BAD_MASK = 4113,
    /// A parameter is NaN or infinite.
    CHATNIO_NOT_FINITE = 4114,
    /// The request takes no such parameter, or needs one that was not set.
    CHATNIO_BAD_PARAMETERS = 4115,
    /// The request or the authentication is over the limit on what is sent.
    CHATNIO_REQUEST_TOO_LONG = 4116,
    /// There is no question to answer again: none was asked in this session, and it continues no conversation.
    CHATNIO_NOTHING_TO_RESTART = 4117,
    /// The client was given its socket: only the host can make another.
    CHATNIO_GIVEN_SOCKET = 4118,
    /// The URL is not one of a proxy: `http`, `socks5` or `socks5h`.
    CHATNIO_BAD_PROXY = 4119,
    /// The client's certificate or its key cannot be used.
    CHATNIO_BAD_CERTIFICATE = 4120,
    /// The token holds what no HTTP header can carry: a line's end, a space, something outside of ASCII. Only of companion
    /// calls.
    CHATNIO_BAD_TOKEN = 4121,
    /// The name of an extra field is one of the protocol's own, which has a setter.
    CHATNIO_KNOWN_FIELD = 4122,
    /// The value of an extra field is not one whole JSON value.
    CHATNIO_BAD_EXTRA = 4123,

    /// In an event: a message could not be read. It was skipped and counted; turn and session go on.
    CHATNIO_MALFORMED = 4201,
    /// In an event: a message was over the limit. It was skipped and counted.
    CHATNIO_MESSAGE_TOO_LONG = 4202,

    /// The server does not know the key (HTTP 401). This and what follows: only of companion calls.
    CHATNIO_REST_BAD_KEY = 4301,
    /// The call needs a key: there was none, or a login token that has run out.
    CHATNIO_REST_NO_KEY = 4302,
    /// The server refuses this address for some 20 minutes, good keys too, after too many wrong ones.
    CHATNIO_REST_BLACK_LISTED = 4303,
    /// Too many calls in one second from this address: wait one.
    CHATNIO_REST_THROTTLED = 4304,
    /// There is no such conversation, share or code, or it is somebody else's.
    CHATNIO_REST_NOT_FOUND = 4305,
    /// The server refuses, for a reason of its own.
    CHATNIO_REST_REFUSED = 4306,
    /// The server has no such call: it is too old for it, or the prefix is wrong.
    CHATNIO_REST_NO_SUCH_CALL = 4307,
    /// A web page came in place of an answer: the prefix is wrong, and often `/api`.
    CHATNIO_REST_WEB_PAGE = 4308,
    /// Another HTTP status came, from the server or from something before it. Redirects are not followed.
    CHATNIO_REST_HTTP = 4309,
    /// The answer cannot be read.
    CHATNIO_REST_MALFORMED = 4310,

    /// The session or connection was closed by this side.
    CHATNIO_CLOSED = 4901,
    /// The server closed the connection in an orderly way.
    CHATNIO_CLOSED_BY_SERVER = 4902,
    /// The server ended the stream without a WebSocket Close.
    CHATNIO_END_OF_STREAM = 4903,
    /// The encrypted stream was cut: whoever did it, it need not have been the server.
    CHATNIO_TRUNCATED = 4904,
    /// The socket failed.
    CHATNIO_IO = 4905,
    /// Nothing came for long, not even in answer to a ping: the connection is dead.
    CHATNIO_UNRESPONSIVE = 4906,
    /// The server did not answer the closing in time.
    CHATNIO_CLOSE_TIMEOUT = 4907,
    /// The server broke the protocol of WebSocket or of the chat.
    CHATNIO_PROTOCOL = 4908,
    /// The server sent text that is not UTF-8.
    CHATNIO_SERVER_NOT_UTF8 = 4909,
    /// The server sent a message over the limit, which a connection cannot skip.
    CHATNIO_OVERSIZED = 4910,

    /// The host's name cannot be looked up.
    CHATNIO_RESOLVE = 4921,
    /// No address of the host can be connected to.
    CHATNIO_CONNECT = 4922,
    /// Name look-up and connect took too long.
    CHATNIO_CONNECT_TIMEOUT = 4923,
    /// The TLS or WebSocket handshake took too long.
    CHATNIO_HANDSHAKE_TIMEOUT = 4924,
    /// The server, or a gateway or a proxy before it (HTTP 429), throttles this address: wait before the next connection.
    CHATNIO_THROTTLED = 4925,
    /// The server answered with a refusal of its own instead of opening the WebSocket.
    CHATNIO_REFUSED = 4926,
    /// The server answered with another HTTP status than 101 (429 and 502 to 504 have statuses of their own); no redirect
    /// is followed.
    CHATNIO_HTTP = 4927,
    /// The server's WebSocket handshake is wrong.
    CHATNIO_UPGRADE = 4928,
    /// The server does not speak HTTP/1.1.
    CHATNIO_BAD_HTTP = 4929,
    /// A gateway, or a proxy, answered that the server behind it is away or overloaded (HTTP 502, 503 or 504): try again later.
    CHATNIO_UNAVAILABLE = 4930,
    /// Nobody trusted signed the server's certificate.
    CHATNIO_TLS_UNKNOWN_ISSUER = 4931,
    /// The server's certificate is for other names.
    CHATNIO_TLS_WRONG_NAME = 4932,
    /// The server's certificate has expired.
    CHATNIO_TLS_EXPIRED = 4933,
    /// The server's certificate is not valid yet.
    CHATNIO_TLS_NOT_YET_VALID = 4934,
    /// The server's certificate is wrong in another way.
    CHATNIO_TLS_CERTIFICATE = 4935,
    /// What came is not TLS.
    CHATNIO_TLS_NOT_TLS = 4936,
    /// The machine has no usable root certificates, and no others were given.
    CHATNIO_TLS_NO_ROOTS = 4937,
    /// TLS failed in another way.
    CHATNIO_TLS = 4938,
    /// The server wants a client certificate, and none was given.
    CHATNIO_TLS_CLIENT_CERTIFICATE = 4939,
    /// The proxy wants a user name and a password, or others (HTTP 407 is one of these).
    CHATNIO_PROXY_AUTH = 4941,
    /// The proxy refused, or could not reach the server.
    CHATNIO_PROXY_REFUSED = 4942,
    /// What answered is not such a proxy.
    CHATNIO_NOT_A_PROXY = 4943,

    /// The system gave no random bytes, which every connection needs.
    CHATNIO_NO_RANDOM = 4951,
    /// The operating system refused something else, such as a thread or a socket option.
    CHATNIO_SYSTEM = 4952,
    /// The library failed in itself, which is a bug. The handle takes nothing any more but `_free` and `_error`,
    /// whose text says what and where.
    CHATNIO_PANIC = 4999,
}

use chatnio_status::*;

/// Name and meaning of every status, in the order of their numbers.
pub(crate) const TABLE: &[(chatnio_status, &CStr, &CStr)] = &[
    (CHATNIO_OK, c"CHATNIO_OK", c"done"),
    (CHATNIO_AGAIN, c"CHATNIO_AGAIN", c"there is nothing now: call again later"),
    (CHATNIO_INTERRUPTED, c"CHATNIO_INTERRUPTED", c"a signal came while waiting: call again"),
    (CHATNIO_BUSY, c"CHATNIO_BUSY", c"a turn runs: ask again after its end"),
    (CHATNIO_UNDRAINED, c"CHATNIO_UNDRAINED", c"input waits: take its events before more is given"),
    (CHATNIO_ABSENT, c"CHATNIO_ABSENT", c"what was asked for is not there"),
    (CHATNIO_UNSENT, c"CHATNIO_UNSENT", c"earlier requests wait to be sent: ask again when they went out"),
    (CHATNIO_INVALID, c"CHATNIO_INVALID", c"an argument is not valid"),
    (CHATNIO_NOT_UTF8, c"CHATNIO_NOT_UTF8", c"a text is not UTF-8"),
    (CHATNIO_FROZEN, c"CHATNIO_FROZEN", c"the configuration is in use and cannot be changed any more"),
    (CHATNIO_BAD_URL, c"CHATNIO_BAD_URL", c"the URL is not one of a chat server"),
    (CHATNIO_BAD_HEADER, c"CHATNIO_BAD_HEADER", c"a handshake header is not allowed"),
    (CHATNIO_BAD_ROOTS, c"CHATNIO_BAD_ROOTS", c"the root certificates cannot be used"),
    (CHATNIO_BAD_TRANSCRIPT, c"CHATNIO_BAD_TRANSCRIPT", c"the transcript cannot be read"),
    (CHATNIO_EMPTY_TOKEN, c"CHATNIO_EMPTY_TOKEN", c"the token is empty"),
    (CHATNIO_BAD_CONVERSATION, c"CHATNIO_BAD_CONVERSATION", c"conversation ids are positive, and -1 starts a new one"),
    (CHATNIO_PLAIN_TOKEN, c"CHATNIO_PLAIN_TOKEN", c"a token must not go to another machine without TLS"),
    (CHATNIO_EMPTY_MESSAGE, c"CHATNIO_EMPTY_MESSAGE", c"the message is empty: it would never be answered"),
    (CHATNIO_EMPTY_SHARE, c"CHATNIO_EMPTY_SHARE", c"the share's hash is empty"),
    (CHATNIO_BAD_MASK, c"CHATNIO_BAD_MASK", c"not a mask"),
    (CHATNIO_NOT_FINITE, c"CHATNIO_NOT_FINITE", c"a parameter is not a finite number"),
    (CHATNIO_BAD_PARAMETERS, c"CHATNIO_BAD_PARAMETERS", c"the request takes no such parameter, or needs another"),
    (CHATNIO_REQUEST_TOO_LONG, c"CHATNIO_REQUEST_TOO_LONG", c"the request is over the limit"),
    (CHATNIO_NOTHING_TO_RESTART, c"CHATNIO_NOTHING_TO_RESTART", c"there is no question to answer again"),
    (CHATNIO_GIVEN_SOCKET, c"CHATNIO_GIVEN_SOCKET", c"the client was given its socket: give it another"),
    (CHATNIO_BAD_PROXY, c"CHATNIO_BAD_PROXY", c"the URL is not one of a proxy"),
    (CHATNIO_BAD_CERTIFICATE, c"CHATNIO_BAD_CERTIFICATE", c"the client's certificate cannot be used"),
    (CHATNIO_BAD_TOKEN, c"CHATNIO_BAD_TOKEN", c"the token holds a character that no header can carry"),
    (CHATNIO_KNOWN_FIELD, c"CHATNIO_KNOWN_FIELD", c"an extra field has a name that the client sends by itself"),
    (CHATNIO_BAD_EXTRA, c"CHATNIO_BAD_EXTRA", c"the value of an extra field must be one whole JSON value"),
    (CHATNIO_MALFORMED, c"CHATNIO_MALFORMED", c"a message could not be read"),
    (CHATNIO_MESSAGE_TOO_LONG, c"CHATNIO_MESSAGE_TOO_LONG", c"a message was over the limit"),
    (CHATNIO_REST_BAD_KEY, c"CHATNIO_REST_BAD_KEY", c"the server does not accept the key"),
    (CHATNIO_REST_NO_KEY, c"CHATNIO_REST_NO_KEY", c"the call needs a key"),
    (CHATNIO_REST_BLACK_LISTED, c"CHATNIO_REST_BLACK_LISTED", c"the server has black-listed this address"),
    (CHATNIO_REST_THROTTLED, c"CHATNIO_REST_THROTTLED", c"too many calls: wait a second"),
    (CHATNIO_REST_NOT_FOUND, c"CHATNIO_REST_NOT_FOUND", c"the server has not found it"),
    (CHATNIO_REST_REFUSED, c"CHATNIO_REST_REFUSED", c"the server refused"),
    (CHATNIO_REST_NO_SUCH_CALL, c"CHATNIO_REST_NO_SUCH_CALL", c"the server has no such call"),
    (CHATNIO_REST_WEB_PAGE, c"CHATNIO_REST_WEB_PAGE", c"a web page came in place of an answer"),
    (CHATNIO_REST_HTTP, c"CHATNIO_REST_HTTP", c"the server answered with another HTTP status"),
    (CHATNIO_REST_MALFORMED, c"CHATNIO_REST_MALFORMED", c"the answer cannot be read"),
    (CHATNIO_CLOSED, c"CHATNIO_CLOSED", c"closed by this side"),
    (CHATNIO_CLOSED_BY_SERVER, c"CHATNIO_CLOSED_BY_SERVER", c"the server closed the connection"),
    (CHATNIO_END_OF_STREAM, c"CHATNIO_END_OF_STREAM", c"the server ended the stream"),
    (CHATNIO_TRUNCATED, c"CHATNIO_TRUNCATED", c"the encrypted stream was cut"),
    (CHATNIO_IO, c"CHATNIO_IO", c"the socket failed"),
    (CHATNIO_UNRESPONSIVE, c"CHATNIO_UNRESPONSIVE", c"the connection is dead"),
    (CHATNIO_CLOSE_TIMEOUT, c"CHATNIO_CLOSE_TIMEOUT", c"the server did not answer the closing in time"),
    (CHATNIO_PROTOCOL, c"CHATNIO_PROTOCOL", c"the server broke the protocol"),
    (CHATNIO_SERVER_NOT_UTF8, c"CHATNIO_SERVER_NOT_UTF8", c"the server sent text that is not UTF-8"),
    (CHATNIO_OVERSIZED, c"CHATNIO_OVERSIZED", c"the server sent a message over the limit"),
    (CHATNIO_RESOLVE, c"CHATNIO_RESOLVE", c"the host's name cannot be looked up"),
    (CHATNIO_CONNECT, c"CHATNIO_CONNECT", c"the host cannot be connected to"),
    (CHATNIO_CONNECT_TIMEOUT, c"CHATNIO_CONNECT_TIMEOUT", c"connecting took too long"),
    (CHATNIO_HANDSHAKE_TIMEOUT, c"CHATNIO_HANDSHAKE_TIMEOUT", c"the handshake took too long"),
    (CHATNIO_THROTTLED, c"CHATNIO_THROTTLED", c"the server throttles this address"),
    (CHATNIO_REFUSED, c"CHATNIO_REFUSED", c"the server refused the connection"),
    (CHATNIO_HTTP, c"CHATNIO_HTTP", c"the server answered with another HTTP status than 101"),
    (CHATNIO_UPGRADE, c"CHATNIO_UPGRADE", c"the server's WebSocket handshake is wrong"),
    (CHATNIO_BAD_HTTP, c"CHATNIO_BAD_HTTP", c"the server does not speak HTTP/1.1"),
    (CHATNIO_UNAVAILABLE, c"CHATNIO_UNAVAILABLE", c"the server behind the gateway is away"),
    (CHATNIO_TLS_UNKNOWN_ISSUER, c"CHATNIO_TLS_UNKNOWN_ISSUER", c"nobody trusted signed the certificate"),
    (CHATNIO_TLS_WRONG_NAME, c"CHATNIO_TLS_WRONG_NAME", c"the certificate is for other names"),
    (CHATNIO_TLS_EXPIRED, c"CHATNIO_TLS_EXPIRED", c"the certificate has expired"),
    (CHATNIO_TLS_NOT_YET_VALID, c"CHATNIO_TLS_NOT_YET_VALID", c"the certificate is not valid yet"),
    (CHATNIO_TLS_CERTIFICATE, c"CHATNIO_TLS_CERTIFICATE", c"the certificate cannot be accepted"),
    (CHATNIO_TLS_NOT_TLS, c"CHATNIO_TLS_NOT_TLS", c"the server does not speak TLS on this port"),
    (CHATNIO_TLS_NO_ROOTS, c"CHATNIO_TLS_NO_ROOTS", c"this machine has no usable root certificates"),
    (CHATNIO_TLS, c"CHATNIO_TLS", c"TLS failed"),
    (CHATNIO_TLS_CLIENT_CERTIFICATE, c"CHATNIO_TLS_CLIENT_CERTIFICATE", c"the server wants a client certificate"),
    (CHATNIO_PROXY_AUTH, c"CHATNIO_PROXY_AUTH", c"the proxy wants a user name and a password"),
    (CHATNIO_PROXY_REFUSED, c"CHATNIO_PROXY_REFUSED", c"the proxy refused"),
    (CHATNIO_NOT_A_PROXY, c"CHATNIO_NOT_A_PROXY", c"what answered is not such a proxy"),
    (CHATNIO_NO_RANDOM, c"CHATNIO_NO_RANDOM", c"the system gave no random bytes"),
    (CHATNIO_SYSTEM, c"CHATNIO_SYSTEM", c"the operating system refused"),
    (CHATNIO_PANIC, c"CHATNIO_PANIC", c"the library failed in itself: free the handle"),
];

/// The first status of the fatal band.
const FATAL: i32 = 4900;

fn entry(status: i32) -> Option<&'static (chatnio_status, &'static CStr, &'static CStr)> {
    TABLE.iter().find(|(known, ..)| *known as i32 == status)
}

/// The name of a status, such as "CHATNIO_BUSY"; "CHATNIO_UNKNOWN" for a number that is none.
///
/// NUL-terminated and never freed. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_status_name(status: i32) -> *const c_char {
    entry(status).map_or(c"CHATNIO_UNKNOWN", |(_, name, _)| name).as_ptr()
}

/// What a status means, in a few English words. What happened exactly is in the handle's or the constructor's error
/// text.
///
/// NUL-terminated and never freed. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_status_message(status: i32) -> *const c_char {
    entry(status).map_or(c"unknown status", |(.., message)| message).as_ptr()
}

/// Whether a status says that the connection is over, or could not be made: see `chatnio_status`.
///
/// Any thread, at any time; any number may be asked about.
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_status_is_fatal(status: i32) -> bool {
    status >= FATAL
}

/// Whether the same may go well when it is tried again, connected anew: nothing is to be corrected before, and it is not this
/// program that has ended it. What was asked may have been charged all the same. Of a companion call
/// `chatnio_rest_call_retry_cause()` says it.
///
/// Any thread, at any time; any number may be asked about.
#[cfg(feature = "connection")]
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_status_is_retryable(status: i32) -> bool {
    // The errors themselves know it, but of them C keeps the number alone: a test in `failure` holds each number to them.
    const AGAIN: [chatnio_status; 15] = [
        CHATNIO_CLOSED_BY_SERVER,
        CHATNIO_END_OF_STREAM,
        CHATNIO_TRUNCATED,
        CHATNIO_IO,
        CHATNIO_UNRESPONSIVE,
        CHATNIO_PROTOCOL,
        CHATNIO_SERVER_NOT_UTF8,
        CHATNIO_RESOLVE,
        CHATNIO_CONNECT,
        CHATNIO_CONNECT_TIMEOUT,
        CHATNIO_HANDSHAKE_TIMEOUT,
        CHATNIO_THROTTLED,
        CHATNIO_UNAVAILABLE,
        CHATNIO_NO_RANDOM,
        CHATNIO_SYSTEM,
    ];
    AGAIN.iter().any(|again| *again as i32 == status)
}
