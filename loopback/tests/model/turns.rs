//! `Turns`: the books on what was asked, sent and answered; and `Seen`, whether the interesting things happened at all.

use std::collections::{BTreeMap, VecDeque};

use chatnio_core::{Answer, End, Interruption, Message, MessageKind, Outcome, RequestKind};

use crate::deviant::{Deviation, Stranger};

/// What the host knows of a turn that it began.
#[derive(Debug)]
pub(crate) struct Turn {
    /// The number of its plan, which its pieces name.
    pub(crate) number: usize,
    /// All that its plan brings.
    pub(crate) pieces: String,
    /// The notice that its plan ends with.
    pub(crate) notice: Option<String>,
    pub(crate) stopped: bool,
    /// What its events have told.
    pub(crate) text: String,
    ends: u32,
}

impl Turn {
    pub(crate) fn new(number: usize, pieces: String, notice: Option<String>) -> Self {
        Turn { number, pieces, notice, stopped: false, text: String::new(), ends: 0 }
    }

    /// What of others is in its answer.
    fn strangers(&self, answer: &Answer) -> Vec<Stranger> {
        let pieces = self.text.split('<').skip(1).filter_map(|piece| {
            match piece.split_once('.').and_then(|(number, _)| number.parse::<usize>().ok()) {
                None => Some(Stranger::Unasked),
                Some(number) if number < self.number => Some(Stranger::Earlier),
                Some(number) => (number > self.number).then_some(Stranger::Later),
            }
        });
        let mut strangers: Vec<_> = pieces.collect();
        // A word of the server's own belongs to whoever gets it.
        if answer.notice.as_ref().is_some_and(|text| text.starts_with("notice ") && self.notice.as_ref() != Some(text))
        {
            strangers.push(Stranger::Notice);
        }
        strangers.sort_unstable();
        strangers.dedup();
        strangers
    }
}

/// What is believed of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The server has done nothing that no server does: the answer is as it was planned.
    Full,
    /// It has deviated, and nothing shows that: nobody can know.
    Deceived,
    /// It has, and that has shown: no answer is another's without a word.
    Betrayed,
}

#[derive(Debug, Default)]
pub(crate) struct Turns {
    turns: BTreeMap<u64, Turn>,
    /// What was accepted on this connection and did not go out.
    accepted: VecDeque<RequestKind>,
    is_authenticated: bool,
}

impl Turns {
    pub(crate) fn accept(&mut self, kind: RequestKind) {
        self.accepted.push_back(kind);
    }

    pub(crate) fn begin(&mut self, number: u64, turn: Turn) {
        assert!(self.turns.insert(number, turn).is_none(), "turns count up");
        assert_eq!(self.turns.keys().last(), Some(&number));
    }

    /// What was accepted and not sent is lost with its connection.
    pub(crate) fn disconnect(&mut self) {
        self.accepted.clear();
        self.is_authenticated = false;
    }

    /// The turn that was begun last, which is the one that runs.
    pub(crate) fn running(&mut self, number: u64) -> &mut Turn {
        assert_eq!(self.turns.keys().last(), Some(&number), "an event of a turn that does not run");
        let turn = self.turns.get_mut(&number).expect("it was begun");
        assert_eq!(turn.ends, 0, "an event of a turn that has ended");
        turn
    }

    /// Every accepted request goes out once, in its order, behind one authentication.
    pub(crate) fn sent(&mut self, message: &Message) {
        match message.kind() {
            MessageKind::Auth => assert!(!std::mem::replace(&mut self.is_authenticated, true), "it authenticates once"),
            MessageKind::Request(RequestKind::Stop) | MessageKind::Ping => {}
            MessageKind::Request(kind) => {
                assert!(self.is_authenticated, "it authenticates first");
                assert_eq!(self.accepted.pop_front(), Some(kind), "what was accepted goes out once, in its order");
            }
            kind => panic!("{kind:?}"),
        }
    }

    pub(crate) fn is_sent(&self) -> bool {
        self.accepted.is_empty()
    }

    /// The running turn has text that no event has told.
    pub(crate) fn untold(&mut self, answer: &Answer, keep_text: bool) {
        let turn = self.running(answer.turn);
        if keep_text {
            assert!(answer.text.starts_with(&turn.text), "what was told is its beginning");
            turn.text.clone_from(&answer.text);
        } else {
            // Nobody knows how much it is.
            turn.text.clone_from(&turn.pieces);
        }
    }

    /// What of others is in the answer, where nothing has shown it.
    pub(crate) fn end(&mut self, end: &End<'_>, trust: Trust, keep_text: bool, seen: &mut Seen) -> Vec<Stranger> {
        let answer = &*end.answer;
        let turn = self.running(answer.turn);
        turn.text += end.text;
        turn.ends += 1;
        assert_eq!(answer.text, if keep_text { &*turn.text } else { "" }, "an answer is its pieces");
        let outcome = answer.outcome.expect("it has ended");
        match outcome {
            Outcome::Complete => seen.complete += 1,
            Outcome::Notice => seen.notices += 1,
            Outcome::Stopped => seen.stopped += 1,
            _ => seen.interrupted += 1,
        }
        if let Outcome::Interrupted(why) = outcome {
            seen.late_by_request += u64::from(why == Interruption::AnswerDeadline);
            seen.broken += u64::from(why == Interruption::ProtocolBroken);
        } else {
            assert_eq!(outcome == Outcome::Stopped, turn.stopped);
        }
        match trust {
            Trust::Full => {
                assert!(turn.pieces.starts_with(&turn.text), "only its own pieces, in order: {turn:?}");
                match outcome {
                    Outcome::Complete => assert_eq!((&turn.text, &turn.notice), (&turn.pieces, &None)),
                    Outcome::Notice => assert_eq!((&turn.text, &turn.notice), (&turn.pieces, &answer.notice)),
                    Outcome::Interrupted(Interruption::ProtocolBroken) => panic!("the server did nothing: {turn:?}"),
                    _ => {}
                }
            }
            Trust::Deceived => return turn.strangers(answer),
            Trust::Betrayed => {
                let is_silent = !matches!(outcome, Outcome::Interrupted(_));
                assert!(!is_silent || turn.strangers(answer).is_empty(), "a silent mix-up: {turn:?}, {answer:?}");
                seen.believed_after += u64::from(is_silent);
            }
        }
        Vec::new()
    }

    pub(crate) fn all_have_ended(&self) -> bool {
        self.turns.values().all(|turn| turn.ends == 1)
    }
}

/// What happened, and how often.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) complete: u64,
    pub(crate) notices: u64,
    pub(crate) stopped: u64,
    pub(crate) interrupted: u64,
    /// By a deadline of the request's own.
    pub(crate) late_by_request: u64,
    /// Second ends and the like, by what the session was doing.
    pub(crate) strays_idle: u64,
    pub(crate) strays_asking: u64,
    pub(crate) strays_draining: u64,
    pub(crate) repeated: u64,
    pub(crate) resumed: u64,
    /// Requests that have no answer.
    pub(crate) told: u64,
    /// Connections that were lost, and that the host closed.
    pub(crate) lost: u64,
    pub(crate) closed: u64,
    /// Those that the host left while frames waited behind the first of their message.
    pub(crate) crowded: u64,
    /// Stops that an earlier answer's poller took, and those that came when there was nothing to stop.
    pub(crate) swallowed: u64,
    pub(crate) idle: u64,
    /// How often each deviation happened.
    pub(crate) deviations: [u64; Deviation::ALL.len()],
    /// Connections on which that has shown; turns that ended for it; answers that were believed all the same.
    pub(crate) betrayed: u64,
    pub(crate) broken: u64,
    pub(crate) believed_after: u64,
    /// Answers that held something of others before anything had shown, by what the server had done.
    pub(crate) deceived: [u64; Deviation::ALL.len()],
}

impl Seen {
    pub(crate) fn add(&mut self, other: &Seen) {
        for at in 0..Deviation::ALL.len() {
            self.deviations[at] += other.deviations[at];
            self.deceived[at] += other.deceived[at];
        }
        macro_rules! add {
            ($($name:ident)*) => { $(self.$name += other.$name;)* };
        }
        add!(complete notices stopped interrupted late_by_request strays_idle strays_asking strays_draining);
        add!(repeated resumed told lost closed crowded swallowed idle betrayed broken believed_after);
    }
}
