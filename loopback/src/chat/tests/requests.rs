//! Requests and their queue (protocol.md, section 2).

use super::*;

#[test]
fn empty_chats_and_unknown_types_are_silent() {
    // R2.1 and R2.13.
    all(|generation| {
        let mut rig = Rig::open(generation);
        rig.send("{}").send(r#"{"message":""}"#).send(r#"{"type":"wat","message":"x"}"#).send("null");
        assert_eq!(rig.until(10_000).take(), "");
        rig.send(r#"{"message":"q","model":"ten"}"#).until(20_000);
        assert!(rig.take().ends_with("END"), "the type is chat when left out");
    });
}

#[test]
fn a_restart_answers_the_last_question_again() {
    // R2.15 and R2.16.
    all(|generation| {
        let mut rig = Rig::open(generation);
        rig.ask("hello", "hi").until(1000);
        let first = rig.take();
        rig.send(r#"{"type":"restart","message":"other","model":"hello"}"#).until(2000);
        assert_eq!(rig.take(), first);
        let answer = "|a:Hello! How can I help?";
        // 2023 takes the old answer back, the others leave it.
        let times = if generation == G2023 { 1 } else { 2 };
        assert_eq!(rig.history(), format!("u:hi{}", answer.repeat(times)));
    });
}

#[test]
fn a_restart_takes_a_new_model_but_not_in_2023() {
    // R2.18.
    for (generation, end) in [(G2023, "END"), (G2024, "END0(no response)"), (G2026, "END0(no response)")] {
        let mut rig = Rig::open(generation);
        rig.ask("ten", "q").until(1000).take();
        rig.send(r#"{"type":"restart","model":"none"}"#).until(2000);
        assert!(rig.take().ends_with(end));
    }
}

#[test]
fn a_restart_without_a_question() {
    // R2.17.
    for generation in [G2024, G2026] {
        let mut rig = Rig::open(generation);
        rig.send(r#"{"type":"restart","model":"hello"}"#).until(1000);
        assert_eq!(rig.take(), "#1 END0(request failed with status code: 500)");
        let mut rig = Rig::open(generation);
        rig.send(r#"{"type":"restart","model":"hello","web":true}"#).until(10_000);
        assert_eq!(rig.take(), "", "the search finds no question");
    }
    let mut rig = Rig::open(G2023);
    rig.send(r#"{"type":"restart"}"#).ask("hello", "hi").until(1000);
    assert_eq!(rig.take(), "END0(Hello, How can I assist you?)", "and the request loop is dead");
}

#[test]
fn share_mask_edit_and_remove_change_the_history_silently() {
    // R2.20, R2.21, R2.22, R2.23, R2.24, R2.25 and R2.26.
    for generation in [G2024, G2026] {
        let world = World::new();
        let mut other = Rig::with(world.clone(), Options::new(generation));
        other.send(r#"{"token":"sk-o","id":-1}"#).ask("hello", "shared").until(1000);
        let hash = world.share("sk-o", 1).unwrap();
        let mut rig = Rig::with(world, Options::new(generation));
        rig.send(AUTH).ask("hello", "hi").until(1000).take();
        for bad in [
            r#"{"type":"share","message":"none"}"#,
            r#"{"type":"mask","message":"none"}"#,
            r#"{"type":"mask","message":"[]"}"#,
            r#"{"type":"edit","message":"2:x"}"#,
            r#"{"type":"edit","message":"-1:x"}"#,
            r#"{"type":"remove","message":"9"}"#,
        ] {
            rig.send(bad);
        }
        assert_eq!(rig.history(), "u:hi|a:Hello! How can I help?");
        rig.send(r#"{"type":"edit","message":"1:new: text"}"#);
        assert_eq!(rig.history(), "u:hi|a:new: text");
        rig.send(r#"{"type":"mask","message":"[{\"role\":\"system\",\"content\":\"be kind\"}]"}"#);
        rig.send(r#"{"type":"remove","message":"1"}"#);
        assert_eq!(rig.history(), "s:be kind|a:new: text");
        let share = format!(r#"{{"type":"share","message":"{hash}"}}"#);
        rig.send(&share).send(&share);
        assert_eq!(rig.history(), "u:shared|a:Hello! How can I help?|s:be kind|a:new: text");
        assert_eq!(rig.until(5000).take(), "");
    }
}

#[test]
fn a_malformed_edit_or_remove_kills_the_request_loop() {
    // R2.22, R2.23 and R2.27.
    for bad in [r#"{"type":"edit","message":"x"}"#, r#"{"type":"remove","message":"1:"}"#] {
        for generation in [G2024, G2026] {
            let mut rig = Rig::open(generation);
            assert_eq!(rig.send(bad).ask("ten", "q").until(5000).take(), "");
            assert_eq!(rig.send("not json").take(), "drop", "the reader lives");
        }
        let mut rig = Rig::open(G2023);
        assert!(rig.send(bad).ask("ten", "q").until(5000).take().ends_with("END"), "unknown to 2023");
    }
}

#[test]
fn a_web_search_delays_the_opener_and_2023_shows_its_words() {
    // R3.7, R3.11 and R3.17.
    let ask = r#"{"message":"q","model":"ten","web":true}"#;
    let mut rig = Rig::open(G2026);
    rig.send(ask).until(399);
    assert_eq!(rig.take(), "");
    assert_eq!(rig.until(420).take(), "#1");
    let mut chat = Chat::new(World::new(), Arc::new(Options::new(G2023)));
    chat.receive(Duration::ZERO, AUTH);
    chat.receive(Duration::ZERO, r#"{"message":"q","model":"hello","web":true}"#);
    let frame = chat.poll_output(Duration::from_millis(400));
    let text = "{\"quota\":0,\"keyword\":\"q\",\"message\":\"\",\"end\":false,\"plan\":false}\n";
    assert_eq!(frame, Some(Output::Frame(text.to_owned())));
}

#[test]
fn the_exact_ping_is_never_queued_and_never_answered() {
    // R2.36 and R2.37.
    all(|generation| {
        let mut rig = Rig::new(generation);
        rig.send(PING).send(AUTH).ask("ten", "q").until(60);
        for _ in 0..20 {
            rig.send(PING);
        }
        rig.send(STOP).until(3000);
        assert!(rig.take().contains("(p1)"));
        assert_eq!((rig.world.stats().stops_seen, rig.world.stats().evicted), (1, 0));
        // With a space in it, it is a request like any other, and hides the stop.
        rig.ask("ten", "q").send(r#"{"type": "ping"}"#).send(STOP).until(6000);
        assert!(rig.take().contains("(p10)"));
    });
}

#[test]
fn a_stop_behind_a_second_chat_is_hidden_until_that_chat_runs() {
    // R2.30 and R2.31.
    all(|generation| {
        let mut rig = Rig::open(generation);
        rig.ask("ten", "one").until(60).ask("ten", "two").send(STOP).until(5000);
        let log = rig.take();
        assert!(log.contains("(p10)"), "{generation}: {log}");
        let (_, second) = log.split_once("END").unwrap();
        match generation {
            G2023 => assert_eq!(second, " END0(Sorry, I don't understand. Please try again.)"),
            G2024 => assert_eq!(second, " #1 END0(empty response)"),
            // As seen on a real server: the poller of the first answer swallows the stop.
            G2026 => assert!(second.ends_with("(p10) END"), "{second}"),
        }
    });
}

#[test]
fn three_queued_requests_lose_the_wrong_one() {
    // R2.33.
    // As seen on a real server: the stop is seen, but the last chat is dropped in its place.
    let mut rig = Rig::open(G2026);
    rig.ask("slow", "q").until(420).send(STOP).ask("hello", "A").ask("hello", "B").until(9000);
    assert_eq!(
        rig.take(),
        "#1 (one) (w0) (w1) (w2) (w3) (w4) END END #1 (Hello) (!) ( How) ( can) ( I) ( help?) () END"
    );
    assert!(rig.history().contains("u:A") && !rig.history().contains("u:B"));
}

#[test]
fn the_eleventh_queued_request_evicts_the_oldest() {
    // R2.35.
    all(|generation| {
        let mut rig = Rig::open(generation);
        rig.ask("ten", "q").until(10);
        for number in 0..11 {
            rig.ask("anon", &number.to_string());
        }
        assert_eq!(rig.world.stats().evicted, 1);
        rig.until(60_000);
        assert!(!rig.history().contains("u:0|"), "{generation}: {}", rig.history());
    });
}

#[test]
fn a_remove_sent_mid_answer_stops_it_and_removes_nothing() {
    // R2.34.
    for generation in [G2024, G2026] {
        let mut rig = Rig::open(generation);
        rig.ask("ten", "q").until(60).send(r#"{"type":"remove","message":"0"}"#).until(3000);
        assert!(!rig.take().contains("(p10)"));
        assert!(rig.history().starts_with("u:q|a:p1"));
    }
    let mut rig = Rig::open(G2023);
    rig.ask("ten", "q").until(60).send(r#"{"type":"remove","message":"0"}"#).until(3000);
    assert!(rig.take().contains("(p10)"));
}

#[test]
fn a_question_can_be_too_long() {
    // R2.14.
    for (megabytes, log) in [(5, "#1 (partial) (answer) END"), (20, "#1")] {
        let mut rig = Rig::open(G2026);
        rig.ask("cut", &"x".repeat(megabytes * 1_000_000)).until(60_000);
        assert_eq!(rig.take(), log);
    }
}

#[test]
fn channels_pass_on_what_they_have_a_field_for() {
    // R2.7, R2.8, R2.9 and R2.18.
    let given =
        r#""max_tokens":50,"temperature":0.5,"top_p":0.25,"top_k":3,"presence_penalty":null,"repetition_penalty":1.5"#;
    for (model, passed) in [
        ("parameters", "max_tokens=50 temperature=0.5 top_p=0.25"),
        ("parameters-gpt-4", "max_tokens=50 temperature=0.5 top_p=0.25"),
        ("parameters-o1", "max_tokens=50 temperature=1 top_p=0.25"),
        ("parameters-o3", "max_tokens=50 temperature=1 top_p=0.25"),
        ("parameters-gpt-5", "max_tokens=50 temperature=1 top_p=0.25"),
    ] {
        for generation in [G2024, G2026] {
            let mut rig = Rig::open(generation);
            rig.send(&format!(r#"{{"message":"q","model":"{model}",{given}}}"#)).until(1000);
            assert_eq!(rig.history(), format!("u:q|a:{passed}"));
            rig.send(&format!(r#"{{"type":"restart","model":"{model}"}}"#)).until(2000);
            let own = if passed.contains("=1 ") { "temperature=1" } else { "nothing" };
            assert_eq!(rig.history(), format!("u:q|a:{passed}|a:{own}"), "each request has its own");
        }
    }
    let mut rig = Rig::open(G2023);
    rig.send(&format!(r#"{{"message":"q","model":"parameters",{given}}}"#)).until(1000);
    assert_eq!(rig.history(), "u:q|a:nothing");
}

#[test]
fn a_broken_share_costs_the_connection() {
    // R2.28.
    all(|generation| {
        let world = World::new();
        let hash = world.broken_share();
        let mut rig = Rig::with(world.clone(), Options::new(generation));
        rig.send(&format!(r#"{{"token":"sk-a","id":-1,"ref":"{hash}"}}"#));
        assert_eq!(rig.take(), "drop", "{generation}");
        let mut rig = Rig::with(world, Options::new(generation));
        rig.send(AUTH).send(&format!(r#"{{"type":"share","message":"{hash}"}}"#)).ask("ten", "q").until(1000);
        assert_eq!(rig.take(), "drop", "{generation}");
    });
}
