//! The HTTP answer to the request for a WebSocket is another one than it should be.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

use super::Fault;
use super::step::{ACCEPTED, OPENER, Step, frame, open, rest, send, text, then};

/// The WebSocket opens by this head, and an answer comes.
fn opened(head: impl Into<Cow<'static, str>>) -> Vec<Step> {
    vec![Step::Head, Step::Reply(head.into()), Step::Messages(2), text(OPENER), rest()[0].clone(), rest()[1].clone()]
}

/// The whole answer is this, and the stream stays open.
fn answered(answer: impl Into<Cow<'static, str>>) -> Vec<Step> {
    vec![Step::Head, Step::Reply(answer.into())]
}

/// A head with a body. A client that tries again comes by a new connection.
fn with_body(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

pub(super) fn faults() -> Vec<Fault> {
    let mut faults = statuses();
    faults.extend(bodies());
    faults.extend(heads());
    faults.extend(upgrades());
    faults
}

fn statuses() -> Vec<Fault> {
    let throttled = "{\"error\":\"request_throttled\",\"reason\":\"Too many.\",\"status\":false}";
    let refused = "{\"error\":\"banned\",\"reason\":\"Go away.\",\"status\":false}";
    let mut faults = vec![
        Fault::new("http-200-throttled", "HTTP 200 that says throttled", answered(with_body("200 OK", "", throttled))),
        Fault::new(
            "http-200-two-segments",
            "the same in two segments",
            [
                Step::Head,
                Step::Reply(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", throttled.len()).into()),
                Step::Wait(Duration::from_millis(20)),
                Step::Reply(throttled.into()),
            ],
        ),
        Fault::new("http-200-refused", "HTTP 200 with another reason", answered(with_body("200 OK", "", refused))),
        Fault::new("http-200-page", "HTTP 200 with a web page", {
            answered(with_body("200 OK", "Content-Type: text/html\r\n", "<!doctype html><title>Chat</title>"))
        }),
        Fault::new("http-200-empty", "HTTP 200 without a body", answered(with_body("200 OK", "", ""))),
        Fault::new(
            "http-100",
            "HTTP 100, then the WebSocket",
            opened(format!("HTTP/1.1 100 Continue\r\n\r\n{ACCEPTED}")),
        ),
        Fault::new("http-103", "HTTP 103, then the WebSocket", {
            opened(format!("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{ACCEPTED}"))
        }),
        Fault::new("http-204", "HTTP 204, which has no body", answered("HTTP/1.1 204 No Content\r\n\r\n")),
        Fault::new("http-301-nowhere", "a redirect that names no place", answered(with_body("301 Moved", "", ""))),
        Fault::new("http-429-retry-after", "HTTP 429 that says when to come back", {
            answered(with_body("429 Too Many Requests", "Retry-After: 7\r\n", "slow down"))
        }),
        Fault::new("http-401-basic", "HTTP 401 that wants a password", {
            answered(with_body("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", ""))
        }),
    ];
    for status in [301, 302, 303, 307, 308] {
        let headers = "Location: https://elsewhere.invalid/chat\r\n";
        let answer = with_body(&format!("{status} Moved"), headers, "");
        faults.push(Fault::new(format!("http-{status}"), format!("HTTP {status} to elsewhere"), answered(answer)));
    }
    for status in [400, 403, 404, 405, 407, 410, 418, 421, 426, 429, 431, 451, 500, 501, 502, 503, 504, 520, 599] {
        let answer = with_body(&format!("{status} Reason"), "", "why");
        faults.push(Fault::new(format!("http-{status}"), format!("HTTP {status} with a body"), answered(answer)));
    }
    faults
}

fn bodies() -> Vec<Fault> {
    let head = "HTTP/1.1 503 Busy\r\n";
    vec![
        Fault::new("body-chunked", "a chunked body", {
            answered(format!("{head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\n0\r\n\r\n"))
        }),
        Fault::new("body-gzip", "a body that says it is compressed", {
            answered(with_body("503 Busy", "Content-Encoding: gzip\r\n", "\u{1f}\u{8b}"))
        }),
        Fault::new("body-latin-1", "a body that is not UTF-8", {
            [
                Step::Head,
                Step::Reply(format!("{head}Connection: close\r\nContent-Length: 4\r\n\r\n").into()),
                Step::Send(b"caf\xe9"[..].into()),
            ]
        }),
        Fault::new("body-until-end", "a body without a length, that ends with the stream", {
            then(answered(format!("{head}\r\nbusy")), [Step::Goodbye, Step::Fin])
        }),
        Fault::new("body-short", "a body that ends before its length", {
            then(answered(format!("{head}Content-Length: 400\r\n\r\nbusy")), [Step::Goodbye, Step::Fin])
        }),
        Fault::new("body-echo", "a body that repeats the whole request", {
            then(answered("HTTP/1.1 400 Bad Request\r\nX-Repeated: yes\r\n\r\n{head}"), [Step::Goodbye, Step::Fin])
        }),
        Fault::new("body-never", "a body that does not come", answered(format!("{head}Content-Length: 400\r\n\r\n"))),
        Fault::new("body-endless", "a body without an end", {
            then(answered(format!("{head}\r\n")), [Step::Flood { bytes: vec![b'x'; 4096].into(), read: true }])
        }),
        Fault::new(
            "body-bad-length",
            "a length that is no number",
            answered(format!("{head}Content-Length: x\r\n\r\nbusy")),
        ),
    ]
}

fn heads() -> Vec<Fault> {
    let many = |count| {
        let mut head = ACCEPTED.trim_end().to_owned();
        for number in 3..count {
            let _ = write!(head, "\r\nX-{number}: y");
        }
        head + "\r\n\r\n"
    };
    vec![
        Fault::new("head-http-1-0", "the WebSocket opens by HTTP/1.0", opened(ACCEPTED.replace("1.1", "1.0"))),
        Fault::new("head-http-2", "a status line of HTTP/2", answered("HTTP/2 101 Switching\r\n\r\n")),
        Fault::new("head-ssh", "a server of another protocol", [Step::Send(b"SSH-2.0-OpenSSH_9.2\r\n"[..].into())]),
        Fault::new(
            "head-smtp",
            "a server of another protocol that waits",
            answered("500 5.5.1 Command unrecognized\r\n"),
        ),
        Fault::new("head-binary", "bytes of nothing in particular", {
            [Step::Head, Step::Send([0, 1, 2, 3, 0xff, 0xfe][..].into())]
        }),
        Fault::new(
            "head-no-reason",
            "a status line without a reason",
            opened(ACCEPTED.replace(" Switching Protocols", "")),
        ),
        Fault::new("head-lower-case", "header names in lower case", {
            opened(
                ACCEPTED
                    .replace("Upgrade:", "upgrade:")
                    .replace("Connection", "connection")
                    .replace("Sec-WebSocket-A", "sec-websocket-a"),
            )
        }),
        Fault::new("head-124-headers", "124 headers", opened(many(124))),
        Fault::new("head-200-headers", "200 headers", opened(many(200))),
        Fault::new("head-long-line", "a header of 12 KiB", {
            opened(ACCEPTED.trim_end().to_owned() + "\r\nX: " + &"y".repeat(12 * 1024) + "\r\n\r\n")
        }),
        Fault::new("head-too-long", "a header of 200 KiB", {
            answered(ACCEPTED.trim_end().to_owned() + "\r\nX: " + &"y".repeat(200 * 1024) + "\r\n\r\n")
        }),
        Fault::new("head-endless", "headers without an end", {
            then(
                answered("HTTP/1.1 101 Switching Protocols\r\n"),
                [Step::Flood { bytes: b"X: y\r\n"[..].into(), read: true }],
            )
        }),
        Fault::new(
            "head-bad-header",
            "a header without a colon",
            answered(ACCEPTED.replace("Connection: ", "Connection ")),
        ),
        Fault::new(
            "head-folded",
            "a header folded over two lines",
            answered(ACCEPTED.replace("Connection: ", "Connection:\r\n ")),
        ),
    ]
}

fn upgrades() -> Vec<Fault> {
    let add = |line: &str| ACCEPTED.trim_end().to_owned() + "\r\n" + line + "\r\n\r\n";
    let change = |from: &str, to: &str| ACCEPTED.replace(from, to);
    let early: Vec<u8> = frame(0x81, OPENER.as_bytes());
    vec![
        Fault::new("accept-wrong", "an accept key that fits another request", {
            answered(change("{accept}", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        }),
        Fault::new("accept-missing", "no accept key", answered(change("Sec-WebSocket-Accept", "X"))),
        Fault::new(
            "accept-two-different",
            "two accept keys, the second one wrong",
            answered(add("Sec-WebSocket-Accept: x")),
        ),
        Fault::new("accept-twice", "the right accept key, twice", opened(add("Sec-WebSocket-Accept: {accept}"))),
        Fault::new("connection-missing", "no `Connection`", answered(change("Connection", "X"))),
        Fault::new(
            "connection-other",
            "another `Connection`",
            answered(change("Connection: Upgrade", "Connection: close")),
        ),
        Fault::new(
            "connection-list",
            "`Connection` is a list",
            opened(change("Connection: ", "Connection: keep-alive , ")),
        ),
        Fault::new("connection-lines", "`Connection` in two lines", opened(add("Connection: keep-alive"))),
        Fault::new("upgrade-missing", "no `Upgrade`", answered(change("Upgrade: websocket", "X: y"))),
        Fault::new("upgrade-other", "another `Upgrade`", answered(change("websocket\r", "h2c\r"))),
        Fault::new("upgrade-list", "`Upgrade` is a list", answered(change("websocket\r", "h2c, websocket\r"))),
        Fault::new("upgrade-twice", "`Upgrade` twice", answered(add("Upgrade: websocket"))),
        Fault::new("upgrade-case", "`Upgrade: WebSocket`", opened(change("websocket\r", "WebSocket\r"))),
        Fault::new("extension", "an extension that was not offered", {
            answered(add("Sec-WebSocket-Extensions: permessage-deflate"))
        }),
        Fault::new("extension-empty", "an empty list of extensions", opened(add("Sec-WebSocket-Extensions:"))),
        Fault::new(
            "sub-protocol",
            "a sub-protocol that was not offered",
            answered(add("Sec-WebSocket-Protocol: chat")),
        ),
        Fault::new("sub-protocol-empty", "an empty sub-protocol", opened(add("Sec-WebSocket-Protocol:"))),
        Fault::new("behind-head-frame", "a frame comes with the head, before anything was asked", {
            then(vec![Step::Head, Step::AcceptAnd(early.into()), Step::Messages(2)], rest())
        }),
        Fault::new("behind-head-garbage", "bytes that are no frame come with the head", {
            then(open(), [send(0xf7, "garbage")])
        }),
    ]
}
