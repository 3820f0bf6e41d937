//! The running answer: its pieces, its stops and its end.

use core::time::Duration;

use super::{Chat, Output, Stage, TICK};
use crate::answer::{Answer, Phase, Step};
use crate::frame::Frame;
use crate::generation::Generation;
use crate::plan::{Ending, Piece};
use crate::queue::StopWords;

/// What passes between the two ends of a stopped answer (2026), at pace 1, besides what is stored in between.
const SECOND_END: Duration = Duration::from_millis(3);

/// Times that 2026 looks for a stop while the socket takes no more; then its poller hangs, too
/// (protocol.md, R2.40).
const UNREAD_SIGNALS: u8 = 2;

/// Writes that charge a user for an answer.
const CHARGE_WRITES: u32 = 2;

/// What 2023 stores as the answer that was being written when the connection was lost (protocol.md, R7.3).
const LOST: &str = "write tcp: use of closed network connection";

impl Chat {
    // The running answer.

    /// Carries out the answer's next step.
    pub(super) fn step(&mut self) {
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
                return self.finish(answer);
            }
            Step::Piece(Piece::Text(text)) => {
                if self.stop_at_piece() {
                    return self.finish(answer);
                }
                if self.stage == Stage::Dropped && self.options.generation == Generation::G2023 {
                    return self.save(LOST.to_owned());
                }
                answer.write(&text);
                if self.stage == Stage::Dropped {
                    return self.finish(answer);
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
            Step::Ending(Ending::Complete) => return self.finish(answer),
            Step::Ending(Ending::Content(text)) => {
                answer.write(&text);
                self.send(&Frame {
                    message: &text,
                    quota: answer.quota(),
                    end: true,
                    plan: answer.subscription(),
                    ..Frame::default()
                });
                return self.save(answer.text);
            }
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
                    Generation::G2023 => LOST.to_owned(),
                    Generation::G2024 | Generation::G2026 => answer.text,
                };
                return self.save(text);
            }
        }
        answer.advance();
        // Counted from when it was due, not from when it was sent: a model does not wait for the socket.
        answer.due = Some(due.saturating_add(self.options.paced(answer.wait())));
        self.answer = Some(answer);
    }

    /// Whether a stop is found when the model sends a piece (2023, 2024: protocol.md, R3.16).
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
    pub(super) fn tick(&mut self, index: usize) {
        let blocked = self.is_blocked();
        let poller = &mut self.pollers[index];
        let number = poller.answer;
        let running = self
            .answer
            .as_mut()
            .filter(|answer| answer.number == number && matches!(answer.phase, Phase::Answering | Phase::Stopping));
        poller.tick += TICK;
        let Some(answer) = running else {
            // Its answer is over, but it looks once more before it notices (protocol.md, R5.3, R5.5 and R5.6).
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

    /// The end that 2026 sends as soon as it has seen a stop (protocol.md, R3.14).
    fn first_end(&mut self, answer: Answer) {
        self.send(&Frame { quota: answer.quota(), end: true, plan: answer.subscription(), ..Frame::default() });
        self.charge(answer, self.options.paced(SECOND_END));
    }

    /// Nothing more comes from the model.
    fn finish(&mut self, answer: Answer) {
        self.charge(answer, Duration::ZERO);
    }

    /// Charges the user, who sees the usual end when that is done. An answer without text costs nothing
    /// (protocol.md, R3.19).
    fn charge(&mut self, mut answer: Answer, after: Duration) {
        let writes = if answer.quota() > 0.0 && !answer.text.is_empty() { CHARGE_WRITES } else { 0 };
        answer.phase = Phase::Closing;
        answer.due = Some(self.now.saturating_add(after).saturating_add(self.storage.time(writes)));
        self.answer = Some(answer);
    }

    /// The usual end of an answer, stopped or not (protocol.md, R3.13, R3.14 and R3.15).
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
    pub(super) fn save(&mut self, text: String) {
        // Notices are stored, too (protocol.md, R4.11).
        self.conversation.add("assistant", text);
        self.store();
        self.world.count(|stats| stats.answers += 1);
    }
}
