//! `chatnio_client`: blocking.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::time::Duration;

use chatnio_transport::{Answer, Client, ClientError, Endpoint, Event, RequestError, State, TlsSession};

use crate::auth::chatnio_auth;
use crate::boundary::{Health, Object, boundary, free, input, put, put_optional};
use crate::config::chatnio_config;
use crate::error::{chatnio_error, construct};
use crate::event::{chatnio_answer, chatnio_conversation, chatnio_counters, chatnio_event, put_conversation, state_of};
use crate::failure::Failure;
use crate::growing::Target;
use crate::kept::Kept;
use crate::refusal::{BODY, Refusal, put_part, put_retry_after};
use crate::request::chatnio_request;
use crate::stopper::chatnio_stopper;
use crate::tls::{put_certificate, put_tls};
use crate::transcript::chatnio_transcript;
use crate::view::{chatnio_bytes, chatnio_text};

/// A blocking client: a TCP socket and a connection.
///
/// No thread runs in the background: while no call is under way nothing is received, and nothing kept alive.
pub struct chatnio_client {
    health: Health,
    pub(crate) client: Client,
    kept: Kept,
    /// What `chatnio_client_answer` has shown.
    running: Option<Answer>,
    /// What `chatnio_client_refusal` has shown.
    refusal: Option<Box<Refusal>>,
    /// What `chatnio_client_tls_certificate` has shown.
    tls: Option<TlsSession>,
}

impl Object for chatnio_client {
    fn health(&self) -> &Health {
        &self.health
    }
}

impl chatnio_client {
    fn new(mut client: Client) -> Self {
        client.set_interruptible(true);
        // Freed without I/O: whoever wants to say goodbye closes first.
        client.set_polite(false);
        chatnio_client { health: Health::new(), client, kept: Kept::default(), running: None, refusal: None, tls: None }
    }

    /// Waits for one event.
    fn next(&mut self, target: Target<chatnio_event>, timeout_ms: i32) -> Result<(), Failure> {
        let chatnio_client { client, kept, .. } = self;
        kept.clear();
        let event = match u64::try_from(timeout_ms) {
            Ok(ms) => client.next_within(Duration::from_millis(ms))?,
            Err(_) => client.next_within(Duration::MAX)?,
        };
        match event.map(|event| kept.show(target, event)) {
            Some(()) => Ok(()),
            // An end of the server's is an error of its own.
            None if client.state() == State::Closed => Err(RequestError::Closed.into()),
            None => Err(Failure::AGAIN),
        }
    }

    /// Waits for the running turn's end; not at all when none runs.
    fn wait(&mut self, target: Target<chatnio_event>, timeout_ms: i32) -> Result<(), Failure> {
        let chatnio_client { client, kept, .. } = self;
        kept.clear();
        let timeout = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
        match client.wait_for_end(timeout, |end| kept.show(target, Event::End(end)))? {
            Some(()) => Ok(()),
            None if client.state() == State::Closed => Err(RequestError::Closed.into()),
            None => Err(Failure::AGAIN),
        }
    }

    /// Shows the answer that a reconnect or a close has interrupted.
    fn show_end(&mut self, answer: Option<Box<Answer>>) -> chatnio_event {
        self.kept.clear();
        answer.map_or_else(chatnio_event::none, |answer| self.kept.show_end(answer))
    }
}

/// Connects to `url` (see `chatnio_connection_new()`) and waits until the WebSocket is open, within
/// `chatnio_config_set_connect()` and `chatnio_config_set_handshake()`. `config` and `auth` may be NULL: the defaults,
/// and without an account.
///
/// A signal does not break it off.
///
/// On failure `error`, if it is not NULL, gets a text to be freed, with the HTTP status and the body of a refusal.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`, `CHATNIO_BAD_URL`, `CHATNIO_BAD_ROOTS`, `CHATNIO_PLAIN_TOKEN`,
/// `CHATNIO_EMPTY_TOKEN`, `CHATNIO_BAD_CONVERSATION`, `CHATNIO_EMPTY_SHARE`, `CHATNIO_REQUEST_TOO_LONG`; `CHATNIO_RESOLVE`, `CHATNIO_CONNECT`,
/// `CHATNIO_CONNECT_TIMEOUT`, `CHATNIO_HANDSHAKE_TIMEOUT`, `CHATNIO_THROTTLED`, `CHATNIO_REFUSED`, `CHATNIO_HTTP`,
/// `CHATNIO_UNAVAILABLE`, `CHATNIO_PROXY_AUTH`, `CHATNIO_PROXY_REFUSED`, `CHATNIO_NOT_A_PROXY`,
/// `CHATNIO_UPGRADE`, `CHATNIO_BAD_HTTP`, `CHATNIO_TLS` and the others of TLS, `CHATNIO_END_OF_STREAM`,
/// `CHATNIO_TRUNCATED`, `CHATNIO_IO`,
/// `CHATNIO_NO_RANDOM`, `CHATNIO_SYSTEM`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_new(
    config: Option<&chatnio_config>,
    auth: Option<&chatnio_auth>,
    url: *const c_char,
    url_len: usize,
    out: Option<&mut MaybeUninit<*mut chatnio_client>>,
    error: Option<&mut MaybeUninit<*mut chatnio_error>>,
) -> i32 {
    construct(out, error, || {
        let url = input!(text url, url_len)?;
        let auth = chatnio_auth::given(auth)?;
        let client = chatnio_config::connected(config, |config| Ok(Client::connect(url, auth, config)?))?;
        Ok(chatnio_client::new(client))
    })
}

/// As `chatnio_client_new()`, with a stopper that is there before the client: its `chatnio_stopper_close()`, on another
/// thread, ends the connect within a moment. Afterwards it is one of the client's stoppers. Each client takes one of its
/// own.
///
/// Errors: as `chatnio_client_new()`; `CHATNIO_CLOSED` when the stopper has closed it.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_new_with_stopper(
    config: Option<&chatnio_config>,
    auth: Option<&chatnio_auth>,
    url: *const c_char,
    url_len: usize,
    stopper: Option<&chatnio_stopper>,
    out: Option<&mut MaybeUninit<*mut chatnio_client>>,
    error: Option<&mut MaybeUninit<*mut chatnio_error>>,
) -> i32 {
    construct(out, error, || {
        let url = input!(text url, url_len)?;
        let auth = chatnio_auth::given(auth)?;
        let stopper = stopper.ok_or(Failure::invalid("stopper is NULL"))?;
        stopper.health.check()?;
        let client =
            chatnio_config::connected(config, |config| Ok(Client::connect_with(url, auth, config, &stopper.stopper)?))?;
        Ok(chatnio_client::new(client))
    })
}

/// As `chatnio_client_new()`, over a stream socket that the host has connected, to the proxy if there is one: of TCP, or of
/// Unix (also of socketpair(2)); a descriptor, or a `SOCKET` on Windows. The client works on a duplicate of it, so the host
/// closes its own after the call, whatever that answers. Its time-outs and options are changed; on macOS set SO_NOSIGPIPE before. To reconnect the client needs
/// another: `chatnio_client_reconnect_socket()`.
///
/// Errors: as `chatnio_client_new()`, except those of looking up and connecting; `CHATNIO_INVALID` also when it is no such
/// socket.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_new_socket(
    config: Option<&chatnio_config>,
    auth: Option<&chatnio_auth>,
    url: *const c_char,
    url_len: usize,
    socket: i64,
    out: Option<&mut MaybeUninit<*mut chatnio_client>>,
    error: Option<&mut MaybeUninit<*mut chatnio_error>>,
) -> i32 {
    construct(out, error, || {
        let endpoint = Endpoint::parse(input!(text url, url_len)?)?;
        let auth = chatnio_auth::given(auth)?;
        let socket = given(socket)?;
        let client = chatnio_config::connected(config, |config| {
            Ok(Client::from_stream(duplicate(socket)?, &endpoint, auth, config)?)
        })?;
        Ok(chatnio_client::new(client))
    })
}

#[cfg(unix)]
use std::os::fd::RawFd as RawSocket;
#[cfg(windows)]
use std::os::windows::io::RawSocket;

/// The host's socket, which may be none.
fn given(socket: i64) -> Result<RawSocket, Failure> {
    let raw = RawSocket::try_from(socket).ok();
    raw.filter(|_| socket >= 0).ok_or(Failure::invalid("not a socket"))
}

/// A socket of the client's own for the host's one.
///
/// # Errors
/// [`ClientError::NotAStream`] where nothing is open by that number, or on Windows no socket.
fn duplicate(socket: RawSocket) -> Result<TcpStream, ClientError> {
    // SAFETY: it is not negative, so neither -1 nor INVALID_SOCKET; one that is not open fails to be duplicated.
    #[cfg(unix)]
    let given = unsafe { std::os::fd::BorrowedFd::borrow_raw(socket) };
    // SAFETY: as above.
    #[cfg(windows)]
    let given = unsafe { std::os::windows::io::BorrowedSocket::borrow_raw(socket) };
    // EBADF, which is this number everywhere; WSAENOTSOCK.
    let none = if cfg!(windows) { 10038 } else { 9 };
    given.try_clone_to_owned().map(TcpStream::from).map_err(|error| match error.raw_os_error() {
        Some(code) if code == none => ClientError::NotAStream,
        _ => error.into(),
    })
}

/// Sends a request without waiting for its answer: `chatnio_client_next()` then brings its events. One that is held
/// (`chatnio_config_set_settle()`) goes out in a later call, which may be `chatnio_client_close()`; not in
/// `chatnio_client_free()`. Invalidates no view.
///
/// Errors, after which nothing has changed: those of `chatnio_session_request()`; once the connection is over, what
/// ended it, from the fatal band.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_request(
    client: Option<&mut chatnio_client>,
    request: Option<&chatnio_request>,
) -> i32 {
    boundary!(client => {
        let request = chatnio_request::given(request)?;
        client.client.request(&request)?;
        Ok(())
    })
}

/// Sends a chat or a restart and waits for its end, which is the event: the whole answer is in it. The turn's deadlines
/// bound the wait.
///
/// Errors: those of `chatnio_client_request()`, also `CHATNIO_BAD_PARAMETERS` for a request that has no answer; then
/// nothing was sent. `CHATNIO_INTERRUPTED` when a signal came while waiting: go on by `chatnio_client_wait()`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_ask(
    client: Option<&mut chatnio_client>,
    request: Option<&chatnio_request>,
    event: *mut chatnio_event,
) -> i32 {
    boundary!(client => {
        let target = Target::new(event)?;
        let request = chatnio_request::given(request)?;
        let kind = request.kind();
        if !kind.begins_turn() {
            return Err(ClientError::NotAnswered { kind }.into());
        }
        client.client.request(&request)?;
        client.wait(target, -1)
    })
}

/// Waits for the next event, at most `timeout_ms` milliseconds: 0 only looks, -1 (or less) has no limit. While a turn
/// runs its deadlines bound the wait; while none runs, waiting keeps the connection alive. The thread sleeps until then.
/// Only while a turn may still be stopped does it wake ten times a second, because a stop brings deadlines of its own.
///
/// What the event points to lives until the next call of `next`, `wait`, `ask`, `close`, `reconnect`,
/// `reconnect_socket` or `free` on this client.
///
/// Errors: `CHATNIO_INVALID`; `CHATNIO_AGAIN` when none came; `CHATNIO_INTERRUPTED` when a signal came first: nothing is
/// lost, call again; once the connection is over and its events are taken, what ended it, from the fatal band:
/// `CHATNIO_CLOSED`, `CHATNIO_CLOSED_BY_SERVER`, `CHATNIO_END_OF_STREAM`, `CHATNIO_TRUNCATED`, `CHATNIO_IO`,
/// `CHATNIO_UNRESPONSIVE`, `CHATNIO_CLOSE_TIMEOUT`, `CHATNIO_PROTOCOL`, `CHATNIO_SERVER_NOT_UTF8`,
/// `CHATNIO_OVERSIZED`, `CHATNIO_NO_RANDOM`, `CHATNIO_TLS`; after a reconnect that has failed, what that one answered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_next(
    client: Option<&mut chatnio_client>,
    timeout_ms: i32,
    event: *mut chatnio_event,
) -> i32 {
    boundary!(client => {
        client.next(Target::new(event)?, timeout_ms)
    })
}

/// Waits for the running turn's end, which is the event, and passes over its pieces: the answer has gathered them.
/// `timeout_ms` is as in `chatnio_client_next()`, but when no turn runs it does not wait.
///
/// Errors: as `chatnio_client_next()`; `CHATNIO_AGAIN` also when no turn runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_wait(
    client: Option<&mut chatnio_client>,
    timeout_ms: i32,
    event: *mut chatnio_event,
) -> i32 {
    boundary!(client => {
        let target = Target::new(event)?;
        client.wait(target, timeout_ms)
    })
}

/// Stops the running answer: see `chatnio_session_stop()`. Its end comes by `chatnio_client_next()`. Invalidates no view.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_CLOSED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_stop(
    client: Option<&mut chatnio_client>,
    sent: Option<&mut MaybeUninit<bool>>,
) -> i32 {
    boundary!(client => {
        put_optional(sent, client.client.stop()?);
        Ok(())
    })
}

/// Closes the connection in an orderly way, within `chatnio_config_set_close()`, and waits for that; a signal does not
/// break it off. A running turn ends interrupted: its end is the event, otherwise that is `CHATNIO_EVENT_NONE`. Afterwards
/// only a reconnect works.
///
/// `chatnio_client_free()` says no goodbye: a host that leaves an answer stops or closes first, or pays for its rest.
///
/// Errors: `CHATNIO_INVALID`; when the connection was lost instead and no turn ran, how, from the fatal band.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_close(client: Option<&mut chatnio_client>, event: *mut chatnio_event) -> i32 {
    boundary!(client => {
        let target = Target::new(event)?;
        let answer = client.client.close()?;
        target.fill(client.show_end(answer));
        Ok(())
    })
}

/// Connects anew to the same URL, and continues the conversation that the server opened. Works in any state. A running
/// turn ends interrupted first: its end is the event, otherwise that is `CHATNIO_EVENT_NONE`. Turn numbers and counters
/// go on, a recording starts afresh, stoppers stay valid.
///
/// What the server loads is what it saved last: the question, perhaps not the answer.
///
/// The old connection is left first, without a word to the server. A signal does not break it off, but a stopper's close
/// does, after the name look-up or connect that it is in.
///
/// Errors: as `chatnio_client_new()`, and `CHATNIO_CLOSED` when a stopper has closed it meanwhile: then there is no
/// connection any more, and the other calls answer the same until this one, which may be tried again, has succeeded; if
/// a turn had ended by then, its end is the next event. `CHATNIO_GIVEN_SOCKET`, after which nothing has changed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_reconnect(
    client: Option<&mut chatnio_client>,
    event: *mut chatnio_event,
) -> i32 {
    boundary!(client => {
        let target = Target::new(event)?;
        let answer = client.client.reconnect()?;
        target.fill(client.show_end(answer));
        Ok(())
    })
}

/// `chatnio_client_reconnect()` over a socket that the host has connected anew: see `chatnio_client_new_socket()`.
///
/// Errors: as `chatnio_client_reconnect()`, except those of looking up and connecting; `CHATNIO_INVALID`, after which nothing
/// has changed, when it is no such socket.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_reconnect_socket(
    client: Option<&mut chatnio_client>,
    socket: i64,
    event: *mut chatnio_event,
) -> i32 {
    boundary!(client => {
        let target = Target::new(event)?;
        let socket = given(socket)?;
        let answer = client.client.reconnect_stream(duplicate(socket)?)?;
        target.fill(client.show_end(answer));
        Ok(())
    })
}

/// Gets what the session is doing (`chatnio_state`).
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_state(
    client: Option<&chatnio_client>,
    state: Option<&mut MaybeUninit<i32>>,
) -> i32 {
    boundary!(client => put(state, state_of(client.client.state())))
}

/// Gets the running turn's answer so far: a copy, which lives until the next call of this function, or frees the client.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_ABSENT` when no turn runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_answer(
    client: Option<&mut chatnio_client>,
    answer: *mut chatnio_answer,
) -> i32 {
    boundary!(client => {
        let target = Target::new(answer)?;
        client.running = client.client.with_session(|session| session.answer().cloned());
        chatnio_answer::show_running(target, client.running.as_ref())
    })
}

/// Gets which conversation the connection is in, as far as the server has said.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_conversation(
    client: Option<&chatnio_client>,
    conversation: Option<&mut MaybeUninit<chatnio_conversation>>,
) -> i32 {
    boundary!(client => put_conversation(conversation, client.client.conversation()))
}

/// Gets what the session has counted.
///
/// Errors: `CHATNIO_INVALID`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_counters(
    client: Option<&chatnio_client>,
    counters: *mut chatnio_counters,
) -> i32 {
    boundary!(client => {
        Target::new(counters)?.fill(client.client.counters().into());
        Ok(())
    })
}

/// Gets about how many bytes the client holds: see `chatnio_connection_memory()`.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_memory(
    client: Option<&chatnio_client>,
    bytes: Option<&mut MaybeUninit<usize>>,
) -> i32 {
    boundary!(client => {
        let running = client.running.as_ref().map_or(0, |answer| answer.text.len());
        let body = client.refusal.as_ref().map_or(0, |refusal| refusal.memory());
        let shown = client.kept.memory() + running + body;
        put(bytes, size_of::<chatnio_client>() + client.client.memory() + shown)
    })
}

/// Gets the code with which the connection ended, once it is over: the WebSocket's close code, or the HTTP status that came
/// in answer to a reconnect, as in a connection's `CHATNIO_EVENT_CLOSED`. 0 where there was none, and before.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_end_code(
    client: Option<&chatnio_client>,
    code: Option<&mut MaybeUninit<i32>>,
) -> i32 {
    boundary!(client => {
        let end = client.client.end();
        put(code, end.and_then(|end| end.code()).unwrap_or_default().into())
    })
}

/// Gets the body of the HTTP answer that refused a reconnect: see `chatnio_connection_refusal_body()`. A copy, which
/// lives until the next call of this function, or frees the client.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_ABSENT` when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_refusal_body(
    client: Option<&mut chatnio_client>,
    body: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(client => {
        client.refusal = client.client.end().as_ref().and_then(Refusal::of);
        put_part(body, client.refusal.as_deref(), BODY)
    })
}

/// Gets a part of the HTTP answer that refused a reconnect (`chatnio_refusal_part`). A copy, which lives as that of
/// `chatnio_client_refusal_body()`.
///
/// Errors: `CHATNIO_INVALID` for NULL or an unknown constant, `CHATNIO_ABSENT` when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_refusal(
    client: Option<&mut chatnio_client>,
    part: i32,
    text: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(client => {
        client.refusal = client.client.end().as_ref().and_then(Refusal::of);
        put_part(text, client.refusal.as_deref(), part)
    })
}

/// Gets after how many milliseconds the server, or a gateway or a proxy before it, that refused a reconnect wants to be asked
/// again.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_ABSENT` when it has not said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_retry_after(
    client: Option<&chatnio_client>,
    ms: Option<&mut MaybeUninit<u64>>,
) -> i32 {
    boundary!(client => {
        let refusal = client.client.end().as_ref().and_then(Refusal::of);
        put_retry_after(ms, refusal.as_deref())
    })
}

/// Gets what TLS has agreed on: see `chatnio_connection_tls()`.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_ABSENT` without TLS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_tls(
    client: Option<&chatnio_client>,
    version: Option<&mut MaybeUninit<chatnio_text>>,
    cipher: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(client => put_tls(client.client.tls().as_ref(), version, cipher))
}

/// Gets a certificate that the server has shown: see `chatnio_connection_tls_certificate()`. A copy, which lives until the
/// next call of this function, or until the client is freed.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_ABSENT` when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_tls_certificate(
    client: Option<&mut chatnio_client>,
    at: usize,
    der: Option<&mut MaybeUninit<chatnio_bytes>>,
) -> i32 {
    boundary!(client => {
        client.tls = client.client.tls();
        put_certificate(client.tls.as_ref(), at, der)
    })
}

/// Makes a transcript of what was sent and received so far, without tokens, if the configuration records: of this
/// connection, for a reconnect begins a new one. Free it with `chatnio_transcript_free()`.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_ABSENT` when nothing is recorded.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_transcript(
    client: Option<&chatnio_client>,
    out: Option<&mut MaybeUninit<*mut chatnio_transcript>>,
) -> i32 {
    boundary!(client => chatnio_transcript::hand_over(out, client.client.transcript()))
}

/// Copies the text of the last failed call on `client` into `buffer`: as much as fits, NUL-terminated. `length`, which
/// may be NULL, gets the whole length without the NUL; 0 when no call has failed. `(NULL, 0)` only asks for the length.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_error(
    client: Option<&chatnio_client>,
    buffer: *mut c_char,
    capacity: usize,
    length: Option<&mut MaybeUninit<usize>>,
) -> i32 {
    crate::boundary::error_text(client, buffer, capacity, length)
}

/// Frees a client and wipes its token; NULL is fine. Closes its descriptors, and does no other I/O: no stop, no goodbye,
/// no shutdown(2). That is why a forked child may free a client of its parent's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_free(client: Option<Box<chatnio_client>>) {
    free(client);
}
