//! Frames of an answer that come in another order, number or time than the protocol knows.

use super::Fault;
use super::step::{END, OPENER, Step, answering, asked, frame, open, piece, rest, text, then};

pub(super) fn faults() -> Vec<Fault> {
    let question = || then(open(), [Step::Messages(2)]);
    let notice = |text: &str| format!("{{\"conversation\":0,\"quota\":0,\"message\":\"{text}\",\"end\":true}}\n");
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
        Fault::new("three-ends", "three ends", then(answering(), rest().into_iter().chain([text(END), text(END)]))),
        Fault::new("after-the-end", "a piece after the end", {
            then(answering(), rest().into_iter().chain([text(piece("three"))]))
        }),
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
