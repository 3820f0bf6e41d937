//! The stream ends, breaks or stands still, at each stage.

use std::time::Duration;

use super::Fault;
use super::step::{ACCEPTED, END, OPENER, Step, answering, asked, frame, open, piece, rest, texts, then};

pub(super) fn faults() -> Vec<Fault> {
    let half_head = || Step::Send(ACCEPTED.as_bytes()[..60].into());
    let half_frame = || {
        let frame = frame(0x81, piece("two").as_bytes());
        Step::Send(frame[..frame.len() / 2].to_vec().into())
    };
    let stages = [
        ("at-once", "the connection is accepted", vec![]),
        ("before-head", "the request has come", vec![Step::Head]),
        ("mid-head", "half of the answer's head went out", vec![Step::Head, half_head()]),
        ("open", "the WebSocket opened and the question came", then(open(), [Step::Messages(2)])),
        ("opener", "the opener went out", asked()),
        ("mid-answer", "a piece went out", answering()),
        ("mid-frame", "half of a frame went out", then(answering(), [half_frame()])),
        ("after-end", "the whole answer went out", then(answering(), rest())),
    ];
    let mut faults = Vec::new();
    for (stage, when, steps) in stages {
        for (kind, does, last) in [
            ("silence", "nothing more is said", vec![]),
            ("fin", "the stream ends", vec![Step::Fin]),
            ("goodbye", "the stream ends, with TLS in an orderly way", vec![Step::Goodbye, Step::Fin]),
            ("reset", "the connection is reset", vec![Step::Wait(Duration::from_millis(20)), Step::Reset]),
        ] {
            let what = format!("{when}, then {does}");
            faults.push(Fault::new(format!("{kind}-{stage}"), what, then(steps.clone(), last)));
        }
    }
    let whole = texts(&[OPENER, &piece("one "), &piece("two"), END]);
    let byte = Duration::from_millis(1);
    faults.extend([
        Fault::new(
            "slow-head",
            "the answer's head comes a byte every 50 ms, and has no end",
            [Step::Head, Step::Slowly(endless_head().into(), Duration::from_millis(50))],
        ),
        Fault::new(
            "slow-answer",
            "the answer comes a byte a millisecond",
            then(open(), [Step::Messages(2), Step::Slowly(whole.into(), byte)]),
        ),
        Fault::new("raw-garbage-mid-answer", "bytes that are no TLS record, and no frame", {
            then(answering(), [Step::Raw(vec![0xff; 40].into()), Step::Fin])
        }),
        Fault::new("garbage-after-end", "bytes that are no frame behind the whole answer", {
            let end = [texts(&[&piece("two"), END]), vec![0xff; 40]].concat();
            then(answering(), [Step::Send(end.into())])
        }),
    ]);
    faults
}

/// So much of a head that a client which stood still finds no end of it either.
fn endless_head() -> Vec<u8> {
    let head = ACCEPTED.strip_suffix("\r\n").unwrap_or(ACCEPTED);
    format!("{head}X-Slow: {}", "slow ".repeat(400)).into()
}
