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
