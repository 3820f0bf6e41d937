//! `Deviant`: a server that on one connection does one thing that no server does.

use std::time::Duration;

use fastrand::Rng;

use crate::belief::Frame;

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deviation {
    /// An opener is not sent.
    DropsOpener,
    /// An opener is sent once more.
    RepeatsOpener,
    /// An end is sent once more: behind a second end, a third.
    RepeatsEnd,
    /// An end is not sent.
    DropsEnd,
    /// A frame comes late, behind others.
    Delays,
    /// What nobody asked for is answered.
    AnswersUnasked,
}

impl Deviation {
    pub(crate) const ALL: [Deviation; 6] = [
        Deviation::DropsOpener,
        Deviation::RepeatsOpener,
        Deviation::RepeatsEnd,
        Deviation::DropsEnd,
        Deviation::Delays,
        Deviation::AnswersUnasked,
    ];

    /// Whether nobody can tell that this is in an answer: every frame that came with it could be of a server that does nothing
    /// wrong. docs/invariants.md has this list in words.
    fn can_hide(self, what: Stranger, opens: bool) -> bool {
        match (self, what) {
            // A piece names no turn: behind the opener of another one it is of that.
            (Deviation::Delays, Stranger::Earlier) => true,
            // A notice may come without an opener.
            (Deviation::RepeatsEnd, Stranger::Notice) => true,
            // Without openers, an end too many is that of the next answer, which is then taken for the one behind it.
            (Deviation::RepeatsEnd, Stranger::Earlier) => !opens,
            // In the place of an answer, and with an opener where there are any; so is then every answer for the next.
            (Deviation::AnswersUnasked, Stranger::Unasked | Stranger::Earlier | Stranger::Notice) => true,
            _ => false,
        }
    }
}

/// What is in an answer that is not of its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stranger {
    /// A piece of an earlier turn.
    Earlier,
    /// A piece of a turn that was begun later.
    Later,
    /// A piece of what nobody asked for.
    Unasked,
    /// Another turn's notice.
    Notice,
}

#[derive(Debug)]
pub(crate) struct Deviant {
    deviation: Deviation,
    /// How many frames that it could happen to go by before.
    left: u8,
    /// How long what is late takes.
    late: Duration,
    /// Whether an answer that nobody asked for has an opener.
    opens: bool,
    pub(crate) has_deviated: bool,
    /// How many answers held something of others, and nothing showed it.
    deceits: u32,
}

impl Deviant {
    pub(crate) fn new(rng: &mut Rng, opens: bool) -> Self {
        let most = [1, 50, 3000][rng.usize(..3)];
        Deviant {
            deviation: Deviation::ALL[rng.usize(..Deviation::ALL.len())],
            left: rng.u8(..4),
            late: Duration::from_millis(rng.u64(..most)),
            opens,
            has_deviated: false,
            deceits: 0,
        }
    }

    /// Which of all it is.
    pub(crate) fn number(&self) -> usize {
        Deviation::ALL.iter().position(|one| *one == self.deviation).expect("it is one of all")
    }

    /// An answer holds something of others, and nothing has shown that the server deviates: that must be what nobody can tell.
    ///
    /// `has_opened`: the opener of the answer's turn has come, or it seemed to.
    pub(crate) fn deceives(&mut self, strangers: &[Stranger], has_opened: bool) {
        self.deceits += 1;
        for what in strangers {
            assert!(self.deviation.can_hide(*what, self.opens), "{what:?} could be told: {self:?}");
            let is_behind_an_opener = has_opened || !self.opens || *what == Stranger::Notice;
            assert!(is_behind_an_opener, "{what:?} before the opener: {self:?}");
        }
        // One frame deceives once, unless answers are shifted by it.
        let can_shift = !self.opens || self.deviation == Deviation::AnswersUnasked;
        assert!(self.deceits == 1 || can_shift, "again: {self:?}");
    }

    /// What becomes of a frame: what is sent at its time, and what so much later.
    pub(crate) fn send(&mut self, message: String) -> (Vec<String>, Vec<(Duration, String)>) {
        let frame = Frame::read(&message);
        let is_meant = match self.deviation {
            Deviation::DropsOpener | Deviation::RepeatsOpener => frame.is_opener,
            Deviation::RepeatsEnd | Deviation::DropsEnd => frame.is_end,
            Deviation::Delays => !frame.is_opener,
            Deviation::AnswersUnasked => true,
        };
        if self.has_deviated || !is_meant {
            return (vec![message], Vec::new());
        }
        if self.left > 0 {
            self.left -= 1;
            return (vec![message], Vec::new());
        }
        self.has_deviated = true;
        match self.deviation {
            Deviation::DropsOpener | Deviation::DropsEnd => (Vec::new(), Vec::new()),
            Deviation::RepeatsOpener | Deviation::RepeatsEnd => (vec![message.clone()], vec![(self.late, message)]),
            Deviation::Delays => (Vec::new(), vec![(self.late, message)]),
            Deviation::AnswersUnasked => (vec![message], self.unasked()),
        }
    }

    fn unasked(&self) -> Vec<(Duration, String)> {
        let opener = r#"{"conversation":1,"quota":0,"message":"","end":false}"#;
        let rest = [r#"{"quota":0.5,"message":"<unasked>","end":false}"#, r#"{"quota":0.5,"message":"","end":true}"#];
        let frames = self.opens.then_some(opener).into_iter().chain(rest);
        (0..).zip(frames).map(|(gap, frame)| (self.late + Duration::from_millis(gap * 40), frame.to_owned())).collect()
    }
}
