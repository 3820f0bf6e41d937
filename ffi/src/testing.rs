//! For the tests of every language, by the feature `testing`: the header is include/chatnio_testing.h.

use std::cell::Cell;
use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chatnio_loopback::{Certificate, Generation, Options, Peer, Script, Tls, World};
use zeroize::Zeroizing;

use crate::boundary::{Health, Object, boundary, free, input, put};
use crate::connection::chatnio_wants;
use crate::error::{chatnio_error, construct};
use crate::failure::Failure;
use crate::growing::Target;
use crate::status::chatnio_status::{CHATNIO_ABSENT, CHATNIO_CLOSED, CHATNIO_SYSTEM};
use crate::time::{deadline_ms, time};
use crate::transcript::chatnio_transcript;
use crate::view::{chatnio_bytes, chatnio_text};

static LIVE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static PANIC: Cell<bool> = const { Cell::new(false) };
}

pub(crate) fn handle_made() {
    LIVE.fetch_add(1, Ordering::Relaxed);
}

pub(crate) fn handle_freed() {
    LIVE.fetch_sub(1, Ordering::Relaxed);
}

pub(crate) fn panic_if_asked() {
    if PANIC.replace(false) {
        panic!("injected for a test");
    }
}

/// How many handles of any type are alive: 0 when everything was freed. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_testing_live_handles() -> usize {
    LIVE.load(Ordering::Relaxed)
}

/// Makes the next call on this thread panic inside, whatever it is (but those that only look at a number). It answers
/// `CHATNIO_PANIC`, and so does its handle from then on.
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_testing_panic_next() {
    PANIC.set(true);
}

/// A server's end of one connection, in memory: bytes in, bytes out, no socket and no clock.
pub struct chatnio_peer {
    health: Health,
    peer: Peer,
    ca: Option<String>,
    /// What waits to be sent, which stays where it is.
    transmit: Zeroizing<Vec<u8>>,
    transmitted: usize,
}

impl Object for chatnio_peer {
    fn health(&self) -> &Health {
        &self.health
    }
}

/// Makes a server of the generation `year` (2023, 2024 or 2026; 0 for the newest), whose certificate is good for
/// `localhost` and 127.0.0.1 when `tls` is set. With a transcript, which may be freed then, it plays that one's part of
/// the server; without one its fake models answer, by the model's name, as those of `chatnio serve`.
///
/// On failure `error`, if it is not NULL, gets a text to be freed.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_SYSTEM`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_peer_new(
    year: i32,
    tls: bool,
    transcript: Option<&chatnio_transcript>,
    out: Option<&mut MaybeUninit<*mut chatnio_peer>>,
    error: Option<&mut MaybeUninit<*mut chatnio_error>>,
) -> i32 {
    construct(out, error, || {
        let generation = match year {
            2023 => Generation::G2023,
            2024 => Generation::G2024,
            0 | 2026 => Generation::G2026,
            _ => return Err(Failure::invalid("no such generation: 2023, 2024, 2026 or 0")),
        };
        let script = transcript.map(|transcript| Script::from(transcript.value()));
        let options = Options { script, ..Options::new(generation) };
        let system = |error: &dyn std::fmt::Display| Failure::new(CHATNIO_SYSTEM, error.to_string());
        let tls = tls.then(|| Tls::new(Certificate::Valid)).transpose().map_err(|error| system(&error))?;
        let peer = Peer::new(World::new(), Arc::new(options), tls.as_ref(), None).map_err(|error| system(&error))?;
        let ca = tls.map(|tls| tls.ca_pem().to_owned());
        Ok(chatnio_peer { health: Health::new(), peer, ca, transmit: Zeroizing::default(), transmitted: 0 })
    })
}

/// Gets the root certificate to trust, in PEM. It lives as long as the peer.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_ABSENT` without TLS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_peer_ca_pem(
    peer: Option<&chatnio_peer>,
    pem: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(peer => {
        let ca = peer.ca.as_deref().ok_or(Failure::new(CHATNIO_ABSENT, "the peer has no TLS"))?;
        put(pem, chatnio_text::new(ca))
    })
}

/// Takes bytes of the client.
///
/// Errors: `CHATNIO_INVALID`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_peer_receive(
    peer: Option<&mut chatnio_peer>,
    now: u64,
    bytes: *const u8,
    bytes_len: usize,
) -> i32 {
    boundary!(peer => {
        let bytes = input!(bytes bytes, bytes_len)?;
        peer.peer.receive(time(now), bytes);
        Ok(())
    })
}

/// Tells the peer that the client's stream has ended.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_peer_eof(peer: Option<&mut chatnio_peer>, now: u64) -> i32 {
    boundary!(peer => {
        peer.peer.handle_eof(time(now));
        Ok(())
    })
}

/// Does what is due at `now`: the fake models' next pieces.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_peer_handle_timeout(peer: Option<&mut chatnio_peer>, now: u64) -> i32 {
    boundary!(peer => {
        peer.peer.handle_timeout(time(now));
        Ok(())
    })
}

/// Sends a text message to the client, whatever the server is doing: for tests that play its part themselves.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`, `CHATNIO_CLOSED` when the WebSocket is not open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_peer_send(
    peer: Option<&mut chatnio_peer>,
    message: *const c_char,
    message_len: usize,
) -> i32 {
    boundary!(peer => {
        let message = input!(text message, message_len)?;
        if !peer.peer.send(message.to_owned()) {
            return Err(Failure::new(CHATNIO_CLOSED, "the WebSocket is not open"));
        }
        Ok(())
    })
}

/// Cuts the connection, as a server does that ends: once everything is sent it is finished.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_peer_cut(peer: Option<&mut chatnio_peer>) -> i32 {
    boundary!(peer => {
        peer.peer.cut();
        Ok(())
    })
}

/// Gets the bytes for the client. They live, and stay where they are, until the next `chatnio_peer_transmit()` or
/// `chatnio_peer_transmitted()`, or until the peer is freed.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_AGAIN` when there are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_peer_transmit(
    peer: Option<&mut chatnio_peer>,
    bytes: Option<&mut MaybeUninit<chatnio_bytes>>,
) -> i32 {
    boundary!(peer => {
        let out = bytes.ok_or(Failure::invalid("bytes is NULL"))?;
        if peer.transmitted == peer.transmit.len() {
            let pending = peer.peer.poll_transmit().ok_or(Failure::AGAIN)?.to_vec();
            peer.peer.transmitted(pending.len());
            peer.transmit = Zeroizing::new(pending);
            peer.transmitted = 0;
        }
        out.write(chatnio_bytes::new(&peer.transmit[peer.transmitted..]));
        Ok(())
    })
}

/// Says that the first `count` of those bytes reached the client.
///
/// Errors: `CHATNIO_INVALID` for NULL, or for more than were given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_peer_transmitted(peer: Option<&mut chatnio_peer>, count: usize) -> i32 {
    boundary!(peer => {
        if count > peer.transmit.len() - peer.transmitted {
            return Err(Failure::invalid("more bytes were transmitted than were handed out"));
        }
        peer.transmitted += count;
        Ok(())
    })
}

/// Gets what the peer waits for, as `chatnio_connection_wants()` does.
///
/// Errors: `CHATNIO_INVALID`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_peer_wants(peer: Option<&mut chatnio_peer>, wants: *mut chatnio_wants) -> i32 {
    boundary!(peer => {
        let target = Target::new(wants)?;
        let unsent = peer.transmitted < peer.transmit.len();
        let want_write = unsent || peer.peer.poll_transmit().is_some();
        target.fill(chatnio_wants {
            size: size_of::<chatnio_wants>(),
            deadline: deadline_ms(peer.peer.next_deadline()),
            want_read: peer.peer.wants_input(),
            want_write,
            finished: !want_write && peer.peer.finished(),
        });
        Ok(())
    })
}

/// Frees a peer; NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_peer_free(peer: Option<Box<chatnio_peer>>) {
    free(peer);
}
