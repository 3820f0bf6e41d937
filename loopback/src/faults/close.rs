//! Close frames in mid-answer.

use super::Fault;
use super::step::{END, Step, answering, frame, piece, send, texts, then};

pub(super) fn faults() -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut closes = |name: String, what: String, payload: &[u8]| {
        faults.push(Fault::new(name, what, then(answering(), [send(0x88, payload), Step::Goodbye, Step::Fin])));
    };
    closes("close-empty".to_owned(), "a Close without a code".to_owned(), b"");
    closes("close-1-byte".to_owned(), "a Close of one byte".to_owned(), b"x");
    for code in [
        0_u16, 1, 999, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 1015,
        1016, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 65535,
    ] {
        let payload = [&code.to_be_bytes()[..], b"bye"].concat();
        closes(format!("close-{code}"), format!("a Close with the code {code}"), &payload);
    }
    let reason = |reason: &[u8]| [&1001_u16.to_be_bytes()[..], reason].concat();
    closes("close-longest-reason".to_owned(), "a reason of 123 bytes".to_owned(), &reason(&[b'r'; 123]));
    closes("close-reason-too-long".to_owned(), "a reason of 124 bytes".to_owned(), &reason(&[b'r'; 124]));
    closes("close-reason-nul".to_owned(), "a NUL in the reason".to_owned(), &reason(b"a\0b"));
    closes("close-reason-not-utf8".to_owned(), "a reason that is not UTF-8".to_owned(), &reason(&[0xff]));
    faults.push(Fault::new("close-unfinished", "a Close, and the stream stays open", {
        then(answering(), [send(0x88, 1000_u16.to_be_bytes())])
    }));
    faults.push(Fault::new("close-echo", "a reason that repeats the token and the request", {
        then(answering(), [Step::Repeat(1008), Step::Goodbye, Step::Fin])
    }));
    faults.push(Fault::new("close-after-end", "a Close behind the whole answer", {
        let close = frame(0x88, &1000_u16.to_be_bytes());
        let end = [texts(&[&piece("two"), END]), close].concat();
        then(answering(), [Step::Send(end.into()), Step::Goodbye, Step::Fin])
    }));
    faults
}
