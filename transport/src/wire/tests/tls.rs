//! TLS: whom it trusts, and how it ends.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::version::{TLS12, TLS13};
use tungstenite::Message;

use super::*;
use crate::clock::WallClock;
use crate::error::Step;
use crate::http_refusal::HttpRefusal;
use crate::test_peer::Ca;
use crate::tls_error::TlsError;
use crate::tls_options::{TlsConfig, TlsOptions, TlsOptionsError, Trust};

/// The middle of 2026.
pub(crate) const SUMMER: Duration = Duration::from_secs(1_782_000_000);

fn options() -> TlsOptions {
    TlsOptions::new().trust(Trust::GivenOnly).wall_clock(WallClock::fixed(SUMMER))
}

/// Trusts the test's authority, in the middle of 2026.
pub(crate) fn trusting() -> TlsConfig {
    options().root_der(&Ca::get().der).unwrap().build().unwrap()
}

fn connect(url: &str, tls: TlsConfig) -> (Link, Vec<Got>) {
    connect_to(Ca::get().server(), url, tls)
}

fn connect_to(server: Arc<ServerConfig>, url: &str, tls: TlsConfig) -> (Link, Vec<Got>) {
    let config = ConnectionConfig { tls, ..ConnectionConfig::default() };
    let mut link = Link::new(url, &config, Peer::tls(server));
    let events = link.shake_hands();
    (link, events)
}

fn tls_error(url: &str, tls: TlsConfig) -> TlsError {
    error_of(connect(url, tls))
}

fn error_of((link, events): (Link, Vec<Got>)) -> TlsError {
    assert!(link.wire.is_finished());
    assert_eq!(link.peer.received(), b"", "nothing was sent to a server that is not trusted");
    match <[Got; 1]>::try_from(events) {
        Ok([Got::Closed(ConnectionEnd::Lost(WireError::Tls(error)))]) => error,
        other => panic!("{other:?}"),
    }
}

fn host() -> String {
    "localhost".into()
}

#[test]
fn both_versions_work() {
    for version in [&TLS12, &TLS13] {
        let config = ConnectionConfig { tls: trusting(), ..ConnectionConfig::default() };
        let server = Ca::get().server_with(version);
        let mut link = Link::open_with("wss://localhost", &config, Peer::tls(server));
        let shown = link.wire.tls().unwrap();
        assert_eq!(shown.version, if version.version == TLS12.version { "TLSv1.2" } else { "TLSv1.3" });
        assert!(shown.cipher.starts_with("TLS") && shown.certificates.len() == 1, "{shown:?}");
        link.wire.send_text("hi").unwrap();
        link.send_all();
        assert_eq!(link.peer.read(), [Message::text("hi")]);
        link.peer.send(Message::text("ho"));
        assert_eq!(link.exchange(), [text("ho")]);
    }
}

#[test]
fn input_beyond_rustls_buffers_is_taken_at_once() {
    let (mut link, _) = connect("wss://localhost", trusting());
    let texts: Vec<String> = (0..40).map(|i| i.to_string().repeat(5000)).collect();
    for text in &texts {
        link.peer.send(Message::text(text.clone()));
    }
    let bytes = link.peer.output();
    assert!(bytes.len() > 300_000);
    let expected: Vec<_> = texts.iter().map(|t| text(t)).collect();
    assert!(link.receive(&bytes) == expected);
}

#[test]
fn an_unknown_authority_is_refused() {
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = options().root_der(other.cert.der()).unwrap().build().unwrap();
    assert_eq!(tls_error("wss://localhost", tls), TlsError::UnknownIssuer { host: host() });
}

#[test]
fn another_name_is_refused() {
    for url in ["wss://example.com", "wss://127.0.0.1", "wss://[::1]"] {
        let error = tls_error(url, trusting());
        let TlsError::WrongName { host, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*host, Endpoint::parse(url).unwrap().host());
        assert!(error.to_string().contains("localhost"), "says what it is for: {error}");
    }
}

#[test]
fn the_wall_clock_decides_about_the_dates() {
    let at = |clock| options().root_der(&Ca::get().der).unwrap().wall_clock(clock).build().unwrap();
    let year = secs(365 * 24 * 3600);
    let late = at(WallClock::fixed(SUMMER + year));
    assert_eq!(tls_error("wss://localhost", late), TlsError::Expired { host: host() });
    let early = at(WallClock::from_fn(move || SUMMER - year));
    assert_eq!(tls_error("wss://localhost", early), TlsError::NotYetValid { host: host() });
    let (_, events) = connect("wss://localhost", at(WallClock::from_fn(|| SUMMER)));
    assert_eq!(events, [Got::Open]);
    // The same with the platform's verifier.
    let platform = |now| {
        let tls = TlsOptions::new().root_der(&Ca::get().der).unwrap();
        tls.wall_clock(WallClock::fixed(now)).build().unwrap()
    };
    let error = tls_error("wss://localhost", platform(SUMMER + year));
    assert_eq!(error, TlsError::Expired { host: host() });
    assert_eq!(connect("wss://localhost", platform(SUMMER)).1, [Got::Open]);
}

#[test]
fn only_the_dangerous_switch_accepts_anything() {
    let tls = options().dangerous_accept_any_certificate().build().unwrap();
    let (_, events) = connect("wss://example.com", tls);
    assert_eq!(events, [Got::Open]);
}

#[test]
fn a_server_without_tls_is_named_as_such() {
    let config = ConnectionConfig { tls: trusting(), ..ConnectionConfig::default() };
    let mut link = Link::new("wss://localhost", &config, Peer::plain());
    let end = link.receive(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    assert_eq!(end, lost(TlsError::NotTls { host: host() }.into()));
}

#[test]
fn an_alert_is_named() {
    let config = ConnectionConfig { tls: trusting(), ..ConnectionConfig::default() };
    let mut link = Link::new("wss://localhost", &config, Peer::plain());
    let end = link.receive(&[0x15, 3, 3, 0, 2, 2, 40]);
    let alert = TlsError::Alert { host: host(), alert: "handshake failure".into() };
    assert_eq!(end, lost(alert.into()));
}

#[test]
fn the_deadline_and_the_end_name_the_step() {
    let config = ConnectionConfig { tls: trusting(), ..ConnectionConfig::default() };
    let mut link = Link::new("wss://localhost", &config, Peer::tls(Ca::get().server()));
    assert_eq!(link.wait(), secs(10));
    assert_eq!(link.events(), lost(WireError::HandshakeTimeout { step: Step::Tls }));
    assert!(link.wire.is_finished());
    let mut link = Link::new("wss://localhost", &config, Peer::tls(Ca::get().server()));
    assert_eq!(link.eof(), lost(WireError::EndOfStream { step: Step::Tls }));
    let mut link = Link::new("wss://localhost", &config, Peer::tls(Ca::get().server()));
    assert_eq!(link.exchange(), []);
    assert_eq!(link.wait(), secs(10));
    assert_eq!(link.events(), lost(WireError::HandshakeTimeout { step: Step::Upgrade }));
}

#[test]
fn close_notify_is_told_from_a_cut() {
    let (mut link, _) = connect("wss://localhost", trusting());
    link.peer.send(Message::text("x"));
    link.peer.close_notify();
    let mut expected = vec![text("x")];
    expected.extend(lost(WireError::EndOfStream { step: Step::Session }));
    let bytes = link.peer.output();
    assert_eq!(link.receive(&bytes), expected);
    assert!(link.wire.is_finished());
    assert_eq!(link.eof(), []);

    let (mut link, _) = connect("wss://localhost", trusting());
    assert_eq!(link.eof(), lost(WireError::Truncated { step: Step::Session }));

    // A refusal's body that ends with the stream is whole either way.
    let config = ConnectionConfig { tls: trusting(), ..ConnectionConfig::default() };
    for notify in [true, false] {
        let mut link = Link::new("wss://localhost", &config, Peer::tls(Ca::get().server()));
        link.exchange();
        link.peer.say("HTTP/1.1 503 x\r\n\r\nbusy");
        if notify {
            link.peer.close_notify();
        }
        let mut events = link.exchange();
        events.extend(link.eof());
        assert_eq!(events, lost(WireError::Unavailable(HttpRefusal::new(503, "busy").into())));
    }
}

#[test]
fn a_changed_record_ends_the_session() {
    let (mut link, _) = connect("wss://localhost", trusting());
    link.peer.send(Message::text("x"));
    let first = link.peer.output();
    link.peer.send(Message::text("y"));
    let mut second = link.peer.output();
    *second.last_mut().unwrap() ^= 1;
    let events = link.receive(&[first, second].concat());
    assert_eq!(events[0], text("x"), "what came before is handed out");
    assert!(matches!(&events[1..], [Got::Closed(ConnectionEnd::Lost(WireError::Tls(TlsError::Other { .. })))]));
    link.send_all();
    assert!(link.wire.is_finished(), "the alert was sent");
}

#[test]
fn roots_come_from_files() {
    let folder = std::env::temp_dir().join(format!("chatnio-roots-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let pem = write("root.pem", Ca::get().pem.as_bytes());
    let der = write("root.der", &Ca::get().der);
    let empty = write("empty.pem", b"");
    let text = write("text.pem", b"hello");
    let broken = write("broken.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for path in [&pem, &der] {
        let tls = options().root_file(path).unwrap().build().unwrap();
        assert_eq!(connect("wss://localhost", tls).1, [Got::Open], "{path:?}");
    }
    let tls = options().roots_pem(Ca::get().pem.as_bytes()).unwrap().build().unwrap();
    assert_eq!(connect("wss://localhost", tls).1, [Got::Open]);
    for path in [&empty, &text] {
        let error = options().root_file(path).unwrap_err();
        assert!(matches!(error, TlsOptionsError::NoCertificate { .. }), "{error}");
        assert!(error.to_string().contains(&path.display().to_string()));
    }
    let error = options().root_file(&broken).unwrap_err();
    assert!(matches!(error, TlsOptionsError::BadCertificate { .. }), "{error}");
    let error = options().root_file(folder.join("missing.pem")).unwrap_err();
    assert!(matches!(error, TlsOptionsError::Read { .. }), "{error}");
    assert!(matches!(options().root_der(b"x"), Err(TlsOptionsError::BadCertificate { .. })));
    assert!(matches!(options().build(), Err(TlsOptionsError::NoRoots)));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn roots_are_loaded_once_and_only_for_tls() {
    let tls = trusting();
    let shared = tls.clone();
    tls.load().unwrap();
    assert!(Arc::ptr_eq(&tls.rustls().unwrap(), &shared.rustls().unwrap()));
}

/// Runs a test of this file in a process of its own, because the places of the platform's roots are set by its environment.
/// Returns whether this is that process.
#[cfg(target_os = "linux")]
fn is_alone(test: &str, roots: &std::path::Path) -> bool {
    const MARK: &str = "CHATNIO_TEST_ALONE";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("wire::tests::tls::{test}")])
        .env(MARK, "1")
        .env("SSL_CERT_FILE", roots)
        .env("SSL_CERT_DIR", "/nonexistent")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    false
}

/// With the platform's roots alone, as it is by default.
#[cfg(target_os = "linux")]
#[test]
fn the_platforms_roots_are_trusted_no_further_than_any() {
    let file = std::env::temp_dir().join(format!("chatnio-platform-roots-{}.pem", std::process::id()));
    if !is_alone("the_platforms_roots_are_trusted_no_further_than_any", &file) {
        std::fs::remove_file(file).unwrap();
        return;
    }
    std::fs::write(std::env::var_os("SSL_CERT_FILE").unwrap(), &Ca::get().pem).unwrap();
    let at = |now| TlsOptions::new().wall_clock(WallClock::fixed(now)).build().unwrap();
    let year = secs(365 * 24 * 3600);
    assert_eq!(connect("wss://localhost", at(SUMMER)).1, [Got::Open]);
    for url in ["wss://example.com", "wss://sub.localhost", "wss://127.0.0.1", "wss://[::1]"] {
        let error = tls_error(url, at(SUMMER));
        assert!(matches!(error, TlsError::WrongName { .. }), "{url}: {error:?}");
    }
    assert_eq!(tls_error("wss://localhost", at(SUMMER + year)), TlsError::Expired { host: host() });
    assert_eq!(tls_error("wss://localhost", at(SUMMER - year)), TlsError::NotYetValid { host: host() });
    // Another authority, of another name or of the same.
    let unknown = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(unknown.signing_key.serialize_der().into());
    let unknown = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![unknown.cert.der().clone()], key)
        .unwrap();
    let error = error_of(connect_to(unknown.into(), "wss://localhost", at(SUMMER)));
    assert_eq!(error, TlsError::UnknownIssuer { host: host() });
    let error = error_of(connect_to(Ca::another().server_with(&TLS13), "wss://localhost", at(SUMMER)));
    assert!(matches!(error, TlsError::Certificate { .. }), "{error:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_machine_without_roots_can_do_all_but_trust_them() {
    if !is_alone("a_machine_without_roots_can_do_all_but_trust_them", "/nonexistent".as_ref()) {
        return;
    }
    let config = ConnectionConfig::default();
    assert!(matches!(config.tls.load(), Err(TlsError::NoPlatformRoots { .. })));
    let wire = |url| {
        Wire::new(
            secs(0),
            &Endpoint::parse(url).unwrap(),
            &config,
            &chatnio_core::Auth::anonymous(),
            crate::random::Random::system(),
        )
    };
    let error = wire("wss://localhost").err();
    assert!(matches!(error, Some(WireError::Tls(TlsError::NoPlatformRoots { .. }))));
    assert!(wire("ws://localhost").is_ok());
    // Given roots do without the platform's.
    let tls = TlsOptions::new().root_der(&Ca::get().der).unwrap();
    let tls = tls.wall_clock(WallClock::fixed(SUMMER)).build().unwrap();
    assert_eq!(connect("wss://localhost", tls).1, [Got::Open]);
}
