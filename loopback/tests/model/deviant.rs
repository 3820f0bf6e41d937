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
        }
    }

    /// Which of all it is.
    pub(crate) fn number(&self) -> usize {
        Deviation::ALL.iter().position(|one| *one == self.deviation).expect("it is one of all")
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
