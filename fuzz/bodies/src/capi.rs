//! The C library by sequences of calls, under AddressSanitizer: NULL now and then, sizes that do not fit, and every view read
//! for as long as the header promises it.

#![expect(unsafe_code, reason = "these are the functions that C calls")]

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::panic;
use std::ptr;
use std::sync::Once;

use chatnio_c::auth::*;
use chatnio_c::config::*;
use chatnio_c::config_transport::*;
use chatnio_c::connection::*;
use chatnio_c::error::*;
use chatnio_c::event::*;
use chatnio_c::request::*;
use chatnio_c::rest_answer::*;
use chatnio_c::rest_call::*;
use chatnio_c::session::*;
use chatnio_c::status::chatnio_status::{CHATNIO_AGAIN, CHATNIO_INVALID, CHATNIO_OK, CHATNIO_PANIC};
use chatnio_c::transcript::*;
use chatnio_c::view::{chatnio_bytes, chatnio_text};

use crate::input::Input;

/// Operations until the input ends.
pub fn run(data: &[u8]) {
    keep_hook();
    let mut input = Input::new(data);
    let mut host = Host::default();
    while !input.is_empty() {
        host.act(&mut input);
    }
    host.free();
}

/// The library keeps what panics say to itself, by a hook that its first call sets: here a panic is to be seen.
fn keep_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = panic::take_hook();
        // SAFETY: NULL is refused.
        let _ = unsafe { chatnio_auth_new(ptr::null(), 0, None) };
        panic::set_hook(hook);
    });
}

/// Calls a function, and gives its status, which is never that of a panic.
macro_rules! call {
    ($function:ident($($argument:expr),* $(,)?)) => {{
        // SAFETY: handles are NULL or those that are not freed; what is pointed to lives longer than the call.
        let status = unsafe { $function($($argument),*) };
        assert_ne!(status, CHATNIO_PANIC as i32, stringify!($function));
        status
    }};
}

/// Makes a handle; NULL where that is refused.
macro_rules! make {
    ($function:ident($($argument:expr),* $(,)?)) => {{
        let mut made = MaybeUninit::new(ptr::null_mut());
        let status = call!($function($($argument,)* Some(&mut made)));
        // SAFETY: it was NULL before.
        let made = unsafe { made.assume_init() };
        assert_eq!(status == CHATNIO_OK as i32, !made.is_null(), stringify!($function));
        made
    }};
}

/// Makes a handle by a function that says why not; the error is read and freed.
macro_rules! construct {
    ($function:ident($($argument:expr),* $(,)?)) => {{
        let mut error = MaybeUninit::new(ptr::null_mut::<chatnio_error>());
        let made = {
            let mut made = MaybeUninit::new(ptr::null_mut());
            call!($function($($argument,)* Some(&mut made), Some(&mut error)));
            // SAFETY: it was NULL before.
            unsafe { made.assume_init() }
        };
        // SAFETY: as above.
        let error = unsafe { error.assume_init() };
        assert_eq!(made.is_null(), !error.is_null(), stringify!($function));
        if !error.is_null() {
            let mut text = MaybeUninit::uninit();
            assert_eq!(call!(chatnio_error_message(shared(error), Some(&mut text))), CHATNIO_OK as i32);
            // SAFETY: it was written.
            assert!(!read(unsafe { text.assume_init() }).is_empty());
            call!(chatnio_error_code(shared(error), Some(&mut MaybeUninit::uninit())));
            // SAFETY: it is freed once.
            unsafe { chatnio_error_free(owned(error)) };
        }
        made
    }};
}

/// A value that a function fills in; `None` where it refuses.
macro_rules! get {
    ($function:ident($($argument:expr),* $(,)?)) => {{
        let mut value = MaybeUninit::uninit();
        let status = call!($function($($argument,)* Some(&mut value)));
        // SAFETY: it was written.
        (status == CHATNIO_OK as i32).then(|| unsafe { value.assume_init() })
    }};
}

fn shared<'a, T>(handle: *mut T) -> Option<&'a T> {
    // SAFETY: NULL, or not freed yet.
    unsafe { handle.as_ref() }
}

fn unique<'a, T>(handle: *mut T) -> Option<&'a mut T> {
    // SAFETY: NULL, or not freed yet; nobody else uses it during the call.
    unsafe { handle.as_mut() }
}

fn owned<T>(handle: *mut T) -> Option<Box<T>> {
    // SAFETY: the library has made it by a box, and it is given up.
    (!handle.is_null()).then(|| unsafe { Box::from_raw(handle) })
}

/// Every byte of a view.
fn read(text: chatnio_text) -> String {
    if text.data.is_null() {
        assert_eq!(text.len, 0);
        return String::new();
    }
    // SAFETY: the library says that so many bytes can be read.
    let bytes = unsafe { std::slice::from_raw_parts(text.data.cast::<u8>(), text.len) };
    str::from_utf8(bytes).expect("UTF-8").to_owned()
}

fn data(text: &str) -> (*const c_char, usize) {
    (text.as_ptr().cast(), text.len())
}

/// An event of a caller whose compiler may know a larger struct.
#[repr(C)]
struct Large {
    event: chatnio_event,
    more: [u8; 24],
}

impl Large {
    fn new(size: usize) -> Self {
        // SAFETY: zeros are numbers, flags and NULL.
        let mut large: Large = unsafe { MaybeUninit::zeroed().assume_init() };
        large.more = [0xaa; 24];
        large.event.size = size;
        large
    }
}

/// The C caller: one handle of each kind.
struct Host {
    now: u64,
    config: *mut chatnio_config,
    auth: *mut chatnio_auth,
    request: *mut chatnio_request,
    session: *mut chatnio_session,
    connection: *mut chatnio_connection,
    transcript: *mut chatnio_transcript,
    replay: *mut chatnio_replay,
    rest: *mut chatnio_rest_call,
    /// What the last event of each has shown, and what that was.
    of_session: Vec<(chatnio_text, String)>,
    of_connection: Vec<(chatnio_text, String)>,
}

impl Default for Host {
    fn default() -> Self {
        Host {
            now: 1000,
            config: ptr::null_mut(),
            auth: ptr::null_mut(),
            request: ptr::null_mut(),
            session: ptr::null_mut(),
            connection: ptr::null_mut(),
            transcript: ptr::null_mut(),
            replay: ptr::null_mut(),
            rest: ptr::null_mut(),
            of_session: Vec::new(),
            of_connection: Vec::new(),
        }
    }
}

impl Host {
    fn act(&mut self, input: &mut Input<'_>) {
        let now = self.now;
        match input.byte() % 40 {
            0 => self.make_config(input),
            1 => self.make_auth(input),
            2 => self.make_request(input),
            3 => {
                self.free_session();
                self.session = construct!(chatnio_session_new(shared(self.config), shared(self.auth), now));
            }
            4 => {
                self.free_connection();
                let urls = ["ws://localhost/chat", "wss://localhost/chat", "ws://elsewhere", "no url", ""];
                let (url, len) = data(urls[usize::from(input.byte()) % urls.len()]);
                self.connection =
                    construct!(chatnio_connection_new(shared(self.config), shared(self.auth), url, len, now));
            }
            5..=7 => {
                call!(chatnio_session_request(unique(self.session), now, shared(self.request)));
            }
            8 => drop(get!(chatnio_session_stop(unique(self.session), now))),
            9..=13 => {
                let message = input.text();
                let (text, len) = data(&message);
                self.session_event(input.byte(), |session, event| {
                    call!(chatnio_session_receive(session, now, text, len, event))
                });
                self.session_due();
            }
            14 => self.session_event(input.byte(), |session, event| {
                call!(chatnio_session_receive_binary(session, now, event))
            }),
            15 => {
                let reason = i32::from(input.byte() % 5);
                self.session_event(0, |session, event| call!(chatnio_session_closed(session, reason, event)));
            }
            16 => self.session_event(0, |session, event| call!(chatnio_session_reconnect(session, now, event))),
            17 | 18 => {
                self.now = now.saturating_add(input.short().into());
                self.session_due();
                call!(chatnio_connection_handle_timeout(unique(self.connection), self.now));
                self.connection_events(input.byte());
            }
            19 => {
                // Any time at all; it stays where it is.
                let now = input.integer().cast_unsigned();
                self.session_event(0, |session, event| call!(chatnio_session_handle_timeout(session, now, event)));
            }
            20 => {
                call!(chatnio_connection_request(unique(self.connection), now, shared(self.request)));
            }
            21 => drop(get!(chatnio_connection_stop(unique(self.connection), now))),
            22..=26 => {
                let bytes = input.bytes();
                call!(chatnio_connection_receive(unique(self.connection), now, bytes.as_ptr(), bytes.len()));
                self.connection_events(input.byte());
            }
            27 => self.greet(),
            28 => {
                call!(chatnio_connection_close(unique(self.connection), now));
            }
            29 => {
                call!(chatnio_connection_eof(unique(self.connection), now));
            }
            30 => {
                call!(chatnio_connection_failed(unique(self.connection), now, input.byte().into()));
            }
            31 => {
                self.connection_event(0, |connection, event| {
                    call!(chatnio_connection_reconnect(connection, now, event))
                });
            }
            32 => {
                let count = input.byte().into();
                call!(chatnio_connection_transmitted(unique(self.connection), count));
            }
            33 => self.parse(&input.text()),
            34 => {
                // SAFETY: it is freed once.
                unsafe { chatnio_transcript_free(owned(self.transcript)) };
                self.transcript = make!(chatnio_session_transcript(shared(self.session)));
                self.show_transcript();
            }
            35 => self.step(input.byte()),
            36 => self.call_rest(input),
            37 => self.free_session(),
            38 => self.free_connection(),
            _ => self.free_settings(),
        }
        self.look();
    }

    fn make_config(&mut self, input: &mut Input<'_>) {
        // SAFETY: it is freed once.
        unsafe { chatnio_config_free(self.config) };
        self.config = make!(chatnio_config_new());
        while let Some(step) = step(input, 16) {
            let (config, time) = (shared(self.config), u64::from(input.byte()) * 50);
            match step {
                0 => call!(chatnio_config_set_keep_alive(config, time)),
                1 => call!(chatnio_config_set_first_frame(config, time)),
                2 => call!(chatnio_config_set_next_frame(config, time)),
                3 => call!(chatnio_config_set_answer_within(config, time)),
                4 => call!(chatnio_config_set_after_stop(config, time)),
                5 => call!(chatnio_config_set_settle(config, time)),
                6 => call!(chatnio_config_set_max_message(config, input.byte().into())),
                7 => call!(chatnio_config_set_max_request(config, input.byte().into())),
                8 => call!(chatnio_config_set_max_answer(config, input.byte().into())),
                9 => call!(chatnio_config_set_record(config, true)),
                10 => call!(chatnio_config_set_max_recording(config, input.short().into())),
                11 => call!(chatnio_config_set_auth_at_once(config, true)),
                12 => call!(chatnio_config_set_keep_text(config, false)),
                13 => call!(chatnio_config_set_allow_token_over_plain_ws(config, true)),
                14 => {
                    let times = [time, time * 2, u64::from(input.byte())];
                    call!(chatnio_config_set_stop_repeats(config, times.as_ptr(), times.len()))
                }
                _ => {
                    let (name, value) = (input.text(), input.text());
                    let ((name, name_len), (value, value_len)) = (data(&name), data(&value));
                    call!(chatnio_config_add_header(config, name, name_len, value, value_len))
                }
            };
        }
    }

    fn make_auth(&mut self, input: &mut Input<'_>) {
        // SAFETY: it is freed once.
        unsafe { chatnio_auth_free(owned(self.auth)) };
        let (token, hash) = (input.text(), input.text());
        let (text, len) = data(&token);
        self.auth = make!(chatnio_auth_new(text, len));
        if input.byte() & 1 != 0 {
            call!(chatnio_auth_set_conversation(unique(self.auth), input.integer()));
        }
        if !hash.is_empty() {
            let (text, len) = data(&hash);
            call!(chatnio_auth_set_share(unique(self.auth), text, len));
        }
    }

    fn make_request(&mut self, input: &mut Input<'_>) {
        // SAFETY: it is freed once.
        unsafe { chatnio_request_free(owned(self.request)) };
        self.request = make!(chatnio_request_new(i32::from(input.byte() % 9)));
        while let Some(step) = step(input, 12) {
            let request = unique(self.request);
            match step {
                0..=2 => {
                    let message = input.text();
                    let (text, len) = data(&message);
                    call!(chatnio_request_set_message(request, text, len))
                }
                3 => {
                    let (role, content) = (input.text(), input.text());
                    let ((role, role_len), (content, content_len)) = (data(&role), data(&content));
                    call!(chatnio_request_add_mask(request, role, role_len, content, content_len))
                }
                4 => call!(chatnio_request_set_index(request, input.byte().into())),
                5 => {
                    let model = input.text();
                    let (text, len) = data(&model);
                    call!(chatnio_request_set_model(request, text, len))
                }
                6 => call!(chatnio_request_set_web(request, true)),
                7 => call!(chatnio_request_set_context(request, input.integer())),
                8 => call!(chatnio_request_set_temperature(request, input.float())),
                9 => call!(chatnio_request_set_top_k(request, input.integer())),
                10 => call!(chatnio_request_set_first_frame(request, u64::from(input.byte()) * 50)),
                _ => {
                    let (name, json) = (input.text(), input.text());
                    let ((name, name_len), (json, json_len)) = (data(&name), data(&json));
                    call!(chatnio_request_add_extra(request, name, name_len, json, json_len))
                }
            };
        }
        // As C may: with no data and a length, and with bytes that are no text.
        if input.byte() == 1 {
            let status = call!(chatnio_request_set_message(unique(self.request), ptr::null(), 1));
            assert_eq!(status, CHATNIO_INVALID as i32);
            call!(chatnio_request_set_message(unique(self.request), b"\xff".as_ptr().cast(), 1));
        }
    }

    /// A call that fills an event in, of a caller that says how large its struct is.
    fn session_event(&mut self, size: u8, call: impl FnOnce(Option<&mut chatnio_session>, *mut chatnio_event) -> i32) {
        let mut large = Large::new(size_of_caller(size));
        self.of_session.clear();
        let status = call(unique(self.session), &raw mut large.event);
        self.of_session = shown(status, size, &large);
    }

    fn connection_event(
        &mut self,
        size: u8,
        call: impl FnOnce(Option<&mut chatnio_connection>, *mut chatnio_event) -> i32,
    ) -> i32 {
        let mut large = Large::new(size_of_caller(size));
        self.of_connection.clear();
        let status = call(unique(self.connection), &raw mut large.event);
        self.of_connection = shown(status, size, &large);
        status
    }

    /// What is due, to the end; and what is to be sent.
    fn session_due(&mut self) {
        let now = self.now;
        for _ in 0..70_000 {
            let mut status = 0;
            let mut large = Large::new(size_of::<chatnio_event>());
            if let Some(session) = unique(self.session) {
                status = call!(chatnio_session_handle_timeout(Some(session), now, &raw mut large.event));
                // Where it fills nothing in, what was shown before still stands.
                if status == CHATNIO_OK as i32 {
                    self.of_session = shown(status, 0, &large);
                }
            }
            if self.session.is_null() || status == CHATNIO_AGAIN as i32 {
                while let Some(message) = get!(chatnio_session_next_transmit(unique(self.session))) {
                    assert!(read(message).starts_with('{'));
                }
                let deadline = get!(chatnio_session_deadline(shared(self.session)));
                assert!(deadline.is_none_or(|deadline| deadline > now), "it spins");
                return;
            }
        }
        panic!("it spins");
    }

    /// Takes events one by one, or several at once; and sends.
    fn connection_events(&mut self, several: u8) {
        if several % 4 == 1 {
            let mut events = [(); 3].map(|()| Large::new(0).event);
            self.of_connection.clear();
            let stride = size_of::<chatnio_event>();
            let count = get!(chatnio_connection_next_events(unique(self.connection), events.as_mut_ptr(), 3, stride));
            for event in &events[..count.unwrap_or_default()] {
                self.of_connection.extend(views(event));
            }
            return;
        }
        loop {
            let status =
                self.connection_event(0, |connection, event| call!(chatnio_connection_next_event(connection, event)));
            if status != CHATNIO_OK as i32 {
                break;
            }
            self.look();
        }
        if several % 4 == 2 {
            return;
        }
        while let Some(bytes) = get!(chatnio_connection_transmit(unique(self.connection))) {
            assert!(!sent(bytes).is_empty());
            call!(chatnio_connection_transmitted(unique(self.connection), bytes.len));
        }
    }

    /// Answers the handshake, if its request is there to be sent.
    fn greet(&mut self) {
        let Some(bytes) = get!(chatnio_connection_transmit(unique(self.connection))) else { return };
        let request = String::from_utf8_lossy(&sent(bytes)).into_owned();
        call!(chatnio_connection_transmitted(unique(self.connection), bytes.len));
        let Some(key) = request.split("Sec-WebSocket-Key: ").nth(1).and_then(|rest| rest.split("\r\n").next()) else {
            return;
        };
        let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
        let answer = format!(
            "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        call!(chatnio_connection_receive(unique(self.connection), self.now, answer.as_ptr(), answer.len()));
        self.connection_events(0);
    }

    fn parse(&mut self, text: &str) {
        // SAFETY: each is freed once.
        unsafe { chatnio_transcript_free(owned(self.transcript)) };
        // SAFETY: as above.
        unsafe { chatnio_replay_free(owned(self.replay)) };
        let (text, len) = data(text);
        self.transcript = construct!(chatnio_transcript_parse(text, len));
        self.show_transcript();
        self.replay = make!(chatnio_replay_new(shared(self.transcript)));
        let auth = make!(chatnio_replay_auth(shared(self.replay)));
        // SAFETY: it is freed once.
        unsafe { chatnio_auth_free(owned(auth)) };
    }

    fn show_transcript(&self) {
        if let Some(text) = get!(chatnio_transcript_text(shared(self.transcript))) {
            read(text);
        }
    }

    /// The next step of the replay; its request goes to the session.
    fn step(&mut self, state: u8) {
        // SAFETY: zeros are numbers and NULL.
        let mut step: chatnio_step = unsafe { MaybeUninit::zeroed().assume_init() };
        step.size = size_of::<chatnio_step>();
        let status = call!(chatnio_replay_next_step(unique(self.replay), i32::from(state % 8), &raw mut step));
        if status == CHATNIO_OK as i32 {
            read(step.text);
            call!(chatnio_session_request(unique(self.session), self.now, shared(step.request.cast_mut())));
        }
    }

    fn call_rest(&mut self, input: &mut Input<'_>) {
        // SAFETY: it is freed once.
        unsafe { chatnio_rest_call_free(owned(self.rest)) };
        self.rest = make!(chatnio_rest_call_new(i32::from(input.byte() % 30)));
        let (text, body) = (input.text(), input.bytes());
        let (text, len) = data(&text);
        call!(chatnio_rest_call_set_id(unique(self.rest), input.byte().into()));
        call!(chatnio_rest_call_set_text(unique(self.rest), text, len));
        call!(chatnio_rest_call_set_amount(unique(self.rest), 1));
        call!(chatnio_rest_call_set_months(unique(self.rest), 1));
        call!(chatnio_rest_call_prepare(unique(self.rest), shared(self.auth), ptr::null(), 0));
        if let Some(target) = get!(chatnio_rest_call_target(shared(self.rest))) {
            assert!(read(target).starts_with('/'));
        }
        let status = 200 + i32::from(input.byte());
        let answer = make!(chatnio_rest_call_decode(unique(self.rest), status, body.as_ptr(), body.len()));
        for view in [get!(chatnio_rest_answer_json(shared(answer))), get!(chatnio_rest_answer_text(shared(answer)))] {
            view.map(read);
        }
        for index in 0..get!(chatnio_rest_answer_count(shared(answer))).unwrap_or_default() {
            get!(chatnio_rest_answer_charge_model(shared(answer), index, 0)).map(read);
        }
        // SAFETY: it is freed once.
        unsafe { chatnio_rest_answer_free(owned(answer)) };
    }

    /// What asks only: it invalidates no view, and every view can still be read.
    fn look(&self) {
        let (session, connection) = (shared(self.session), shared(self.connection));
        let _ = get!(chatnio_session_state(session));
        let _ = get!(chatnio_session_conversation(session));
        let _ = get!(chatnio_session_memory(session));
        let _ = get!(chatnio_connection_state(connection));
        let _ = get!(chatnio_connection_memory(connection));
        get!(chatnio_connection_refusal_body(connection)).map(read);
        // SAFETY: zeros are numbers and NULL.
        let mut answer: chatnio_answer = unsafe { MaybeUninit::zeroed().assume_init() };
        answer.size = size_of::<chatnio_answer>();
        if call!(chatnio_session_answer(session, &raw mut answer)) == CHATNIO_OK as i32 {
            read(answer.text);
            read(answer.quota_text);
        }
        let mut buffer = [0x55; 16];
        let (text, room) = (buffer.as_mut_ptr(), buffer.len());
        if get!(chatnio_session_error(session, text, room)).is_some() {
            assert!(buffer.contains(&0), "it ends in NUL");
        }
        for (view, text) in self.of_session.iter().chain(&self.of_connection) {
            assert_eq!(&read(*view), text, "a view has changed");
        }
    }

    fn free_session(&mut self) {
        self.of_session.clear();
        // SAFETY: it is freed once.
        unsafe { chatnio_session_free(owned(self.session)) };
        self.session = ptr::null_mut();
    }

    fn free_connection(&mut self) {
        self.of_connection.clear();
        // SAFETY: it is freed once.
        unsafe { chatnio_connection_free(owned(self.connection)) };
        self.connection = ptr::null_mut();
    }

    /// What was made with them goes on.
    fn free_settings(&mut self) {
        // SAFETY: each is freed once.
        unsafe { chatnio_config_free(self.config) };
        // SAFETY: as above.
        unsafe { chatnio_auth_free(owned(self.auth)) };
        // SAFETY: as above.
        unsafe { chatnio_request_free(owned(self.request)) };
        // SAFETY: as above.
        unsafe { chatnio_transcript_free(owned(self.transcript)) };
        // SAFETY: as above.
        unsafe { chatnio_replay_free(owned(self.replay)) };
        // SAFETY: as above.
        unsafe { chatnio_rest_call_free(owned(self.rest)) };
        self.config = ptr::null_mut();
        self.auth = ptr::null_mut();
        self.request = ptr::null_mut();
        self.transcript = ptr::null_mut();
        self.replay = ptr::null_mut();
        self.rest = ptr::null_mut();
    }

    fn free(mut self) {
        self.free_settings();
        self.free_session();
        self.free_connection();
    }
}

/// One of so many steps, until one behind them, or the end of the input, says that there are no more.
fn step(input: &mut Input<'_>, steps: u8) -> Option<u8> {
    if input.is_empty() {
        return None;
    }
    Some(input.byte() % (steps + 1)).filter(|step| *step < steps)
}

/// How large a caller says that its event is: right, larger, too small.
fn size_of_caller(size: u8) -> usize {
    match size {
        1 => size_of::<Large>(),
        2 => size_of::<chatnio_event>() - 1,
        3 => 0,
        _ => size_of::<chatnio_event>(),
    }
}

/// The views of an event that was filled in; nothing was written beyond what its caller has.
fn shown(status: i32, size: u8, large: &Large) -> Vec<(chatnio_text, String)> {
    let is_filled = status == CHATNIO_OK as i32;
    assert!(!is_filled || !matches!(size, 2 | 3), "the size is wrong");
    let more = if is_filled && size == 1 { 0 } else { 0xaa };
    assert_eq!(large.more, [more; 24]);
    if is_filled { views(&large.event) } else { Vec::new() }
}

fn views(event: &chatnio_event) -> Vec<(chatnio_text, String)> {
    let mut views = vec![event.text, event.raw, event.quota_text];
    // SAFETY: NULL, or the library's.
    if let Some(answer) = unsafe { event.answer.as_ref() } {
        views.extend([answer.text, answer.notice, answer.keyword, answer.reason, answer.quota_text]);
    }
    views.into_iter().map(|view| (view, read(view))).collect()
}

fn sent(bytes: chatnio_bytes) -> Vec<u8> {
    // SAFETY: the library says that so many bytes can be read.
    unsafe { std::slice::from_raw_parts(bytes.data, bytes.len) }.to_vec()
}
