//! The fake models, the clock and scripts.

use super::*;

#[test]
fn garbage_comes_between_good_frames() {
    let mut rig = Rig::open(G2026);
    rig.ask("garbage", "q").until(2000);
    assert_eq!(rig.take(), "#1 (Hello) ? (!) (?) ( How) (?) ( are) binary ( you?) END");
}

#[test]
fn the_socket_is_cut_mid_answer() {
    let mut rig = Rig::open(G2026);
    rig.ask("drop", "q").until(2000);
    assert_eq!(rig.take(), "#1 (Hello) (!) ( How) drop");
    assert_eq!(rig.history(), "u:q|a:Hello! How");
}

#[test]
fn foreign_models_answer_everybody() {
    all(|generation| {
        for auth in [AUTH, ANONYMOUS] {
            let mut rig = Rig::new(generation);
            rig.send(auth).send(r#"{"message":"why?"}"#).until(5000);
            let log = rig.take();
            assert!(log.contains("(loopback)") && log.contains("“why?”"), "{log}");
        }
    });
}

#[test]
fn plans_choose_texts_times_access_and_endings() {
    let pieces = vec![(Duration::from_millis(7), Piece::from("a")), (Duration::from_millis(5), Piece::from("b"))];
    let plan = Plan {
        pieces,
        rounds: 2,
        ending_after: Duration::from_millis(3),
        access: Access::Keyed,
        ..Plan::text(Duration::ZERO, [""; 0]).ending(Ending::Notice("enough".to_owned()))
    };
    let mut options = Options { pace: 10.0, ..Options::new(G2023) };
    options.plans.insert("mine".to_owned(), plan);
    let mut rig = Rig::with(World::new(), options);
    rig.send(AUTH).ask("mine", "q").until(1000);
    let expected: Vec<(u128, String)> = [(70, "(a)"), (120, "(b)"), (190, "(a)"), (240, "(b)"), (270, "END0(enough)")]
        .map(|(at, text)| (at, text.to_owned()))
        .into();
    assert_eq!(rig.log, expected);
}

#[test]
fn a_pace_of_zero_takes_no_time() {
    let mut rig = Rig::with(World::new(), Options { pace: 0.0, ..Options::new(G2026) });
    rig.send(AUTH).ask("slow", "q");
    assert!(rig.take().ends_with("(w79) () END"));
}

#[test]
fn the_firehose_flows_while_it_is_drained() {
    let mut rig = Rig::open(G2026);
    rig.ask("long", "q");
    assert_eq!(rig.world.stats().frames, 5002);
}

#[test]
fn a_clock_that_goes_back_is_clamped() {
    let mut rig = Rig::open(G2024);
    rig.chat.handle_timeout(Duration::from_secs(10));
    rig.chat.receive(Duration::ZERO, r#"{"message":"q","model":"ten"}"#);
    assert_eq!(rig.chat.next_deadline(), Some(Duration::from_millis(10_050)));
    rig.chat.handle_timeout(Duration::from_secs(1));
    rig.chat.receive(Duration::ZERO, STOP);
    rig.until(11_000);
    assert_eq!(rig.take(), "#1 END0(empty response)");
}

#[test]
fn requests_wait_too_while_the_client_does_not_read() {
    all(|generation| {
        let mut rig = Rig::open(generation);
        for _ in 0..200 {
            rig.chat.receive(rig.now, r#"{"message":"q","model":"paid"}"#);
        }
        assert!(rig.world.stats().frames < 40, "{generation}");
        assert!(rig.world.stats().evicted > 100, "{generation}");
        assert!(rig.until(1000).take().matches("END0").count() < 45, "{generation}");
    });
}

#[test]
fn late_calls_see_events_in_the_order_of_their_time() {
    // The host sleeps through everything: the stop still comes after the pieces that were due before.
    let mut rig = Rig::open(G2026);
    rig.ask("ten", "q");
    rig.now = Duration::from_millis(230);
    rig.send(STOP);
    rig.now = Duration::from_secs(9);
    rig.drain();
    assert_eq!(rig.take(), "#1 (p1) (p2) (p3) (p4) (p5) (p6) END END");
}

#[test]
fn a_script_is_played_back_verbatim() {
    let script = "> SEND {\"token\":\"sk-...\",\"id\":-1}\n> SEND {\"message\":\"hi\"}\n< RECV {\"message\": \"Hello\"} // x\n! CLOSED\n";
    let options = Options { script: Some(script.parse().unwrap()), ..Options::default() };
    let mut chat = Chat::new(World::new(), Arc::new(options));
    let now = Duration::ZERO;
    for text in [PING, AUTH, PING] {
        chat.receive(now, text);
        assert_eq!(chat.poll_output(now), None);
    }
    chat.receive(now, r#"{"message":"hi"}"#);
    assert_eq!(chat.poll_output(now), Some(Output::Frame("{\"message\": \"Hello\"}\n".to_owned())));
    assert_eq!(chat.poll_output(now), Some(Output::Drop));
    assert_eq!(chat.poll_output(now), None);
}

#[test]
fn thinking_is_text_and_tool_calls_are_nothing() {
    // R9.3 and R9.4.
    all(|generation| {
        let mut rig = Rig::open(generation);
        rig.ask("think", "hi").until(1000);
        assert_eq!(rig.history(), "u:hi|a:<think>Hm. A greeting.</think>\n\nHello!");
        let mut rig = Rig::open(generation);
        rig.ask("tools", "hi").until(1000);
        assert!(rig.take().ends_with("() END"), "complete, without text and not for free");
        assert_eq!(rig.history(), "u:hi|a:");
    });
}

#[test]
fn a_long_answer_of_2023_comes_with_less_than_the_model_said() {
    // R3.23.
    for (generation, pieces) in [(G2023, 4995), (G2024, 5000), (G2026, 5000)] {
        let mut rig = Rig::open(generation);
        rig.ask("long", "q").until(1000);
        assert_eq!(rig.take().matches("(piece)").count(), pieces, "{generation}");
    }
}
