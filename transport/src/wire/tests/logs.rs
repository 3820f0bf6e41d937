//! What must not be logged, whatever the level.

use std::cell::RefCell;
use std::sync::Once;

use tungstenite::Message;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;

use super::*;
use crate::test_peer::Ca;

thread_local! {
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Captures what the thread that asked for it logs; the others' tests run beside it.
struct Capture;

impl log::Log for Capture {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        LINES.with_borrow(Option::is_some)
    }

    fn log(&self, record: &log::Record<'_>) {
        LINES.with_borrow_mut(|lines| {
            if let Some(lines) = lines {
                lines.push(format!("{} {}", record.target(), record.args()));
            }
        });
    }

    fn flush(&self) {}
}

fn captured(run: impl FnOnce()) -> String {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        log::set_logger(&Capture).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
    LINES.set(Some(Vec::new()));
    run();
    LINES.take().unwrap().join("\n")
}

#[test]
fn neither_texts_nor_headers_are_logged() {
    const TOKEN: &str = "sk-SECRETTOKEN";
    const HEADER: &str = "Bearer SECRETHEADER";
    for url in ["ws://localhost", "wss://localhost"] {
        let mut config = ConnectionConfig { tls: super::tls::trusting(), ..ConnectionConfig::default() };
        config.headers.add("authorization", HEADER).unwrap();
        let peer = if url.starts_with("wss") { Peer::tls(Ca::get().server()) } else { Peer::plain() };
        // The server logs what it gets, so only what the wire does is captured.
        let mut new = None;
        let mut log = captured(|| new = Some(Link::new(url, &config, peer)));
        let mut link = new.unwrap();
        link.exchange();
        link.peer.accept();
        let bytes = link.peer.output();
        log += &captured(|| assert_eq!(link.receive(&bytes), [Got::Open]));
        log += &captured(|| link.wire.send_text(TOKEN).unwrap());
        link.send_all();
        assert_eq!(link.peer.read(), [Message::text(TOKEN)]);
        link.peer.send(Message::text("answer"));
        let bytes = link.peer.output();
        log += &captured(|| assert_eq!(link.receive(&bytes), [text("answer")]));
        link.peer.close(Some(CloseFrame { code: CloseCode::Policy, reason: "no SECRETTOKEN".into() }));
        let bytes = link.peer.output();
        log += &captured(|| {
            assert!(matches!(&link.receive(&bytes)[..], [Got::Closed(ConnectionEnd::ByServer { .. })]));
        });
        log += &captured(|| log::debug!("that it is captured"));
        assert!(log.contains("that it is captured"));
        for secret in [TOKEN, HEADER] {
            let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            let list = format!("{:?}", secret.as_bytes());
            for form in [secret, "SECRET", &hex, list.trim_matches(['[', ']'])] {
                assert!(!log.contains(form), "{url}: {form} is logged");
            }
        }
    }
}

#[test]
fn neither_is_a_refusal() {
    let server = [
        "HTTP/1.1 401 SECRETREASON\r\nWWW-Authenticate: Basic realm=\"SECRETREALM\"\r\nContent-Length: 10\r\n\r\nSECRETBODY",
        "HTTP/1.1 301 x\r\nLocation: https://SECRET.example\r\nSet-Cookie: SECRET\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\n\r\na\r\nSECRETBODY\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 54\r\n\r\n{\"status\":false,\"reason\":\"SECRETREASON\",\"error\":\"x\"}  ",
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 10\r\n\r\n<p>SECRET.",
        "HTTP/1.1 101 x\r\nUpgrade: SECRET\r\nConnection: upgrade\r\n\r\n",
        "HTTP/1.1 101 x\r\nSECRET\r\n\r\n",
        "SECRET-2.0-OpenSSH\r\n",
    ];
    let proxy = [
        "HTTP/1.1 403 SECRETREASON\r\nX: SECRET\r\nContent-Length: 10\r\n\r\nSECRETBODY",
        "HTTP/1.1 407 x\r\nProxy-Authenticate: Digest realm=\"SECRET\"\r\nContent-Length: 10\r\n\r\nSECRETBODY",
        "HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\n\r\na\r\nSECRETBODY\r\n0\r\n\r\n",
        "SECRET-2.0-OpenSSH\r\n",
    ];
    let cases = server.map(|said| (said, None)).into_iter();
    for (said, by) in cases.chain(proxy.map(|said| (said, Some("http://me:SECRETPASSWORD@proxy.example")))) {
        let mut config = ConnectionConfig::default();
        config.headers.add("x-key", "SECRETHEADER").unwrap();
        config.proxy = by.map(|url| url.parse().unwrap());
        let log = captured(|| {
            let mut link = Link::new("ws://localhost/chat?key=SECRETQUERY", &config, Peer::plain());
            link.send_all();
            let mut events = link.receive(said.as_bytes());
            events.extend(link.eof());
            assert!(matches!(&events[..], [Got::Closed(ConnectionEnd::Lost(_))]), "{said:?}: {events:?}");
            log::debug!("that it is captured");
        });
        assert!(log.contains("that it is captured"));
        assert!(!log.to_uppercase().contains("SECRET"), "{said:?}: {log}");
    }
}
