//! `chatnio_connection`: byte level, for hosts with a socket and an event loop of their own.

use std::ffi::{CString, c_char};
use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

use chatnio_transport::{Connection, ConnectionEnd, ConnectionEvent, Endpoint, EventStorage, TlsSession};
use zeroize::Zeroizing;

use crate::auth::chatnio_auth;
use crate::boundary::{Health, Object, boundary, free, input, put, put_optional};
use crate::config::chatnio_config;
use crate::error::{chatnio_error, construct};
use crate::event::{chatnio_answer, chatnio_conversation, chatnio_counters, chatnio_event, put_conversation, state_of};
use crate::failure::Failure;
use crate::growing::{Growing, Target};
use crate::kept::Kept;
use crate::refusal::{BODY, Refusal, put_part, put_retry_after};
use crate::request::chatnio_request;
use crate::retry::put_cause;
use crate::status::chatnio_status::CHATNIO_BAD_URL;
use crate::time::{deadline_ms, time};
use crate::tls::{put_certificate, put_tls};
use crate::transcript::chatnio_transcript;
use crate::view::{chatnio_bytes, chatnio_text};

/// The chat protocol on one connection, at byte level: TLS and WebSocket are inside, the host has the socket.
///
/// Bytes of the server go in by `chatnio_connection_receive()`; events are taken by `chatnio_connection_next_event()`
/// until it answers `CHATNIO_AGAIN`, and bytes for the server by `chatnio_connection_transmit()` and
/// `chatnio_connection_transmitted()`. What the host is to wait for then, `chatnio_connection_wants()` says.
pub struct chatnio_connection {
    health: Health,
    connection: Connection,
    now: Duration,
    /// What the last events point to, one for each of the largest batch so far.
    slots: Vec<Slot>,
    /// Whether there was an event at the last look, or something has happened since that may have brought one.
    may_have_events: bool,
    /// A copy of what waits to be sent, which stays where it is while it is being sent: what the connection itself holds
    /// moves when a request is added.
    transmit: Zeroizing<Vec<u8>>,
    /// How much of that was sent.
    transmitted: usize,
    host: CString,
    /// The HTTP answer that refused it.
    refusal: Option<Box<Refusal>>,
    /// What `chatnio_connection_tls_certificate` has shown.
    tls: Option<TlsSession>,
}

/// What an event that was handed out points to.
#[derive(Default)]
struct Slot {
    storage: EventStorage,
    kept: Kept,
}

impl Object for chatnio_connection {
    fn health(&self) -> &Health {
        &self.health
    }
}

/// What a connection's host is to wait for. The caller sets `size`, the library fills the rest.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct chatnio_wants {
    /// As in `chatnio_event`.
    pub size: usize,
    /// When to call `chatnio_connection_handle_timeout()`, on the clock of `now`; `UINT64_MAX` for never. See
    /// `chatnio_timeout_ms()`.
    pub deadline: u64,
    /// Read the socket, and give what comes to `chatnio_connection_receive()`. False while there are events to be taken,
    /// which pushes back on the server, and when the connection is over. With edge-triggered waiting: take the events, ask
    /// again, and read until the socket has no more; an edge that was passed over does not come back.
    pub want_read: bool,
    /// Bytes wait to be sent: `chatnio_connection_transmit()`.
    pub want_write: bool,
    /// The connection is over, its events are taken, and nothing is left to send: close the socket.
    pub finished: bool,
}

// SAFETY: `repr(C)`, and `size` is the first field.
unsafe impl Growing for chatnio_wants {
    const V1: usize = size_of::<Self>();
}

impl chatnio_connection {
    fn advance(&mut self, now: u64) -> Duration {
        self.now = self.now.max(time(now));
        self.may_have_events = true;
        self.now
    }

    /// Shows the next event. Whether there is one.
    fn next(&mut self, target: Target<chatnio_event>, index: usize) -> bool {
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, Slot::default);
        }
        let Slot { storage, kept } = &mut self.slots[index];
        kept.clear();
        match self.connection.poll_event(self.now, storage) {
            None => {
                self.may_have_events = false;
                return false;
            }
            Some(ConnectionEvent::Session(event)) => kept.show(target, event),
            Some(ConnectionEvent::Open) => target.fill(kept.show_open()),
            Some(ConnectionEvent::Closed(end)) => {
                self.refusal = Refusal::of(&end);
                target.fill(kept.show_closed(&end));
            }
            Some(_) => target.fill(chatnio_event::none()),
        }
        true
    }

    fn unsent(&self) -> &[u8] {
        self.transmit.get(self.transmitted..).unwrap_or_default()
    }
}

/// Makes a connection to `url` and begins its handshake: the first bytes to send are there at once. The host connects
/// the socket, to `chatnio_connection_host()` and `chatnio_connection_port()`. `config` and `auth` may be NULL: the
/// defaults, and without an account. `now` is the time in milliseconds on a monotonic clock of the host's, as in all
/// calls; one that goes back counts as standing still.
///
/// URLs: `ws`, `wss`, `http` (as ws), `https` (as wss), or a bare host (as wss). Without a path `/chat` is added, `/api`
/// becomes `/api/chat`, any other path is used as it is. Written out, 8,000 bytes at most.
///
/// On failure `error`, if it is not NULL, gets a text to be freed.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`, `CHATNIO_BAD_URL`, `CHATNIO_BAD_ROOTS`, `CHATNIO_PLAIN_TOKEN`,
/// `CHATNIO_EMPTY_TOKEN`, `CHATNIO_BAD_CONVERSATION`, `CHATNIO_EMPTY_SHARE`, `CHATNIO_REQUEST_TOO_LONG`,
/// `CHATNIO_NO_RANDOM`, `CHATNIO_TLS_NO_ROOTS`, `CHATNIO_TLS_CERTIFICATE` (a host that no certificate can be for),
/// `CHATNIO_TLS`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_new(
    config: Option<&chatnio_config>,
    auth: Option<&chatnio_auth>,
    url: *const c_char,
    url_len: usize,
    now: u64,
    out: Option<&mut MaybeUninit<*mut chatnio_connection>>,
    error: Option<&mut MaybeUninit<*mut chatnio_error>>,
) -> i32 {
    construct(out, error, || {
        let endpoint = Endpoint::parse(input!(text url, url_len)?)?;
        let auth = chatnio_auth::given(auth)?;
        let now = time(now);
        let connection =
            chatnio_config::connected(config, |config| Ok(Connection::new(&endpoint, auth, config, now)?))?;
        let host = CString::new(connection.peer().0);
        Ok(chatnio_connection {
            health: Health::new(),
            connection,
            now,
            slots: Vec::new(),
            may_have_events: false,
            transmit: Zeroizing::default(),
            transmitted: 0,
            host: host.map_err(|_| Failure::new(CHATNIO_BAD_URL, "the host holds a NUL"))?,
            refusal: None,
            tls: None,
        })
    })
}

/// Gets the host to connect the socket to, the proxy if there is one, without brackets around an IPv6 address. It lives as
/// long as the connection, and, unlike other views, a NUL follows it: getaddrinfo(3) wants one.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_host(
    connection: Option<&chatnio_connection>,
    host: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(connection => put(host, connection.host.as_c_str().into()))
}

/// Gets the port to connect the socket to.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_port(
    connection: Option<&chatnio_connection>,
    port: Option<&mut MaybeUninit<u16>>,
) -> i32 {
    boundary!(connection => put(port, connection.connection.peer().1))
}

/// Sends a request, at once or when the WebSocket is open: see `chatnio_session_request()`. Invalidates no view.
///
/// Errors, after which nothing has changed: those of `chatnio_session_request()`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_request(
    connection: Option<&mut chatnio_connection>,
    now: u64,
    request: Option<&chatnio_request>,
) -> i32 {
    boundary!(connection => {
        let request = chatnio_request::given(request)?;
        connection.connection.request(time(now), &request)?;
        Ok(())
    })
}

/// Stops the running answer: see `chatnio_session_stop()`. Invalidates no view.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_CLOSED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_stop(
    connection: Option<&mut chatnio_connection>,
    now: u64,
    sent: Option<&mut MaybeUninit<bool>>,
) -> i32 {
    boundary!(connection => {
        put_optional(sent, connection.connection.stop(time(now))?);
        Ok(())
    })
}

/// Closes the connection in an orderly way, within `chatnio_config_set_close()`; at once when it is not open yet. What
/// still comes is handed out, and a running turn ends interrupted. Requests that have no answer and are held
/// (`chatnio_config_set_settle()`) go out before, at their time. A repeated call does nothing. Invalidates no view.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_close(connection: Option<&mut chatnio_connection>, now: u64) -> i32 {
    boundary!(connection => {
        let now = connection.advance(now);
        connection.connection.close(now);
        Ok(())
    })
}

/// Takes bytes of the server, split in any way; they are copied. What came of them, `chatnio_connection_next_event()`
/// says.
///
/// Invalidates what events point to.
///
/// Once the connection is over (`CHATNIO_EVENT_CLOSED`), they are passed over.
///
/// Errors: `CHATNIO_INVALID`; `CHATNIO_UNDRAINED` when input waits for its events to be taken already, and would be more
/// than `chatnio_config_set_max_message()` with this (but at least 1 MiB, and at most 256 MiB): nothing of it was taken
/// then. When none waits, after `CHATNIO_AGAIN`, any size is taken.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_receive(
    connection: Option<&mut chatnio_connection>,
    now: u64,
    bytes: *const u8,
    bytes_len: usize,
) -> i32 {
    boundary!(connection => {
        let bytes = input!(bytes bytes, bytes_len)?;
        let now = connection.advance(now);
        Ok(connection.connection.receive(now, bytes)?)
    })
}

/// Tells the connection that the stream has ended: the server closed it. A repeated call does nothing.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_eof(connection: Option<&mut chatnio_connection>, now: u64) -> i32 {
    boundary!(connection => {
        let now = connection.advance(now);
        connection.connection.handle_eof(now);
        Ok(())
    })
}

/// Tells the connection that the socket has failed, and how: `errno` (`WSAGetLastError()` on Windows) of the call that
/// did, or 0. A repeated call does nothing.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_failed(
    connection: Option<&mut chatnio_connection>,
    now: u64,
    os_error: i32,
) -> i32 {
    boundary!(connection => {
        let now = connection.advance(now);
        let kind = if os_error == 0 { io::ErrorKind::Other } else { io::Error::from_raw_os_error(os_error).kind() };
        connection.connection.handle_error(now, kind);
        Ok(())
    })
}

/// Does what is due at `now`; what comes of it, `chatnio_connection_next_event()` says. Give what the socket has to
/// `chatnio_connection_receive()` before, or a host that was busy for long takes its own silence for the server's.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_handle_timeout(
    connection: Option<&mut chatnio_connection>,
    now: u64,
) -> i32 {
    boundary!(connection => {
        let now = connection.advance(now);
        connection.connection.handle_timeout(now);
        Ok(())
    })
}

/// Gets the next event. Call it after each of the calls above until it answers `CHATNIO_AGAIN`.
///
/// What the event points to lives until the next call of `receive`, `eof`, `failed`, `handle_timeout`,
/// `next_event`, `next_events`, `reconnect` or `free` on this connection.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_AGAIN` when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_next_event(
    connection: Option<&mut chatnio_connection>,
    event: *mut chatnio_event,
) -> i32 {
    boundary!(connection => {
        let target = Target::new(event)?;
        if connection.next(target, 0) { Ok(()) } else { Err(Failure::AGAIN) }
    })
}

/// Gets up to `capacity` events at once, which is faster than one by one where a call costs much. They lie `stride`
/// bytes apart in `events`; `stride` is `sizeof(chatnio_event)` as the caller's compiler knows it, and each event's
/// `size` is set to it. `count` gets how many there were; with less than `capacity` there are no more for now.
///
/// What all of them point to lives as long as with `chatnio_connection_next_event()`. The memory for the largest batch
/// so far is kept until the connection is freed or reconnected.
///
/// Errors: `CHATNIO_INVALID`, also for a capacity of 0; `CHATNIO_AGAIN` when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_next_events(
    connection: Option<&mut chatnio_connection>,
    events: *mut chatnio_event,
    capacity: usize,
    stride: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> i32 {
    boundary!(connection => {
        let out = count.ok_or(Failure::invalid("count is NULL"))?;
        if capacity == 0 {
            return Err(Failure::invalid("the capacity is 0"));
        }
        let mut count = 0;
        while count < capacity {
            if !connection.next(Target::at(events, count, stride)?, count) {
                break;
            }
            count += 1;
        }
        if count == 0 {
            return Err(Failure::AGAIN);
        }
        out.write(count);
        Ok(())
    })
}

/// Gets the bytes to send next. Say by `chatnio_connection_transmitted()` how many of them the socket took; until then
/// the same are given.
///
/// They live, and stay where they are, until the next `chatnio_connection_transmit()` or
/// `chatnio_connection_transmitted()`, or until the connection is freed or reconnected.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_AGAIN` when there are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_transmit(
    connection: Option<&mut chatnio_connection>,
    bytes: Option<&mut MaybeUninit<chatnio_bytes>>,
) -> i32 {
    boundary!(connection => {
        let out = bytes.ok_or(Failure::invalid("bytes is NULL"))?;
        let pending = connection.connection.poll_transmit().ok_or(Failure::AGAIN)?;
        if connection.unsent().is_empty() {
            connection.transmit = Zeroizing::new(pending.to_vec());
            connection.transmitted = 0;
        }
        out.write(chatnio_bytes::new(connection.unsent()));
        Ok(())
    })
}

/// Says that the first `count` of the bytes from `chatnio_connection_transmit()` were sent.
///
/// Errors: `CHATNIO_INVALID` for NULL, or for more than were given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_transmitted(
    connection: Option<&mut chatnio_connection>,
    count: usize,
) -> i32 {
    boundary!(connection => {
        if count > connection.unsent().len() {
            return Err(Failure::invalid("more bytes were transmitted than were handed out"));
        }
        connection.transmitted += count;
        connection.connection.transmitted(count);
        Ok(())
    })
}

/// Gets what the host is to wait for: call it after the events are taken, before each wait.
///
/// Errors: `CHATNIO_INVALID`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_wants(
    connection: Option<&chatnio_connection>,
    wants: *mut chatnio_wants,
) -> i32 {
    boundary!(connection => {
        let target = Target::new(wants)?;
        let is_over = connection.connection.end().is_some();
        target.fill(chatnio_wants {
            size: size_of::<chatnio_wants>(),
            deadline: deadline_ms(connection.connection.next_deadline()),
            want_read: !is_over && !connection.may_have_events,
            want_write: connection.connection.poll_transmit().is_some(),
            finished: connection.connection.is_finished(),
        });
        Ok(())
    })
}

/// Starts afresh on a new socket, which the host connects to the same URL, and continues the conversation that the
/// server opened. Works in any state. What was received and not taken yet counts first, without its events: the running
/// answer takes it in, and may come to its end by it. Otherwise a running turn ends interrupted. Its end is the event; if
/// there is none, that is `CHATNIO_EVENT_NONE`. Turn numbers and counters go on, a recording starts afresh.
///
/// What the server loads is what it saved last: the question, perhaps not the answer.
///
/// Errors, after which nothing has changed: `CHATNIO_INVALID`, `CHATNIO_NO_RANDOM`, `CHATNIO_TLS`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_reconnect(
    connection: Option<&mut chatnio_connection>,
    now: u64,
    event: *mut chatnio_event,
) -> i32 {
    boundary!(connection => {
        let target = Target::new(event)?;
        let end = connection.connection.reconnect(time(now))?;
        connection.now = connection.now.max(time(now));
        connection.may_have_events = false;
        connection.transmit = Zeroizing::default();
        connection.transmitted = 0;
        connection.refusal = None;
        connection.slots.clear();
        connection.slots.push(Slot::default());
        match end {
            Some(end) => connection.slots[0].kept.show(target, end),
            None => target.fill(chatnio_event::none()),
        }
        Ok(())
    })
}

/// Gets what the session is doing (`chatnio_state`).
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_state(
    connection: Option<&chatnio_connection>,
    state: Option<&mut MaybeUninit<i32>>,
) -> i32 {
    boundary!(connection => put(state, state_of(connection.connection.session().state())))
}

/// Gets the running turn's answer so far. Its texts live as long as with `chatnio_connection_next_event()`.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_ABSENT` when no turn runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_answer(
    connection: Option<&chatnio_connection>,
    answer: *mut chatnio_answer,
) -> i32 {
    boundary!(connection => {
        chatnio_answer::show_running(Target::new(answer)?, connection.connection.session().answer())
    })
}

/// Gets which conversation the connection is in, as far as the server has said.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_conversation(
    connection: Option<&chatnio_connection>,
    conversation: Option<&mut MaybeUninit<chatnio_conversation>>,
) -> i32 {
    boundary!(connection => put_conversation(conversation, connection.connection.session().conversation()))
}

/// Gets what the session has counted.
///
/// Errors: `CHATNIO_INVALID`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_counters(
    connection: Option<&chatnio_connection>,
    counters: *mut chatnio_counters,
) -> i32 {
    boundary!(connection => {
        Target::new(counters)?.fill(connection.connection.session().counters().into());
        Ok(())
    })
}

/// Gets about how many bytes the connection holds: input, output, the running answer, shown events, the recording. What
/// TLS holds of its own (under 64 KiB) is not among them.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_memory(
    connection: Option<&chatnio_connection>,
    bytes: Option<&mut MaybeUninit<usize>>,
) -> i32 {
    boundary!(connection => {
        let slot = |slot: &Slot| size_of::<Slot>() + slot.kept.memory() + slot.storage.memory();
        let slots: usize = connection.slots.iter().map(slot).sum();
        let transmit = connection.transmit.capacity();
        put(bytes, size_of::<chatnio_connection>() + connection.connection.memory() + slots + transmit)
    })
}

/// Gets the body of the HTTP answer that refused the connection, at most 64 KiB, after `CHATNIO_EVENT_CLOSED` with
/// `CHATNIO_HTTP`, `CHATNIO_UNAVAILABLE`, `CHATNIO_REFUSED` or `CHATNIO_THROTTLED`. It lives until the
/// connection is freed or reconnected.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_ABSENT` when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_refusal_body(
    connection: Option<&chatnio_connection>,
    body: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(connection => put_part(body, connection.refusal.as_deref(), BODY))
}

/// Gets a part of the HTTP answer that refused the connection (`chatnio_refusal_part`). It lives as that of
/// `chatnio_connection_refusal_body()`.
///
/// Errors: `CHATNIO_INVALID` for NULL or an unknown constant, `CHATNIO_ABSENT` when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_refusal(
    connection: Option<&chatnio_connection>,
    part: i32,
    text: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(connection => put_part(text, connection.refusal.as_deref(), part))
}

/// Gets after how many milliseconds the server, or a gateway or a proxy before it, that refused the connection wants to be
/// asked again.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_ABSENT` when it has not said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_retry_after(
    connection: Option<&chatnio_connection>,
    ms: Option<&mut MaybeUninit<u64>>,
) -> i32 {
    boundary!(connection => put_retry_after(ms, connection.refusal.as_deref()))
}

/// Gets why connecting may be tried again (`chatnio_retry_cause`), after `CHATNIO_EVENT_CLOSED`: for `chatnio_retry_failed()`.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_ABSENT` before that, when the connection was open, when trying again would
/// bring the same, and after a time-out, for which nobody waits twice.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_retry_cause(
    connection: Option<&chatnio_connection>,
    cause: Option<&mut MaybeUninit<i32>>,
) -> i32 {
    boundary!(connection => {
        let found = connection.connection.end().and_then(ConnectionEnd::retry_cause);
        put_cause(cause, found.map(|(cause, _)| cause))
    })
}

/// Gets the version of TLS (`TLSv1.2`, `TLSv1.3`) and the cipher suite (as `TLS13_AES_256_GCM_SHA384`) that were agreed on.
/// Both texts live for ever.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_ABSENT` without TLS, and before its handshake is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_tls(
    connection: Option<&chatnio_connection>,
    version: Option<&mut MaybeUninit<chatnio_text>>,
    cipher: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(connection => put_tls(connection.connection.tls().as_ref(), version, cipher))
}

/// Gets a certificate that the server has shown, in DER: its own at 0, then those that lead to its authority. It lives
/// until the next call of this function, or until the connection is freed.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_ABSENT` when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_tls_certificate(
    connection: Option<&mut chatnio_connection>,
    at: usize,
    der: Option<&mut MaybeUninit<chatnio_bytes>>,
) -> i32 {
    boundary!(connection => {
        connection.tls = connection.connection.tls();
        put_certificate(connection.tls.as_ref(), at, der)
    })
}

/// Makes a transcript of what was sent and received so far, without tokens, if the configuration records: of this
/// connection, for a reconnect begins a new one. Free it with `chatnio_transcript_free()`.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_ABSENT` when nothing is recorded.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_transcript(
    connection: Option<&chatnio_connection>,
    out: Option<&mut MaybeUninit<*mut chatnio_transcript>>,
) -> i32 {
    boundary!(connection => chatnio_transcript::hand_over(out, connection.connection.transcript().cloned()))
}

/// Copies the text of the last failed call on `connection` into `buffer`: as much as fits, NUL-terminated. `length`,
/// which may be NULL, gets the whole length without the NUL; 0 when no call has failed. `(NULL, 0)` only asks for the
/// length.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_error(
    connection: Option<&chatnio_connection>,
    buffer: *mut c_char,
    capacity: usize,
    length: Option<&mut MaybeUninit<usize>>,
) -> i32 {
    crate::boundary::error_text(connection, buffer, capacity, length)
}

/// Frees a connection and wipes its token, without a word to the server; NULL is fine. The socket is the host's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_connection_free(connection: Option<Box<chatnio_connection>>) {
    free(connection);
}
