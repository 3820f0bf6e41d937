//! One connection's server at the level of messages: text in, frames out, time as an argument.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::answer::{Answer, Phase, Step};
use crate::conversation::{Conversation, parse_edit, parse_index};
use crate::form::{AuthForm, PING, RequestForm, parse_mask};
use crate::frame::Frame;
use crate::generation::Generation;
use crate::options::Options;
use crate::plan::{Access, Ending, Piece, Plan};
use crate::queue::{Queue, StopWords};
use crate::quota;
use crate::script::{Playback, Reply};
use crate::world::World;

/// How often 2026 looks for a stop (protocol.md, section 3).
const TICK: Duration = Duration::from_millis(100);

/// What passes between the two ends of a stopped answer (2026), at pace 1. The real server charges
/// the user in between.
const SECOND_END: Duration = Duration::from_millis(3);

/// How long a web search takes, at pace 1.
const WEB_SEARCH: Duration = Duration::from_millis(400);

/// Frames that may wait for the host. With as many the model stands still, as a real server does when
/// the socket takes no more.
const WAITING: usize = 32;

/// Times that 2026 looks for a stop while the socket takes no more; then its poller hangs, too.
const UNREAD_SIGNALS: u8 = 2;

/// What is stored as the answer that was being written when the connection was lost (2023, 2024).
const LOST: &str = "write tcp: use of closed network connection";

/// What the server does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send this text message: a frame with its trailing newline, or what a plan or script put in its
    /// place.
    Frame(String),
    /// Send this binary message. Only plans with [`Piece::Binary`] ask for it.
    Binary(Vec<u8>),
    /// Cut the connection now, after what was handed out before. Nothing follows.
    Drop,
}

/// The server's side of one connection, between the WebSocket and the world.
///
/// It reads no clock: `now` is the time since an origin of the host's choice, the same in all calls; a
/// `now` that goes back counts as the latest one. Events are carried out in the order of their time:
/// at each call first what was due up to `now`, then what the call brings. After any call the host
/// takes outputs until there are none, and calls [`Chat::handle_timeout`] when
/// [`Chat::next_deadline`] has come.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use chatnio_loopback::{Chat, Generation, Options, Output, World};
///
/// let mut chat = Chat::new(World::new(), Arc::new(Options::new(Generation::G2024)));
/// let mut now = Duration::ZERO;
/// chat.receive(now, r#"{"token":"anonymous","id":-1}"#);
/// chat.receive(now, r#"{"type":"chat","message":"hi"}"#);
/// let mut frames = 0;
/// loop {
///     while let Some(output) = chat.poll_output(now) {
///         assert!(matches!(output, Output::Frame(_)));
///         frames += 1;
///     }
///     let Some(deadline) = chat.next_deadline() else { break };
///     now = deadline;
///     chat.handle_timeout(now);
/// }
/// assert!(frames > 3);
/// ```
pub struct Chat {
    world: World,
    options: Arc<Options>,
    /// The time of the event that is being carried out; the latest `now` between calls.
    now: Duration,
    stage: Stage,
    conversation: Conversation,
    queue: Queue,
    /// The request loop has ended, while the connection may stay.
    loop_ended: bool,
    answer: Option<Answer>,
    answers: u64,
    /// The pollers for a stop (2026): the running answer's, and those of answers that ended before
    /// their next tick.
    pollers: Vec<Poller>,
    outputs: VecDeque<Output>,
    playback: Option<Playback>,
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The authentication is awaited.
    New,
    /// Requests are read.
    Open,
    /// The socket is open, but nobody reads it any more (2023 after a bad authentication).
    Deaf,
    /// The socket is closed. A running answer goes on until its next piece.
    Dropped,
}

/// Looks for a stop every [`TICK`] (2026). It learns of its answer's end only at its next tick, and
/// has taken a stop from the queue by then.
struct Poller {
    answer: u64,
    tick: Duration,
    /// What it found out while the socket took no more.
    unread: u8,
}

/// An event that time brings.
enum Event {
    Answer,
    Tick(usize),
}

impl Chat {
    /// A fresh connection to a world.
    #[must_use]
    pub fn new(world: World, options: Arc<Options>) -> Self {
        let mut chat = Self {
            world,
            now: Duration::ZERO,
            stage: Stage::New,
            conversation: Conversation::default(),
            queue: Queue::default(),
            loop_ended: false,
            answer: None,
            answers: 0,
            pollers: Vec::new(),
            outputs: VecDeque::new(),
            playback: None,
            options,
        };
        if let Some(script) = &chat.options.script {
            let mut replies = Vec::new();
            chat.playback = Some(Playback::start(script.clone(), &mut replies));
            chat.play(replies);
        }
        chat
    }

    /// Takes in a message of the client; real servers treat binary messages as text.
    pub fn receive(&mut self, now: Duration, text: &str) {
        self.run(now);
        match self.stage {
            Stage::Deaf | Stage::Dropped => return,
            Stage::New | Stage::Open => {}
        }
        if text == PING {
            self.world.count(|stats| stats.pings += 1);
        } else if let Some(playback) = &mut self.playback {
            let mut replies = Vec::new();
            playback.receive(text, &mut replies);
            self.play(replies);
        } else if self.stage == Stage::New {
            self.authenticate(text);
        } else {
            self.enqueue(text);
        }
        self.run(now);
    }

    /// The client closed its side, by a Close frame or the end of stream.
    pub fn handle_eof(&mut self, now: Duration) {
        self.run(now);
        self.drop_socket();
        self.run(now);
    }

    /// Carries out what is due at `now`.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.run(now);
    }

    /// What the server does next, if there is something at `now`.
    pub fn poll_output(&mut self, now: Duration) -> Option<Output> {
        self.run(now);
        self.outputs.pop_front()
    }

    /// When [`Chat::handle_timeout`] is to be called next. May change with every call. After
    /// [`Output::Drop`] it says when the lost connection's answer will have been stored.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        let (due, event) = self.next_event()?;
        // A tick finds nothing in an empty queue, so nobody needs to wake up for it.
        match event {
            Event::Tick(_) if self.queue.is_empty() => self.answer_due(),
            _ => Some(due),
        }
    }

    /// Whether the socket is open but nothing is read from it any more, not even pings: 2023 after an
    /// authentication of a wrong type (protocol.md, section 1).
    #[must_use]
    pub fn is_deaf(&self) -> bool {
        self.stage == Stage::Deaf
    }

    /// Carries out, in the order of their time, all events that are due.
    fn run(&mut self, now: Duration) {
        let now = now.max(self.now);
        loop {
            self.serve();
            let Some((due, event)) = self.next_event().filter(|(due, _)| *due <= now) else {
                break;
            };
            self.now = self.now.max(due);
            match event {
                Event::Answer => self.step(),
                Event::Tick(poller) => self.tick(poller),
            }
        }
        self.now = now;
    }

    fn next_event(&self) -> Option<(Duration, Event)> {
        let tick = self.pollers.iter().enumerate().min_by_key(|(_, poller)| poller.tick);
        let tick = tick.map(|(index, poller)| (poller.tick, Event::Tick(index)));
        let answer = self.answer_due().map(|due| (due, Event::Answer));
        match (answer, tick) {
            (Some(answer), Some(tick)) => Some(if tick.0 < answer.0 { tick } else { answer }),
            (answer, tick) => answer.or(tick),
        }
    }

    /// When the running answer goes on, unless too many frames wait.
    fn answer_due(&self) -> Option<Duration> {
        if self.is_blocked() { None } else { self.answer.as_ref()?.due }
    }

    fn is_blocked(&self) -> bool {
        self.stage != Stage::Dropped && self.outputs.len() >= WAITING
    }

    // The reader.

    fn authenticate(&mut self, text: &str) {
        let Ok(form) = AuthForm::parse(text) else {
            if self.options.generation == Generation::G2023 {
                self.stage = Stage::Deaf;
            } else {
                self.drop_socket();
            }
            return;
        };
        let token = form.token.trim();
        let token = token.strip_prefix("Bearer ").unwrap_or(token);
        let named = !token.is_empty() && token != "anonymous";
        let good = named && !self.options.bad_keys.iter().any(|bad| bad == token);
        self.conversation = self.world.open(good.then(|| token.to_owned()), form.id, &form.reference);
        self.stage = Stage::Open;
        self.world.count(|stats| {
            stats.authentications += 1;
            stats.anonymous += u64::from(!good);
        });
    }

    fn enqueue(&mut self, text: &str) {
        match RequestForm::parse(self.options.generation, text) {
            Ok(form) => {
                let stop = form.kind == "stop";
                let evicted = self.queue.push(Some(form));
                self.world.count(|stats| {
                    stats.requests += 1;
                    stats.stops_received += u64::from(stop);
                    stats.evicted += u64::from(evicted);
                });
            }
            Err(_) => self.drop_socket(),
        }
    }

    fn drop_socket(&mut self) {
        if self.stage == Stage::Dropped {
            return;
        }
        self.stage = Stage::Dropped;
        self.outputs.push_back(Output::Drop);
        self.world.count(|stats| stats.drops += 1);
        // 2023's reader leaves no mark: its request loop waits for ever.
        if self.options.generation != Generation::G2023 {
            self.queue.push(None);
        }
    }

    // The request loop.

    /// Takes requests from the queue until one of them is being answered.
    fn serve(&mut self) {
        while self.answer.is_none() && !self.loop_ended && !self.is_blocked() {
            match self.queue.pop() {
                Some(Some(form)) => self.handle(form),
                Some(None) => self.loop_ended = true,
                None => break,
            }
        }
    }

    fn handle(&mut self, form: RequestForm) {
        let old = self.options.generation == Generation::G2023;
        match form.kind.as_str() {
            "chat" if !form.message.is_empty() => {
                self.conversation.apply(&form);
                self.conversation.add("user", form.message);
                self.world.save(&self.conversation);
                self.start(false);
            }
            "stop" => self.world.count(|stats| stats.stops_idle += 1),
            "restart" if old => self.restart_2023(),
            "restart" => {
                self.conversation.apply(&form);
                self.start(true);
            }
            "share" => {
                if !self.conversation.shared
                    && let Some(messages) = self.world.shared(&form.message)
                {
                    self.conversation.insert_front(messages);
                    self.conversation.shared = true;
                    self.world.save(&self.conversation);
                }
            }
            "mask" => self.conversation.insert_front(parse_mask(&form.message)),
            "edit" if !old => match parse_edit(&form.message) {
                Some((index, text)) => {
                    self.conversation.edit(index, text);
                    self.world.save(&self.conversation);
                }
                None => self.loop_ended = true,
            },
            "remove" if !old => match parse_index(&form.message) {
                Some(index) => {
                    self.conversation.remove(index);
                    self.world.save(&self.conversation);
                }
                None => self.loop_ended = true,
            },
            _ => {}
        }
    }

    /// 2023 takes the last answer back, and its request loop dies when the last message is none.
    fn restart_2023(&mut self) {
        let last = self.conversation.messages.pop();
        if last.is_some_and(|message| message.role == "assistant") {
            self.start(true);
        } else {
            self.send_end("Hello, How can I assist you?");
            self.loop_ended = true;
        }
    }

    /// Begins an answer, with the web search if there is one.
    fn start(&mut self, restart: bool) {
        let generation = self.options.generation;
        let mut due = self.now;
        if self.conversation.web {
            if self.conversation.segment(generation, restart).is_empty() {
                // The search looks for a question and finds none: the server answers nothing at all.
                self.save(String::new());
                return;
            }
            due += self.options.paced(WEB_SEARCH);
        }
        self.answers += 1;
        self.answer = Some(Answer::new(self.answers, generation, restart, due));
        if !self.conversation.web {
            self.step();
        }
    }

    /// Sends the opener and asks the model.
    fn open(&mut self, mut answer: Answer) {
        let generation = self.options.generation;
        let keyed = self.conversation.owner.is_some();
        if generation != Generation::G2023 {
            self.send(&Frame { conversation: self.conversation.id, ..Frame::default() });
            self.world.count(|stats| stats.openers += 1);
        }
        let segment = self.conversation.segment(generation, answer.restart);
        let question = segment.iter().rfind(|message| message.role == "user");
        let question = question.map_or("", |message| message.content.as_str());
        let model = model_name(generation, &self.conversation.model, question);
        let plan = match self.options.plans.get(model) {
            Some(plan) => plan.clone(),
            None => Plan::named(model, generation, question),
        };
        let refused = match &plan.access {
            Access::Anyone => None,
            _ if !keyed => Some(Plan::not_authenticated(generation, model)),
            Access::Keyed => None,
            Access::Refused(notice) => Some(notice.clone()),
        };
        if let Some(notice) = refused {
            self.send_end(&notice);
            self.save(notice);
            return;
        }
        let plan = if segment.is_empty() {
            // The upstream refuses a request without messages.
            let notice = Ending::Notice("request failed with status code: 500".to_owned());
            Plan { pieces: Vec::new(), ..plan }.ending(notice)
        } else {
            plan
        };
        let input = (keyed && !plan.free).then(|| quota::input(generation, segment));
        if generation == Generation::G2023 && self.conversation.web {
            let keyword = question.to_owned();
            self.send(&Frame { keyword: &keyword, ..Frame::default() });
        }
        let wait = answer.ask(plan, input);
        answer.due = Some(self.now.saturating_add(self.options.paced(wait)));
        if generation == Generation::G2026 {
            let tick = self.now + TICK;
            self.pollers.push(Poller { answer: answer.number, tick, unread: 0 });
        }
        self.answer = Some(answer);
    }

    // The running answer.

    /// Carries out the answer's next step.
    fn step(&mut self) {
        let Some(answer) = self.answer.take() else {
            return;
        };
        for poller in &mut self.pollers {
            poller.unread = 0;
        }
        match answer.phase {
            Phase::Searching => self.open(answer),
            Phase::Answering => self.model_step(answer),
            Phase::Stopping => self.first_end(answer),
            Phase::Closing => self.close(answer),
        }
    }

    fn model_step(&mut self, mut answer: Answer) {
        let due = answer.due.unwrap_or(self.now);
        match answer.step() {
            Step::Piece(Piece::Raw(_) | Piece::Binary(_)) if self.stage == Stage::Dropped => {
                return self.close(answer);
            }
            Step::Piece(Piece::Text(text)) => {
                if self.stop_at_piece() {
                    return self.close(answer);
                }
                if self.stage == Stage::Dropped && self.options.generation != Generation::G2026 {
                    return self.save(LOST.to_owned());
                }
                answer.write(&text);
                if self.stage == Stage::Dropped {
                    return self.close(answer);
                }
                self.send(&Frame {
                    message: &text,
                    quota: answer.quota(),
                    plan: answer.subscription(),
                    ..Frame::default()
                });
            }
            Step::Piece(Piece::Raw(text)) => self.push(Output::Frame(text)),
            Step::Piece(Piece::Binary(bytes)) => self.push(Output::Binary(bytes)),
            Step::Ending(Ending::Complete) => return self.close(answer),
            Step::Ending(Ending::Notice(notice)) => {
                self.send_end(&notice);
                return self.save(notice);
            }
            Step::Ending(Ending::Silent) => {
                answer.due = None;
                self.answer = Some(answer);
                return;
            }
            Step::Ending(Ending::Drop) => {
                self.drop_socket();
                let text = match self.options.generation {
                    Generation::G2026 => answer.text,
                    _ => LOST.to_owned(),
                };
                return self.save(text);
            }
        }
        answer.advance();
        // Counted from when it was due, not from when it was sent: a model does not wait for the socket.
        answer.due = Some(due.saturating_add(self.options.paced(answer.wait())));
        self.answer = Some(answer);
    }

    /// Whether a stop is found when the model sends a piece (2023, 2024).
    fn stop_at_piece(&mut self) -> bool {
        let words = match self.options.generation {
            Generation::G2023 => StopWords::Stop,
            Generation::G2024 => StopWords::StopOrRemove,
            Generation::G2026 => return false,
        };
        let found = self.queue.peek_stop(words);
        self.world.count(|stats| stats.stops_seen += u64::from(found));
        found
    }

    /// One tick of a poller (2026).
    fn tick(&mut self, index: usize) {
        let blocked = self.is_blocked();
        let poller = &mut self.pollers[index];
        let number = poller.answer;
        let running = self
            .answer
            .as_mut()
            .filter(|answer| answer.number == number && matches!(answer.phase, Phase::Answering | Phase::Stopping));
        poller.tick += TICK;
        let Some(answer) = running else {
            // Its answer is over, but it looks once more before it notices.
            self.pollers.swap_remove(index);
            let found = self.queue.peek_stop(StopWords::StopOrRemove);
            self.world.count(|stats| stats.stops_swallowed += u64::from(found));
            return;
        };
        if blocked {
            if poller.unread == UNREAD_SIGNALS {
                return;
            }
            poller.unread += 1;
        }
        if self.queue.peek_stop(StopWords::StopOrRemove) {
            if answer.phase == Phase::Answering {
                answer.phase = Phase::Stopping;
                answer.due = Some(self.now);
                self.world.count(|stats| stats.stops_seen += 1);
            } else {
                self.world.count(|stats| stats.stops_swallowed += 1);
            }
        }
    }

    /// The end that 2026 sends as soon as it has seen a stop.
    fn first_end(&mut self, mut answer: Answer) {
        self.send(&Frame { quota: answer.quota(), end: true, plan: answer.subscription(), ..Frame::default() });
        answer.phase = Phase::Closing;
        answer.due = Some(self.now + self.options.paced(SECOND_END));
        self.answer = Some(answer);
    }

    /// The usual end of an answer, stopped or not.
    fn close(&mut self, answer: Answer) {
        let placeholder = match self.options.generation {
            Generation::G2023 => "Sorry, I don't understand. Please try again.",
            Generation::G2024 | Generation::G2026 => "empty response",
        };
        if answer.text.is_empty() {
            self.send_end(placeholder);
        } else {
            self.send(&Frame { quota: answer.quota(), end: true, plan: answer.subscription(), ..Frame::default() });
        }
        let blank = answer.text.trim().is_empty();
        self.save(if blank { placeholder.to_owned() } else { answer.text });
    }

    /// Stores the answer, or what stands in its place.
    fn save(&mut self, text: String) {
        self.conversation.add("assistant", text);
        self.world.save(&self.conversation);
        self.world.count(|stats| stats.answers += 1);
    }

    // The writer.

    /// Ends the answer with a text of the server's own.
    fn send_end(&mut self, message: &str) {
        self.send(&Frame { message, end: true, ..Frame::default() });
    }

    fn send(&mut self, frame: &Frame<'_>) {
        if self.stage != Stage::Dropped {
            let text = frame.encode(self.options.generation);
            self.world.count(|stats| {
                stats.frames += 1;
                stats.ends += u64::from(frame.end);
            });
            self.outputs.push_back(Output::Frame(text));
        }
    }

    fn push(&mut self, output: Output) {
        if self.stage != Stage::Dropped {
            self.world.count(|stats| stats.frames += 1);
            self.outputs.push_back(output);
        }
    }

    fn play(&mut self, replies: Vec<Reply>) {
        for reply in replies {
            match reply {
                Reply::Frame(text) => self.push(Output::Frame(text)),
                Reply::Closed => self.drop_socket(),
            }
        }
    }
}

/// The fake model that is meant. 2023 knew few models, so there the question's first word may name
/// one: `@slow hi`.
fn model_name<'a>(generation: Generation, model: &'a str, question: &'a str) -> &'a str {
    let first = question.split_whitespace().next().and_then(|word| word.strip_prefix('@'));
    match first {
        Some(name) if generation == Generation::G2023 && !name.is_empty() => name,
        _ => model,
    }
}

#[cfg(test)]
mod tests;
