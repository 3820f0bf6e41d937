//! A session, driven by any operations of a host, a server and a clock, and what must hold after each of them:
//! docs/invariants.md. What the server sends is read here by `serde_json` once more, so that whose a frame is is decided twice.

use std::time::Duration;

use chatnio::{
    Answer, Auth, Chunk, CloseReason, Config, Event, EventStorage, Interruption, MaskMessage, MessageKind, Outcome,
    Request, RequestError, RequestKind, Session, State,
};
use serde_json::Value;

use crate::input::Input;

/// Settings, and then operations until the input ends.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut host = Host::new(&mut input);
    while !input.is_empty() {
        host.act(&mut input);
        host.check();
    }
    let end = host.session.closed(CloseReason::Host);
    host.note(end, None);
    host.send();
    assert!(host.is_lazy || host.accepted.is_empty(), "what was held goes out before the Close");
    host.check();
    assert_eq!(host.ended, host.begun, "every turn has ended");
    let recorded = host.session.transcript().map(ToString::to_string);
    assert!(host.is_anonymous || !recorded.is_some_and(|text| text.contains(TOKEN)), "the token is recorded");
}

const TOKEN: &str = "sk-0123456789";

/// The second end of a stopped turn without a piece.
const EMPTY_RESPONSE: &str = "empty response";

struct Host {
    session: Session,
    storage: EventStorage,
    now: Duration,
    /// How many turns were begun, and how many have ended.
    begun: u64,
    ended: u64,
    /// The running turn's text as its events have told it.
    text: String,
    /// Whether this connection has shown an opener, and whether the running turn's has come.
    opens_turns: bool,
    has_opened: bool,
    /// The last turn has ended without a piece.
    was_bare: bool,
    /// A turn has ended without an opener.
    is_unsure: bool,
    /// What was accepted and did not go out.
    accepted: Vec<RequestKind>,
    is_authenticated: bool,
    is_anonymous: bool,
    /// The state before the call that brought an event.
    before: State,
    /// Whether the host leaves what is to be sent where it is, and how many messages that are.
    is_lazy: bool,
    unsent: usize,
}

/// What a frame says, as far as it decides whose it is.
struct Frame {
    is_opener: bool,
    /// An end with words of its own.
    is_notice: bool,
}

impl Host {
    fn new(input: &mut Input<'_>) -> Self {
        let flags = input.byte();
        let mut config = Config::default();
        // Each of them short, long or off.
        let mut time = || match input.byte() {
            0 => Duration::ZERO,
            seconds @ 250.. => Duration::from_secs(u64::from(seconds) << (8 * (seconds - 250))),
            tens => Duration::from_millis(u64::from(tens) * 10),
        };
        config.keep_alive = time();
        config.first_frame = time();
        config.next_frame = time();
        config.answer_within = time();
        config.after_stop = time();
        config.settle = time();
        let mut at = Duration::ZERO;
        config.stop_repeats = (0..flags & 3)
            .map(|_| {
                at += time();
                at
            })
            .collect();
        config.auth_at_once = flags & 4 != 0;
        config.keep_text = flags & 8 == 0;
        config.record = flags & 16 != 0;
        config.record_times = flags & 32 != 0;
        if flags & 64 != 0 {
            config.max_message = input.byte().into();
            config.max_request = 64 + usize::from(input.byte());
            config.max_answer = input.byte().into();
            config.max_recording = usize::from(input.byte()) * 16;
        }
        let mut auth = if flags & 128 != 0 { Auth::anonymous() } else { Auth::new(TOKEN) };
        if input.byte() & 1 != 0 {
            auth = auth.conversation(29);
        }
        let now = Duration::from_millis(input.short().into());
        Host {
            session: Session::new(auth, config, now).expect("it can be sent"),
            storage: EventStorage::new(),
            now,
            begun: 0,
            ended: 0,
            text: String::new(),
            opens_turns: false,
            has_opened: false,
            was_bare: false,
            is_unsure: false,
            accepted: Vec::new(),
            is_authenticated: false,
            is_anonymous: flags & 128 != 0,
            before: State::Idle,
            is_lazy: false,
            unsent: 0,
        }
    }

    fn act(&mut self, input: &mut Input<'_>) {
        match input.byte() % 20 {
            0 | 1 => {
                let text = input.text();
                self.request(&Request::chat(text));
            }
            2 => {
                let within = |tens: u8| Duration::from_millis(u64::from(tens) * 10);
                let request = Request::chat("hi").first_frame(within(input.byte())).next_frame(within(input.byte()));
                self.request(&request.answer_within(within(input.byte())));
            }
            3 => self.request(&Request::restart()),
            4 => {
                let request = match input.byte() % 5 {
                    0 => Request::mask([MaskMessage::new("user", input.text())]),
                    1 => Request::edit(input.byte().into(), input.text()),
                    2 => Request::remove(input.byte().into()),
                    3 => Request::share(input.text()),
                    _ => Request::stop().model("none"),
                };
                self.request(&request);
            }
            5 | 6 => self.stop(),
            7..=11 => {
                let message = message(input);
                self.receive(&message);
            }
            12 => {
                let message = input.text();
                self.receive(&message);
            }
            13 => {
                let was_closed = self.session.state() == State::Closed;
                let event = self.session.receive_binary(self.now);
                assert_eq!(event.is_none(), was_closed);
                self.note(event, None);
            }
            14 | 15 => self.wait(Duration::from_millis(input.short().into())),
            16 => {
                // A clock that goes back, for one call.
                let (now, deadline) = (self.now, self.session.next_deadline());
                self.now = now.saturating_sub(Duration::from_millis(input.short().into()));
                self.timeouts();
                self.now = now;
                assert!(self.session.next_deadline() >= deadline || deadline.is_none(), "a deadline moved backwards");
            }
            17 => self.is_lazy = !self.is_lazy,
            18 => {
                let reason = match input.byte() % 6 {
                    0 => CloseReason::Host,
                    1 => CloseReason::Server,
                    2 => CloseReason::Lost,
                    3 => CloseReason::Reconnect,
                    4 => CloseReason::GivenUp(Interruption::Unresponsive),
                    _ => CloseReason::GivenUp(Interruption::MessageTooLong { limit: 1 }),
                };
                let end = self.session.closed(reason);
                self.note(end, None);
                if reason == CloseReason::Host {
                    self.send();
                    assert!(self.is_lazy || self.accepted.is_empty(), "what was held goes out before the Close");
                }
                self.disconnected();
                assert!(self.session.closed(reason).is_none(), "it is closed once");
            }
            _ => {
                let end = self.session.reconnect(self.now);
                self.note(end, None);
                self.disconnected();
                assert_eq!(self.session.state(), State::Idle);
            }
        }
        if !self.is_lazy {
            self.send();
        }
    }

    /// What was accepted on the old connection is lost with it.
    fn disconnected(&mut self) {
        self.accepted.clear();
        self.is_authenticated = false;
        self.unsent = 0;
        self.opens_turns = false;
        self.has_opened = false;
    }

    fn request(&mut self, request: &Request) {
        let (state, memory) = (self.session.state(), self.session.memory());
        match self.session.request(self.now, request) {
            Ok(()) => {
                assert_eq!(state, State::Idle, "it takes requests while it is idle");
                self.accepted.push(request.kind());
                self.unsent += 1;
                if request.kind().begins_turn() {
                    self.begun += 1;
                    self.text.clear();
                    self.has_opened = false;
                    let turn = self.session.answer().map(|answer| answer.turn);
                    assert_eq!(turn, Some(self.begun), "turns count up");
                }
            }
            Err(error) => {
                let is_inert = (self.session.state(), self.session.memory()) == (state, memory);
                assert!(is_inert, "nothing has changed");
                match error {
                    RequestError::Closed => assert_eq!(state, State::Closed),
                    RequestError::Busy { turn } => {
                        assert!(!matches!(state, State::Idle | State::Closed));
                        assert_eq!(turn, self.begun);
                    }
                    // What is held waits too.
                    RequestError::Unsent { .. } => assert!(self.is_lazy || !self.accepted.is_empty()),
                    _ => assert!(state == State::Idle || request.kind() == RequestKind::Stop),
                }
            }
        }
    }

    fn stop(&mut self) {
        let state = self.session.state();
        match self.session.stop(self.now) {
            Ok(sent) => {
                assert_eq!(sent, matches!(state, State::Asking | State::Answering), "{state:?}");
                self.unsent += usize::from(sent);
            }
            Err(error) => assert_eq!((error, state), (RequestError::Closed, State::Closed)),
        }
    }

    fn receive(&mut self, message: &str) {
        let was_closed = self.session.state() == State::Closed;
        let waited = self.session.holds_frames();
        let mut storage = std::mem::take(&mut self.storage);
        self.before = self.session.state();
        let event = self.session.receive(self.now, message, &mut storage);
        assert_eq!(event.is_none(), was_closed, "one event for a message");
        // Where frames wait, it is one of them that is told.
        let frame = (!waited).then(|| frame(message)).flatten();
        self.note(event, frame);
        self.storage = storage;
        self.timeouts();
    }

    fn wait(&mut self, span: Duration) {
        let until = self.now + span;
        if self.session.next_deadline().is_none_or(|deadline| deadline > until) {
            // Called early, it changes nothing.
            self.now = until;
            let before = (self.session.next_deadline(), self.session.state());
            assert!(self.session.handle_timeout(self.now, &mut self.storage).is_none(), "nothing was due");
            assert_eq!((self.session.next_deadline(), self.session.state()), before);
            return;
        }
        self.now = until;
        self.timeouts();
    }

    /// Takes what is due.
    fn timeouts(&mut self) {
        let mut storage = std::mem::take(&mut self.storage);
        // Frames of one message, and one event of each kind.
        for _ in 0..70_000 {
            self.before = self.session.state();
            let Some(event) = self.session.handle_timeout(self.now, &mut storage) else {
                self.storage = storage;
                return;
            };
            let is_sent = matches!(event, Event::StopRepeated { .. } | Event::KeepAlive);
            self.note(Some(event), None);
            self.unsent += usize::from(is_sent);
        }
        panic!("it spins");
    }

    /// Every accepted request goes out once, in its order, behind one authentication.
    fn send(&mut self) {
        while let Some(message) = self.session.poll_transmit() {
            match message.kind() {
                MessageKind::Auth => {
                    assert!(!self.is_authenticated, "it authenticates once");
                    self.is_authenticated = true;
                }
                MessageKind::Request(RequestKind::Stop) => {}
                MessageKind::Request(kind) => {
                    assert!(self.is_authenticated, "it authenticates first");
                    assert!(!self.accepted.is_empty(), "{kind} was sent twice");
                    assert_eq!(self.accepted.remove(0), kind);
                }
                _ => {}
            }
        }
        self.unsent = 0;
    }

    /// Holds an event against what was asked. `frame` is what the message said, where it is known.
    fn note(&mut self, event: Option<Event<'_>>, frame: Option<Frame>) {
        let Some(event) = event else { return };
        let running = self.begun > self.ended;
        match event {
            Event::Opened { turn, chunk, .. } => {
                assert!(running && turn == self.begun);
                self.look_at(&chunk, frame);
            }
            Event::Delta { turn, text, chunk, .. } => {
                assert!(running && turn == self.begun, "a piece of turn {turn}, and {} runs", self.begun);
                self.look_at(&chunk, frame);
                assert!(!self.opens_turns || self.has_opened, "a piece from before the opener");
                self.text += text;
            }
            Event::End(end) => {
                assert!(running, "a turn ends once");
                assert_eq!(end.turn(), self.begun);
                if let Some(chunk) = &end.chunk {
                    let is_broken =
                        matches!(end.answer.outcome, Some(Outcome::Interrupted(Interruption::ProtocolBroken)));
                    assert_eq!(is_broken, self.session.state() == State::Closed);
                    if is_broken {
                        self.out_of_place(chunk);
                    } else {
                        let is_notice = self.look_at(chunk, frame);
                        assert!(!self.opens_turns || self.has_opened || is_notice, "an end from before the opener");
                    }
                }
                self.ended += 1;
                let is_whole = !matches!(end.answer.outcome, Some(Outcome::Interrupted(_)));
                self.was_bare = is_whole && end.answer.chunks == 0;
                self.is_unsure |= !self.has_opened;
                self.text += end.text;
                self.answered(&end.answer);
            }
            Event::Stray { chunk, .. } => {
                if self.session.state() == State::Closed {
                    self.out_of_place(&chunk);
                } else {
                    self.look_at(&chunk, frame);
                }
            }
            Event::StopRepeated { turn } => assert_eq!(turn, self.begun),
            _ => {}
        }
    }

    /// The session has ended by itself, and for a reason: an opener; an end that is nobody's; a piece behind a turn that had
    /// none, or behind one that was not opened; or anything between turns where none was ever shown.
    fn out_of_place(&mut self, chunk: &Chunk<'_>) {
        let is_opener = chunk.conversation.is_some_and(|id| id != 0);
        let is_nobodys = chunk.end && (self.before == State::Idle || !self.has_opened);
        let is_late = (self.was_bare || self.is_unsure) && !chunk.end;
        let is_between = self.before == State::Idle && !self.opens_turns;
        assert!(is_opener || is_nobodys || is_late || is_between, "{}", chunk.raw());
        assert!(!(is_opener && self.before == State::Asking && self.opens_turns), "it is the turn's own");
        self.disconnected();
    }

    /// Remembers an opener. Says whether the frame can be a notice for a turn that has shown none.
    fn look_at(&mut self, chunk: &Chunk<'_>, frame: Option<Frame>) -> bool {
        let is_opener = chunk.conversation.is_some_and(|id| id != 0);
        let text = chunk.message.map(|text| text.to_str().into_owned()).unwrap_or_default();
        let is_notice = chunk.end && !text.is_empty() && text != EMPTY_RESPONSE;
        if let Some(frame) = frame {
            assert_eq!((is_opener, is_notice), (frame.is_opener, frame.is_notice), "{}", chunk.raw());
        }
        // While nothing is awaited it is nobody's.
        if self.before != State::Idle {
            self.opens_turns |= is_opener;
            self.has_opened |= is_opener;
        }
        is_notice
    }

    fn answered(&self, answer: &Answer) {
        let outcome = answer.outcome.expect("it has ended");
        if self.session.config().keep_text {
            assert_eq!(answer.text, self.text, "the answer is its pieces");
        } else {
            assert!(answer.text.is_empty());
        }
        assert_eq!(answer.notice.is_some() && outcome != Outcome::Stopped, outcome == Outcome::Notice);
    }

    fn check(&mut self) {
        let state = self.session.state();
        let running = self.session.answer().is_some();
        assert_eq!(running, self.begun > self.ended);
        assert_eq!(running, matches!(state, State::Asking | State::Answering | State::Stopping), "{state:?}");
        if state == State::Closed {
            assert!(self.session.next_deadline().is_none() && self.session.poll_transmit().is_none());
            assert!(
                self.session.handle_timeout(self.now, &mut self.storage).is_none() && !self.session.is_due(self.now)
            );
        }
        // A host that has done what is due is not woken at once again.
        self.timeouts();
        if let Some(deadline) = self.session.next_deadline() {
            assert!(deadline > self.now, "it spins");
            assert!(!self.session.is_due(self.now));
        }
        if !self.is_lazy {
            self.send();
        }
        let config = self.session.config();
        let limit = |limit: usize, otherwise: usize| if limit == 0 { otherwise } else { limit };
        // A text is held in twice its size at most. Stops and keep-alives are not counted by max_request.
        let bound = 2 * limit(config.max_answer, 1 << 20)
            + limit(config.max_message, 1 << 20)
            + limit(config.max_recording, 1 << 20)
            + 5 * config.max_request
            + 64 * (self.unsent + 8);
        assert!(self.session.memory() <= bound, "{} bytes are held", self.session.memory());
    }
}

/// A frame of a server, or several.
fn message(input: &mut Input<'_>) -> String {
    let mut message = String::new();
    for _ in 0..=input.byte() / 200 {
        let (kind, text) = (input.byte(), input.text());
        let text = serde_json::to_string(&text).expect("a string");
        let quota = f32::from(input.byte()) / 100.0;
        message += &match kind % 8 {
            0 => format!(r#"{{"conversation":{},"quota":0,"message":"","end":false}}"#, kind / 8),
            1 | 2 => format!(
                "{{\"conversation\":0,\"quota\":{quota},\"keyword\":\"\",\"message\":{text},\"end\":false,\"plan\":false}}\n"
            ),
            3 => format!(r#"{{"message":{text}}}"#),
            4 => format!(r#"{{"quota":{quota},"message":"","end":true,"plan":true}}"#),
            5 => format!(r#"{{"quota":{quota},"message":{text},"end":true}}"#),
            6 => r#"{"quota":0,"message":"empty response","end":true}"#.to_owned(),
            _ => format!(
                r#"{{"message":"\u{}","end":{}}}"#,
                ["d83d", "de00", "0041"][usize::from(kind / 8) % 3],
                kind > 128
            ),
        };
    }
    message
}

/// What a message of one frame says, by another reader than the session's.
fn frame(message: &str) -> Option<Frame> {
    // Half of a surrogate pair it cannot read.
    let value: Value = serde_json::from_str(message).ok()?;
    let text = value["message"].as_str().unwrap_or_default();
    Some(Frame {
        is_opener: value["conversation"].as_i64().is_some_and(|id| id != 0),
        is_notice: value["end"] == true && !text.is_empty() && text != EMPTY_RESPONSE,
    })
}
