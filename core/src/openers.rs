//! `Openers`: whose frame it is (protocol.md, R5.9, R5.10 and R5.13).

use crate::chunk::Chunk;
use crate::turn::is_notice;

/// The text of the second end that a stopped turn without a piece leaves behind (protocol.md, R3.15).
const EMPTY_RESPONSE: &str = "empty response";

/// What is known of the openers of a connection's server: what a frame is taken for hangs on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Openers {
    shown: Shown,
    /// A stopped turn has left no second end so far (protocol.md, R5.10).
    owes_end: bool,
    /// The last turn was stopped: a server that sends one end too many sends it then.
    was_stopped: bool,
    /// The last turn has ended without a piece: one that comes now shows that the end was not its own.
    was_bare: bool,
    /// Since the last opener something has come that belongs to no turn. Until the next one no notice is believed.
    is_in_doubt: bool,
    /// A turn has ended without its opener, by a notice: the next opener may be that one's.
    is_unsure: bool,
    /// A `remove` went out since the last turn: a server that takes it behind the next question takes it for a stop
    /// (protocol.md, R2.32 and R2.34).
    may_be_stopped: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Shown {
    /// None so far, and no turn has come without one. A notice does not count: it may come before its turn's opener.
    #[default]
    Nothing,
    /// A turn came without one: it sends none, as 2023 never does. Whatever comes while a turn runs is the turn's.
    NoOpener,
    /// It opens its turns, and the last turn's opener has not come: nothing before that belongs to the turn, but a
    /// notice.
    Earlier,
    /// The last turn's opener has come.
    ThisTurns,
}

/// Whose a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The awaited turn's.
    Own,
    /// No turn's, and nothing hangs on it.
    Nobodys,
    /// It cannot be (protocol.md, R5.13): the server answers something else than what was asked, and from here on nobody
    /// knows what.
    OutOfPlace,
}

impl Openers {
    /// A turn begins.
    pub(crate) fn begin(&mut self) {
        if self.shown == Shown::ThisTurns {
            self.shown = Shown::Earlier;
        }
    }

    /// A `remove` goes out.
    pub(crate) fn remove(&mut self) {
        self.may_be_stopped = true;
    }

    /// Whether a turn has ended without its opener, which may still come.
    pub(crate) fn may_owe_one(self) -> bool {
        self.is_unsure
    }

    /// The server has ended the turn, which was stopped or not, and had no piece or some.
    pub(crate) fn ended(&mut self, was_stopped: bool, was_bare: bool) {
        let was_stopped = core::mem::take(&mut self.may_be_stopped) || was_stopped;
        self.owes_end |= was_stopped;
        (self.was_stopped, self.was_bare) = (was_stopped, was_bare);
        self.is_unsure |= self.shown == Shown::Earlier;
    }

    /// Whose `chunk` is, which comes before the server has ended the turn.
    #[inline(never)]
    pub(crate) fn whose(self, chunk: &Chunk<'_>) -> Whose {
        match self.shown {
            _ if self.is_plainly_own(chunk) => Whose::Own,
            Shown::NoOpener => Whose::OutOfPlace,
            Shown::ThisTurns if is_bare_opener(chunk) => Whose::OutOfPlace,
            Shown::Nothing | Shown::ThisTurns => Whose::Own,
            Shown::Earlier if chunk.opener().is_some() => Whose::Own,
            Shown::Earlier if !has_words(chunk) => self.nobodys(chunk),
            Shown::Earlier if is_notice(chunk) && !self.is_in_doubt => Whose::Own,
            Shown::Earlier => Whose::OutOfPlace,
        }
    }

    /// Whose `chunk` is, and remembers it. `is_awaited`: before the server has ended the turn.
    #[inline(always)]
    pub(crate) fn take(&mut self, chunk: &Chunk<'_>, is_awaited: bool) -> Whose {
        if is_awaited && self.is_plainly_own(chunk) { Whose::Own } else { self.take_other(chunk, is_awaited) }
    }

    /// What nearly every frame is.
    #[inline(always)]
    fn is_plainly_own(self, chunk: &Chunk<'_>) -> bool {
        matches!(self.shown, Shown::NoOpener | Shown::ThisTurns) && chunk.opener().is_none()
    }

    #[cold]
    #[inline(never)]
    fn take_other(&mut self, chunk: &Chunk<'_>, is_awaited: bool) -> Whose {
        let is_opener = chunk.opener().is_some();
        let whose = match is_awaited {
            true => self.whose(chunk),
            false if is_opener || self.shown == Shown::NoOpener => Whose::OutOfPlace,
            false => self.nobodys(chunk),
        };
        match whose {
            Whose::Own if is_opener => {
                let Openers { is_unsure, may_be_stopped, .. } = *self;
                *self = Openers { shown: Shown::ThisTurns, is_unsure, may_be_stopped, ..Openers::default() };
            }
            Whose::Own if !is_notice(chunk) => self.shown = Shown::NoOpener,
            Whose::Nobodys => {
                // A second end is paid with this; anything else has no business here.
                self.is_in_doubt |= !self.is_owed(chunk);
                self.owes_end &= !chunk.end;
                if self.shown == Shown::Nothing {
                    // What it begins may go on behind the next question, and only an opener ends that.
                    self.shown = Shown::Earlier;
                }
            }
            Whose::Own | Whose::OutOfPlace => {}
        }
        whose
    }

    /// What is no turn's: may it be passed over? Nothing before the next opener counts; but it may show that the last opener
    /// or end was another turn's, and then so is the next.
    fn nobodys(self, chunk: &Chunk<'_>) -> Whose {
        let can_be_late = match chunk.end {
            true => self.was_stopped || has_words(chunk),
            false => !self.was_bare,
        };
        let is_first = self.shown == Shown::Nothing;
        let is_harmless = is_first || self.is_owed(chunk) || can_be_late && !self.is_unsure;
        if is_harmless { Whose::Nobodys } else { Whose::OutOfPlace }
    }

    /// Whether it is the second end that a stopped turn leaves.
    fn is_owed(self, chunk: &Chunk<'_>) -> bool {
        self.owes_end && chunk.end && !has_words(chunk)
    }
}

/// Whether it is an opener and says nothing else (protocol.md, R3.11): a piece that names the conversation is a piece.
fn is_bare_opener(chunk: &Chunk<'_>) -> bool {
    chunk.opener().is_some() && !chunk.end && chunk.message.is_none_or(|text| text.is_empty())
}

/// Whether an end says something: more than a second end does. Were an end without words taken for the end of a turn that
/// has not been opened, every later answer would land one turn too late.
fn has_words(chunk: &Chunk<'_>) -> bool {
    chunk.end && chunk.message.is_some_and(|text| !text.is_empty() && text.as_plain() != Some(EMPTY_RESPONSE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::names;
    use crate::test_docs::assert_shown;
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    names! {
        impl Shown {
            ALL;
            name;
            Nothing => "nothing",
            NoOpener => "no opener",
            Earlier => "earlier",
            ThisTurns => "this turn's",
        }
    }

    /// What a frame can be here.
    const FRAMES: [(&str, &str); 6] = [
        ("opener", r#"{"message":"","end":false,"conversation":7}"#),
        ("piece that names the conversation", r#"{"message":"a","end":false,"conversation":7}"#),
        ("piece", r#"{"message":"a","end":false}"#),
        ("end without words", r#"{"message":"","quota":1,"end":true}"#),
        ("end with words", r#"{"message":"a","quota":1,"end":true}"#),
        ("notice", r#"{"message":"a","quota":0,"end":true}"#),
    ];

    /// The facts beside `shown`, by their names.
    const FACTS: [&str; 6] = ["owes_end", "was_stopped", "was_bare", "is_in_doubt", "is_unsure", "may_be_stopped"];

    /// With those facts whose bit is set.
    fn openers(shown: Shown, facts: usize) -> Openers {
        let is = |bit: usize| facts & (1 << bit) != 0;
        Openers {
            shown,
            owes_end: is(0),
            was_stopped: is(1),
            was_bare: is(2),
            is_in_doubt: is(3),
            is_unsure: is(4),
            may_be_stopped: is(5),
        }
    }

    /// Whose the frame is, and the facts that decide it.
    fn cell(shown: Shown, frame: &str, is_awaited: bool) -> String {
        let chunk = Chunk::decode(frame).unwrap();
        let whose = |facts| match openers(shown, facts).take(&chunk, is_awaited) {
            Whose::Own => "its own",
            Whose::Nobodys => "nobody's",
            Whose::OutOfPlace => "out of place",
        };
        let all: Vec<usize> = (0..1 << FACTS.len()).collect();
        let mut found: Vec<_> = all.iter().map(|facts| whose(*facts)).collect();
        found.sort_unstable();
        found.dedup();
        let decides = |bit: &usize| all.iter().any(|facts| whose(*facts) != whose(facts ^ (1 << bit)));
        let facts: Vec<_> = (0..FACTS.len()).filter(decides).map(|bit| format!("`{}`", FACTS[bit])).collect();
        let by = if facts.is_empty() { String::new() } else { format!(", by {}", facts.join(", ")) };
        format!("{}{by}", found.join(" or "))
    }

    fn table() -> String {
        let mut text = String::from(
            "# Whose frame it is\n\n\
             Drawn from `core/src/openers.rs` by its test (protocol.md, R5.9, R5.10 and R5.13). A column is what the connection's\n\
             server has shown of its openers: nothing yet; that it sends none; an earlier turn's, but not yet this one's; this\n\
             turn's. Where more than that decides, the facts are named, by their names in the code.\n",
        );
        for (title, is_awaited) in [("While a turn waits for its end", true), ("Behind a turn's end", false)] {
            text += &format!("\n## {title}\n\n| frame |");
            Shown::ALL.iter().for_each(|shown| text += &format!(" {} |", shown.name()));
            text += "\n| --- | --- | --- | --- | --- |\n";
            for (name, frame) in FRAMES {
                text += &format!("| {name} |");
                Shown::ALL.iter().for_each(|shown| text += &format!(" {} |", cell(*shown, frame, is_awaited)));
                text += "\n";
            }
        }
        text
    }

    #[test]
    fn the_docs_show_whose_a_frame_is() {
        assert_shown("../docs/openers.md", &table());
    }
}
