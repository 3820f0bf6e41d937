//! Stops: once a turn, repeated by the session, bounded (protocol.md, section 5).

use std::time::Duration;

use chatnio_core::{Interruption, MessageKind, Outcome, Request, RequestError, RequestKind, State};

use crate::frames::{end, opener, piece};
use crate::host::{Host, Seen, ms, secs};

const STOP: &str = r#"{"type":"stop"}"#;

#[test]
fn once_a_turn() {
    let mut host = Host::asking();
    assert_eq!(host.stop(), Ok(true));
    assert_eq!(host.stop(), Ok(false));
    host.request(&Request::stop()).unwrap();
    assert_eq!(host.sent(), [STOP]);
    host.receive(&end("", 0.1));
    assert_eq!(host.stop(), Ok(false), "no turn runs");
    assert!(host.sent().is_empty());

    host.ask("hi");
    host.request(&Request::stop()).unwrap();
    assert_eq!(host.sent(), [STOP], "the next turn has its own");
    assert_eq!(host.state(), State::Stopping);
}

#[test]
fn a_stop_with_parameters_is_refused() {
    let mut host = Host::asking();
    let stop = Request::stop().model("m");
    let error = RequestError::UnexpectedParameters { kind: RequestKind::Stop };
    assert_eq!(host.request(&stop), Err(error));
    assert_eq!(host.state(), State::Asking);
    assert!(host.sent().is_empty());
}

#[test]
fn pieces_and_cost_still_come() {
    // R5.1 and R5.2.
    let mut host = Host::asking();
    host.receive(&opener(29));
    host.receive(&piece("a", 0.1));
    host.stop().unwrap();
    assert_eq!(host.receive(&piece("b", 0.2)), Seen::delta(1, "b"));
    let answer = host.receive(&end("", 0.2)).answer();
    assert_eq!((answer.outcome, &*answer.text, answer.quota()), (Some(Outcome::Stopped), "ab", 0.2));
}

/// When stops go out, counted from the first, in the `span` after it.
fn repeats(host: &mut Host, span: Duration) -> Vec<Duration> {
    let since = host.now;
    assert_eq!(host.stop(), Ok(true));
    assert_eq!(host.sent(), [STOP]);
    let mut times = Vec::new();
    while let Some(at) = host.session.next_deadline().filter(|at| *at <= since + span) {
        for seen in host.pass(at - host.now) {
            match seen {
                Seen::StopRepeated(1) => {
                    times.push(host.now - since);
                    assert_eq!(host.sent(), [STOP]);
                }
                Seen::End { .. } => assert!(host.sent().is_empty(), "it was stopped before"),
                Seen::KeepAlive => assert_eq!(host.sent_kinds(), [MessageKind::Ping]),
                other => panic!("{other:?}"),
            }
        }
    }
    times
}

#[test]
fn repeated_after_150_ms_then_1_2_and_4_s() {
    let mut host = Host::asking();
    assert_eq!(repeats(&mut host, secs(100)), [150, 1000, 2000, 4000].map(ms));
    assert_eq!(host.session.counters().repeated_stops, 4);
}

#[test]
fn repeated_by_setting() {
    let mut host = Host::with_config(|config| config.stop_repeats = vec![ms(7), secs(20)]);
    host.ask("hi");
    assert_eq!(repeats(&mut host, secs(100)), [ms(7)], "not beyond the deadline after a stop");
    let mut host = Host::with_config(|config| config.stop_repeats.clear());
    host.ask("hi");
    assert_eq!(repeats(&mut host, secs(100)), []);
    assert_eq!(host.session.counters().repeated_stops, 0);
}

#[test]
fn repeats_out_of_order_come_to_an_end_too() {
    let mut host = Host::with_config(|config| config.stop_repeats = vec![secs(2), ms(0), Duration::MAX, secs(3)]);
    host.ask("hi");
    assert_eq!(repeats(&mut host, secs(100)), [secs(2)], "nothing comes behind one that never comes");
    // The last is overdue when its time comes: it goes out at once, and then there is nothing more.
    let mut host = Host::with_config(|config| config.stop_repeats = vec![secs(2), secs(5), ms(0)]);
    host.ask("hi");
    host.stop().unwrap();
    assert_eq!(host.pass(secs(9)), vec![Seen::StopRepeated(1); 2]);
}

#[test]
fn the_end_ends_the_repeats() {
    let mut host = Host::asking();
    host.stop().unwrap();
    host.pass(ms(700));
    host.receive(&end("", 0.1));
    host.sent();
    assert_eq!(host.pass(secs(20)), []);
    assert!(host.sent().is_empty());
    assert_eq!(host.session.counters().repeated_stops, 1);
}

#[test]
fn a_late_host_sends_one_stop_for_all_that_it_missed() {
    let mut host = Host::asking();
    host.stop().unwrap();
    host.sent();
    assert_eq!(host.sleep(ms(2500)), [Seen::StopRepeated(1)]);
    assert_eq!(host.sent(), [STOP]);
    assert_eq!(host.pass(ms(1499)), []);
    assert_eq!(host.pass(ms(1)), [Seen::StopRepeated(1)], "the one at 4 s is still to come");
    assert_eq!(host.session.counters().repeated_stops, 2);
}

#[test]
fn after_the_deadline_the_turn_is_interrupted_and_drains() {
    let mut host = Host::asking();
    host.receive(&piece("a", 0.1));
    host.stop().unwrap();
    assert_eq!(host.pass(ms(9_999)).len(), 4);
    host.sent();
    let answer = host.pass(ms(1)).pop().unwrap().answer();
    assert_eq!(answer.outcome, Some(Outcome::Interrupted(Interruption::AfterStopDeadline)));
    assert_eq!(answer.text, "a");
    assert_eq!(host.state(), State::Draining);
    assert!(host.sent().is_empty(), "it has had its stop");
}

#[test]
fn the_deadline_comes_before_the_repeats_that_were_missed() {
    let mut host = Host::asking();
    host.stop().unwrap();
    let seen = host.sleep(secs(60));
    assert_eq!(seen[0].clone().outcome(), Outcome::Interrupted(Interruption::AfterStopDeadline));
    assert_eq!(seen[1..], [Seen::StopRepeated(1)]);
}

#[test]
fn without_a_deadline_it_waits() {
    let mut host = Host::with_config(|config| {
        config.after_stop = Duration::ZERO;
        config.first_frame = Duration::ZERO;
        config.keep_alive = Duration::ZERO;
    });
    host.ask("hi");
    host.stop().unwrap();
    assert_eq!(host.pass(secs(1_000_000)).len(), 4);
    assert_eq!(host.session.next_deadline(), None);
    assert_eq!(host.state(), State::Stopping);
}
