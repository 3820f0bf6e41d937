//! A session against the model of a server. Time is simulated.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chatnio_core::{Auth, Config, EventStorage, Request, Session};
use chatnio_loopback::{Chat, Options, Output, World};

/// Whose conversation it is.
pub(crate) const KEY: &str = "sk-key";

/// More simulated time than any answer needs, and less than the session's own patience.
const PATIENCE: Duration = Duration::from_secs(60);

/// A session and its server, with messages on their way between them.
pub(crate) struct Link {
    pub(crate) now: Duration,
    pub(crate) session: Session,
    chat: Chat,
    up: VecDeque<(Duration, String)>,
    down: VecDeque<(Duration, String)>,
    latency: Duration,
}

impl Link {
    pub(crate) fn new(world: World, options: Options, config: Config, latency: Duration) -> Self {
        Self {
            now: Duration::ZERO,
            session: Session::new(Auth::new(KEY), config, Duration::ZERO).expect("a short token"),
            chat: Chat::new(world, Arc::new(options)),
            up: VecDeque::new(),
            down: VecDeque::new(),
            latency,
        }
    }

    pub(crate) fn ask(&mut self, request: &Request) {
        self.session.request(self.now, request).expect("no turn runs");
    }

    pub(crate) fn wait(&mut self, span: Duration) {
        let end = self.now + span;
        while self.step(end) {}
        self.now = end;
    }

    /// Lets time go by until the session is as wanted; false when it does not become so.
    pub(crate) fn until(&mut self, mut wanted: impl FnMut(&Session) -> bool) -> bool {
        let end = self.now + PATIENCE;
        while !wanted(&self.session) {
            if !self.step(end) {
                return false;
            }
        }
        true
    }

    /// Carries out what is due next, if it is due by `end`.
    fn step(&mut self, end: Duration) -> bool {
        while let Some(message) = self.session.poll_transmit() {
            self.up.push_back((self.now + self.latency, message.to_string()));
        }
        while let Some(output) = self.chat.poll_output(self.now) {
            let Output::Frame(frame) = output else { panic!("nothing asked for {output:?}") };
            self.down.push_back((self.now + self.latency, frame));
        }
        let first = |queue: &VecDeque<(Duration, String)>| queue.front().map(|(at, _)| *at);
        let (up, down) = (first(&self.up), first(&self.down));
        let due = [up, down, self.session.next_deadline(), self.chat.next_deadline()];
        let Some(due) = due.into_iter().flatten().min().filter(|due| *due <= end) else { return false };
        self.now = self.now.max(due);
        if up.is_some_and(|at| at <= self.now) {
            let (_, message) = self.up.pop_front().expect("it is there");
            self.chat.receive(self.now, &message);
        } else if down.is_some_and(|at| at <= self.now) {
            let (_, message) = self.down.pop_front().expect("it is there");
            self.session.receive(self.now, &message, &mut EventStorage::new()).expect("the session is open");
        } else {
            self.chat.handle_timeout(self.now);
            while self.session.handle_timeout(self.now, &mut EventStorage::new()).is_some() {}
        }
        true
    }
}
