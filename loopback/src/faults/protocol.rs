//! Frames of an answer that come in another order, number or time than the protocol knows.

use super::Fault;
use super::step::{END, OPENER, Step, again, answering, asked, frame, open, piece, rest, text, then, together};

pub(super) fn faults() -> Vec<Fault> {
    let question = || then(open(), [Step::Messages(2)]);
    vec![
        Fault::new("no-opener", "pieces without an opener, as in 2023", {
            then(question(), [text(piece("one "))].into_iter().chain(rest()))
        }),
        Fault::new("end-alone", "an end without an opener or a piece", then(question(), [text(END)])),
        Fault::new("end-after-opener", "an end right after the opener", then(asked(), [text(END)])),
        Fault::new("notice-alone", "a notice without an opener", then(question(), [text(notice("no money"))])),
        Fault::new("notice", "a notice after the opener", then(asked(), [text(notice("no money"))])),
        Fault::new("notice-late", "a notice after a piece", then(answering(), [text(notice("no money"))])),
        Fault::new("content-on-end", "text on an end that costs something", {
            then(answering(), [text("{\"quota\":0.5,\"message\":\"two\",\"end\":true}\n")])
        }),
        Fault::new(
            "two-openers",
            "two openers",
            then(asked(), [text(OPENER), text(piece("one "))].into_iter().chain(rest())),
        ),
        Fault::new("late-opener", "an opener in mid-answer", {
            then(answering(), [text(OPENER)].into_iter().chain(rest()))
        }),
        behind_the_end("three-ends", "three ends", &[END, END]),
        behind_the_end("after-the-end", "a piece after the end", &[&piece("three")]),
        behind_the_end("after-the-end-notice", "a notice after the end", &[&notice("no money")]),
        behind_the_end("after-the-end-opener", "an opener after the end", &[OPENER]),
        behind_the_end("after-the-end-answer", "a whole answer more after the end", &[OPENER, &piece("three"), END]),
        behind_the_end("after-the-end-junk", "no JSON after the end", &["not json"]),
        Fault::new("after-the-end-no-opener", "a piece after the end, where answers have no opener, as in 2023", {
            let answer = together(&[&piece("one "), &piece("two"), END, &piece("three")]);
            then(question(), [answer].into_iter().chain(again()))
        }),
        Fault::new("notice-and-answer", "a notice without an opener, and then the answer all the same", {
            let answer = together(&[&notice("no money"), OPENER, &piece("one "), END]);
            then(question(), [answer].into_iter().chain(again()))
        }),
        Fault::new("end-and-answer", "an end without an opener, and then the answer all the same", {
            let answer = together(&[END, OPENER, &piece("one "), END]);
            then(question(), [answer].into_iter().chain(again()))
        }),
        before_the_second("late-piece", "a piece of the first answer before the second's opener", &piece("three")),
        before_the_second("late-notice", "a notice before the second answer's opener", &notice("no money")),
        before_the_second("late-end", "one end more of the first answer before the second's opener", END),
        Fault::new("before-the-question", "an answer that nobody asked for", {
            let early = [OPENER, &piece("zero"), END].map(|message| frame(0x81, message.as_bytes())).concat();
            let answer = [Step::Messages(2), text(OPENER), text(piece("one "))];
            then(vec![Step::Head, Step::AcceptAnd(early.into())], answer.into_iter().chain(rest()))
        }),
        Fault::new("quota-falls", "a quota that falls", {
            then(answering(), [text("{\"quota\":0.00001,\"message\":\"and \"}\n")].into_iter().chain(rest()))
        }),
    ]
}

fn notice(text: &str) -> String {
    format!("{{\"conversation\":0,\"quota\":0,\"message\":\"{text}\",\"end\":true}}\n")
}

/// An answer, and what comes behind its end in the same write: who has read the end has it, too, before a second question goes.
fn behind_the_end(name: &str, what: &str, late: &[&str]) -> Fault {
    let end = together(&[&[&piece("two"), END], late].concat());
    Fault::new(name, what, then(answering(), [end].into_iter().chain(again())))
}

/// An answer, and what comes late behind the second question.
fn before_the_second(name: &str, what: &str, late: &str) -> Fault {
    let [question, answer] = again();
    Fault::new(name, what, then(then(answering(), rest()), [question, text(late), answer]))
}
