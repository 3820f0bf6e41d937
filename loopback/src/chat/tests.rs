use core::time::Duration;
use std::sync::Arc;

use super::{Chat, Output};
use crate::{Access, Ending, Generation, Options, Piece, Plan, World};
use Generation::{G2023, G2024, G2026};

const AUTH: &str = r#"{"token":"sk-a","id":-1}"#;
const ANONYMOUS: &str = r#"{"token":"anonymous","id":-1}"#;
const STOP: &str = r#"{"type":"stop"}"#;
const PING: &str = r#"{"type":"ping"}"#;

/// A chat under a simulated clock, with a log of what came out and when.
struct Rig {
    world: World,
    chat: Chat,
    now: Duration,
    log: Vec<(u128, String)>,
}

impl Rig {
    fn new(generation: Generation) -> Self {
        Self::with(World::new(), Options::new(generation))
    }

    fn with(world: World, mut options: Options) -> Self {
        // Ten pieces, one each 50 ms.
        let pieces = (1..=10).map(|number| format!("p{number} "));
        let plan = Plan::text(Duration::from_millis(50), pieces);
        options.plans.entry("ten".to_owned()).or_insert(plan);
        let chat = Chat::new(world.clone(), Arc::new(options));
        Self { world, chat, now: Duration::ZERO, log: Vec::new() }
    }

    /// A rig whose connection has authenticated.
    fn open(generation: Generation) -> Self {
        let mut rig = Self::new(generation);
        rig.send(AUTH);
        rig
    }

    fn drain(&mut self) {
        while let Some(output) = self.chat.poll_output(self.now) {
            let text = match output {
                Output::Frame(text) => short(&text),
                Output::Binary(_) => "binary".to_owned(),
                Output::Drop => "drop".to_owned(),
            };
            self.log.push((self.now.as_millis(), text));
        }
    }

    fn send(&mut self, text: &str) -> &mut Self {
        self.chat.receive(self.now, text);
        self.drain();
        self
    }

    fn ask(&mut self, model: &str, message: &str) -> &mut Self {
        self.send(&format!(r#"{{"type":"chat","message":"{message}","model":"{model}"}}"#))
    }

    /// Goes on to a time in milliseconds, from deadline to deadline.
    fn until(&mut self, millis: u64) -> &mut Self {
        let end = Duration::from_millis(millis);
        while let Some(deadline) = self.chat.next_deadline().filter(|at| *at <= end) {
            assert!(deadline >= self.now, "a deadline in the past");
            self.now = deadline;
            self.chat.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
        self.chat.handle_timeout(self.now);
        self.drain();
        self
    }

    /// What came out since the last look, in short, without the times.
    fn take(&mut self) -> String {
        let log = core::mem::take(&mut self.log);
        log.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(" ")
    }

    /// When the things came out since the last look that contain a text.
    fn times(&mut self, wanted: &str) -> Vec<u128> {
        let log = core::mem::take(&mut self.log);
        log.into_iter().filter(|(_, text)| text.contains(wanted)).map(|(at, _)| at).collect()
    }

    fn history(&self) -> String {
        let messages = self.world.messages("sk-a", 1).unwrap_or_default();
        let texts: Vec<_> =
            messages.iter().map(|message| format!("{}:{}", &message.role[..1], message.content.trim())).collect();
        texts.join("|")
    }
}

/// A frame in short: `#1` an opener, `(text)` a piece, `END` an end, `END0(text)` one with quota 0.
fn short(text: &str) -> String {
    let Ok(frame) = serde_json::from_str::<serde_json::Value>(text) else {
        return "?".to_owned();
    };
    assert!(text.ends_with("}\n") || frame.is_array(), "{text}");
    let message = frame["message"].as_str().unwrap_or("?");
    let free = frame["quota"].as_f64() == Some(0.0);
    if let Some(id) = frame["conversation"].as_i64().filter(|id| *id != 0) {
        return format!("#{id}");
    }
    match (frame["end"].as_bool(), message) {
        (Some(true), "") if !free => "END".to_owned(),
        (Some(true), _) if free => format!("END0({message})"),
        (Some(true), _) => format!("END({message})"),
        _ => format!("({})", message.trim_end()),
    }
}

fn all(mut check: impl FnMut(Generation)) {
    Generation::ALL.into_iter().for_each(&mut check);
}

// Section 1.

#[test]
fn authentication_has_no_reply() {
    all(|generation| {
        assert_eq!(Rig::open(generation).until(10_000).take(), "");
    });
}

#[test]
fn wrong_types_in_the_authentication_drop_or_deafen() {
    for bad in [r#"{"token":"sk-a","id":"1"}"#, r#"{"token":5,"id":-1}"#, "hello", "[]"] {
        for (generation, expected) in [(G2023, ""), (G2024, "drop"), (G2026, "drop")] {
            let mut rig = Rig::new(generation);
            rig.send(bad).send(AUTH).ask("ten", "q").until(1000);
            assert_eq!(rig.take(), expected, "{bad}");
            assert_eq!(rig.chat.is_deaf(), generation == G2023);
        }
    }
}

#[test]
fn a_later_message_that_is_not_json_drops_the_socket_mid_answer() {
    all(|generation| {
        for bad in ["hello", "[1]", r#"{"message":5}"#, r#"{"web":"false"}"#] {
            let mut rig = Rig::open(generation);
            rig.ask("ten", "q").until(60).send(bad).until(2000);
            assert!(rig.take().ends_with("(p1) drop"), "{generation} {bad}");
        }
    });
}

#[test]
fn a_bad_token_goes_on_as_anonymous_and_the_first_chat_tells() {
    for token in ["anonymous", "", "Bearer anonymous", "sk-bad"] {
        let options = Options { bad_keys: vec!["sk-bad".to_owned()], ..Options::new(G2026) };
        let mut rig = Rig::with(World::new(), options);
        rig.send(&format!(r#"{{"token":"{token}","id":5}}"#)).ask("hello", "hi").until(1000);
        assert_eq!(rig.take(), "#-1 END0(not authenticated error (model: hello))");
    }
    let mut rig = Rig::new(G2023);
    rig.send(ANONYMOUS).ask("gpt-4", "@hello hi").until(1000);
    assert!(rig.take().starts_with("END0(You don't have enough quota"));
}

#[test]
fn a_login_token_is_as_good_as_a_key() {
    let mut rig = Rig::new(G2026);
    rig.send(r#"{"token":"eyJ.x.y","id":-1}"#).ask("ten", "q").until(1000);
    assert_eq!(rig.world.conversations("eyJ.x.y"), [1]);
}

#[test]
fn a_bearer_prefix_is_tolerated() {
    let mut rig = Rig::new(G2024);
    rig.send(r#"{"token":" Bearer sk-a ","id":-1}"#).ask("ten", "q").until(1000);
    assert_eq!(rig.world.conversations("sk-a"), [1]);
}

#[test]
fn ids_are_taken_at_authentication_and_written_at_the_first_chat() {
    let world = World::new();
    let connect = |auth: &str| {
        let mut rig = Rig::with(world.clone(), Options::new(G2024));
        rig.send(auth);
        rig
    };
    let (mut one, mut two) = (connect(AUTH), connect(AUTH));
    assert!(world.conversations("sk-a").is_empty());
    assert!(one.ask("ten", "one").take().starts_with("#1"));
    assert!(two.ask("ten", "two").take().starts_with("#1"));
    one.until(1000);
    assert!(one.history().starts_with("u:one|a:p1"));
    two.until(1000);
    assert!(two.history().starts_with("u:two|a:p1"), "the last writer wins");
    assert!(connect(AUTH).ask("ten", "q").take().starts_with("#2"), "a new one");
    assert!(connect(r#"{"token":"sk-a","id":1}"#).ask("ten", "q").take().starts_with("#1"), "resumed");
    assert!(connect(r#"{"token":"sk-a","id":77}"#).ask("ten", "q").take().starts_with("#3"), "replaced");
    let hash = world.share("sk-a", 1).unwrap();
    let mut shared = connect(&format!(r#"{{"token":"sk-b","id":1,"ref":"{hash}"}}"#));
    shared.ask("ten", "q");
    assert!(world.messages("sk-b", 1).unwrap().len() > 2, "starts from the share");
}

// Section 2.

#[test]
fn empty_chats_and_unknown_types_are_silent() {
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
    for (generation, end) in [(G2023, "END"), (G2024, "END0(no response)"), (G2026, "END0(no response)")] {
        let mut rig = Rig::open(generation);
        rig.ask("ten", "q").until(1000).take();
        rig.send(r#"{"type":"restart","model":"none"}"#).until(2000);
        assert!(rig.take().ends_with(end));
    }
}

#[test]
fn a_restart_without_a_question() {
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

// Section 3.

/// Recordings that need no more than one message at a time.
const FILES: [&str; 8] = ["hello", "unicode", "restart", "two_turns", "params", "anon_denied", "anon_ok", "err"];

#[test]
fn the_turns_of_a_generation_are_the_recorded_ones() {
    for (generation, folder) in [(G2023, "2023-11"), (G2024, "2024-03"), (G2026, "2026-03")] {
        for file in FILES {
            let path = format!("{}/../transcripts/{folder}/{file}.txt", env!("CARGO_MANIFEST_DIR"));
            let Ok(recording) = std::fs::read_to_string(&path) else {
                assert_ne!(file, "hello", "{path} is missing");
                continue;
            };
            let mut chat = Chat::new(World::new(), Arc::new(Options::new(generation)));
            let mut now = Duration::ZERO;
            let mut expected: Vec<String> = Vec::new();
            let mut actual: Vec<String> = Vec::new();
            for line in recording.lines() {
                if let Some(json) = line.strip_prefix("> SEND ") {
                    now += Duration::from_secs(60);
                    while let Some(output) = chat.poll_output(now) {
                        actual.push(plain(output));
                    }
                    chat.receive(now, json);
                } else if let Some(json) = line.strip_prefix("< RECV ") {
                    expected.push(json.to_owned());
                }
            }
            now += Duration::from_secs(60);
            while let Some(output) = chat.poll_output(now) {
                actual.push(plain(output));
            }
            let strip =
                |frames: &[String]| frames.iter().map(|frame| without_id(frame, file == "unicode")).collect::<Vec<_>>();
            assert_eq!(strip(&actual), strip(&expected), "{path}");
        }
    }
}

fn plain(output: Output) -> String {
    match output {
        Output::Frame(text) => text.strip_suffix('\n').unwrap().to_owned(),
        other => panic!("{other:?}"),
    }
}

/// A frame's text without the opener's id, and without its quota when the question's tokens are
/// counted differently. That they are 0 stays.
fn without_id(frame: &str, without_quota: bool) -> String {
    let mut frame = frame.to_owned();
    for (field, wanted) in [("\"quota\":", without_quota), ("\"conversation\":", true)] {
        if let Some(start) = frame.find(field).filter(|_| wanted).map(|at| at + field.len()) {
            let end = start + frame[start..].find(',').unwrap();
            if &frame[start..end] != "0" {
                frame.replace_range(start..end, "N");
            }
        }
    }
    frame
}

#[test]
fn a_normal_end_carries_the_final_quota() {
    for (generation, quota) in [(G2024, "0.00087"), (G2026, "0.00029")] {
        let mut chat = Chat::new(World::new(), Arc::new(Options::new(generation)));
        chat.receive(Duration::ZERO, AUTH);
        chat.receive(Duration::ZERO, r#"{"message":"hi","model":"hello"}"#);
        let now = Duration::from_secs(60);
        let last = std::iter::from_fn(|| chat.poll_output(now)).last();
        let text = format!(
            "{{\"conversation\":0,\"quota\":{quota},\"keyword\":\"\",\"message\":\"\",\"end\":true,\"plan\":false}}\n"
        );
        assert_eq!(last, Some(Output::Frame(text)));
    }
}

#[test]
fn a_stop_mid_answer_leaves_one_end_and_in_2026_two() {
    for (generation, log, at) in [
        (G2023, "(p1) (p2) END", &[150][..]),
        (G2024, "#1 (p1) (p2) END", &[150]),
        // Seen by the poller, the second end a few milliseconds later.
        (G2026, "#1 (p1) (p2) (p3) (p4) END END", &[200, 203]),
    ] {
        let mut rig = Rig::open(generation);
        rig.ask("ten", "q").until(120).send(STOP).until(3000);
        let copy = rig.log.clone();
        assert_eq!(rig.take(), log, "{generation}");
        rig.log = copy;
        assert_eq!(rig.times("END"), at, "{generation}");
        assert!(rig.history().starts_with("u:q|a:p1 p2"), "what was answered is stored");
    }
}

#[test]
fn a_stop_before_the_first_piece() {
    for (generation, log, at) in [
        (G2023, "END0(Sorry, I don't understand. Please try again.)", &[1500][..]),
        (G2024, "#1 END0(empty response)", &[1500]),
        (G2026, "#1 END END0(empty response)", &[400, 403]),
    ] {
        let mut rig = Rig::open(generation);
        rig.ask("latestart", "q").until(310).send(STOP).until(3000);
        let copy = rig.log.clone();
        assert_eq!(rig.take(), log, "{generation}");
        rig.log = copy;
        assert_eq!(rig.times("END"), at, "{generation}");
    }
}

#[test]
fn a_silent_model_can_be_stopped_only_in_2026() {
    for (generation, log) in [(G2023, ""), (G2024, "#1"), (G2026, "#1 END END0(empty response)")] {
        let mut rig = Rig::open(generation);
        rig.ask("silent", "q").until(1000).send(STOP).until(60_000);
        assert_eq!(rig.take(), log);
    }
}

#[test]
fn anonymous_answers_are_free_and_their_opener_says_so() {
    let mut rig = Rig::new(G2026);
    rig.send(ANONYMOUS).ask("anon", "hi").until(2000);
    assert_eq!(rig.take(), "#-1 (Hello) (!) ( How) ( can) ( I) ( help?) () END0()");
    assert!(rig.world.conversations("anonymous").is_empty());
}

#[test]
fn a_subscription_shows_in_pieces_and_ends() {
    let mut options = Options::new(G2024);
    let plan = Plan { subscription: true, ..Plan::text(Duration::ZERO, ["a"]) };
    options.plans.insert("plan".to_owned(), plan);
    let mut chat = Chat::new(World::new(), Arc::new(options));
    chat.receive(Duration::ZERO, AUTH);
    chat.receive(Duration::ZERO, r#"{"message":"hi","model":"plan"}"#);
    let plans: Vec<bool> = std::iter::from_fn(|| chat.poll_output(Duration::ZERO))
        .map(|output| plain(output).ends_with("\"plan\":true}"))
        .collect();
    assert_eq!(plans, [false, true, true]);
}

// Section 4.

#[test]
fn notices_are_ends_without_quota_and_are_stored_as_answers() {
    for (model, text) in [
        ("none", "no response"),
        ("err", "bad thing happened  (type: upstream_error)"),
        ("err429", "Rate limit reached (type: rate_limit_error)"),
        ("nosuch", "cannot find channel for model nosuch"),
        ("notice", "user quota is not enough error (model: notice, minimum quota: 1.00, your quota: 0.00)"),
    ] {
        let mut rig = Rig::open(G2026);
        rig.ask(model, "q").until(1000);
        assert_eq!(rig.take(), format!("#1 END0({text})"));
        assert_eq!(rig.history(), format!("u:q|a:{text}"));
    }
    for (generation, text) in [
        (G2024, "#1 END0(user quota is not enough error (model: paid, "),
        (G2026, "#1 END0(estimated cost exceeds user quota (model: paid, "),
        (G2023, "END0(You don't have enough quota"),
    ] {
        let mut rig = Rig::open(generation);
        assert!(rig.ask("paid", "q").until(1000).take().starts_with(text));
    }
}

#[test]
fn an_unknown_model_in_2023_cannot_be_told_from_an_answer() {
    let mut rig = Rig::open(G2023);
    let text = "(Sorry, we cannot find the model you are looking for. Please try another model.) END0()";
    assert_eq!(rig.ask("nosuch", "q").until(1000).take(), text);
}

#[test]
fn an_upstream_that_breaks_off_ends_like_a_complete_one() {
    for generation in [G2024, G2026] {
        let mut rig = Rig::open(generation);
        assert_eq!(rig.ask("cut", "q").until(1000).take(), "#1 (partial) (answer) END");
    }
    // 2023 asks the upstream again, twice, and tells in the end.
    let mut rig = Rig::open(G2023);
    let tries = "(partial) (answer) ".repeat(3);
    assert_eq!(rig.ask("cut", "q").until(1000).take(), format!("{tries}END0(unexpected EOF)"));
}

#[test]
fn an_answer_without_text_ends_with_a_placeholder() {
    let mut options = Options::new(G2024);
    options.plans.insert("mute".to_owned(), Plan::text(Duration::ZERO, ["", ""]));
    let mut rig = Rig::with(World::new(), options);
    rig.send(AUTH).ask("mute", "q");
    assert_eq!(rig.take(), "#1 () () END0(empty response)");
}

// Section 5.

#[test]
fn a_stop_right_after_the_previous_end_is_swallowed() {
    // The answer ends at 500 ms, its poller looks once more at 600 ms.
    let mut rig = Rig::open(G2026);
    rig.ask("cut", "q").until(90).take();
    assert_eq!(rig.world.stats().answers, 1, "ended at 60 ms");
    rig.ask("ten", "q").send(STOP).until(100);
    assert_eq!(rig.world.stats().stops_swallowed, 1);
    rig.until(2000);
    assert!(rig.take().contains("(p10)"), "the stop is lost");
    // Repeated while the answer runs, it is seen by that answer's own poller.
    rig.ask("cut", "q").until(2090).ask("ten", "q").send(STOP).until(2110).send(STOP).until(2190);
    assert!(rig.take().ends_with("(p1) (p2) END"));
    rig = Rig::open(G2026);
    rig.until(2000);
    // Sent after that tick, it is seen.
    rig.ask("cut", "q").until(2150).ask("ten", "q").send(STOP).until(4000);
    assert_eq!(rig.world.stats().stops_seen, 1);
    // The other generations have no poller.
    let mut rig = Rig::open(G2024);
    rig.ask("cut", "q").until(90).ask("ten", "q").send(STOP).until(4000);
    assert_eq!((rig.world.stats().stops_seen, rig.world.stats().stops_swallowed), (1, 0));
}

#[test]
fn a_stop_that_finds_nothing_running_does_nothing() {
    all(|generation| {
        let mut rig = Rig::open(generation);
        rig.send(STOP).until(1000).ask("ten", "q").until(2000).send(STOP).until(4000);
        let log = rig.take();
        assert!(log.contains("(p10)") && log.matches("END").count() == 1, "{generation}: {log}");
        assert_eq!(rig.world.stats().stops_idle, 2);
    });
}

#[test]
fn the_second_end_comes_before_the_next_opener() {
    let mut rig = Rig::open(G2026);
    rig.ask("ten", "q").until(120).send(STOP).until(200);
    assert!(rig.take().ends_with("(p4) END"));
    rig.ask("ten", "r").until(300);
    assert_eq!(rig.take(), "END #1 (p1)");
}

#[test]
fn a_client_that_stops_reading_stops_the_model_and_hides_its_stop() {
    let mut rig = Rig::open(G2026);
    rig.chat.receive(rig.now, r#"{"message":"q","model":"long-1000"}"#);
    // Nothing is taken out, so the model stands still and the poller soon hangs.
    rig.chat.receive(Duration::from_secs(10), STOP);
    assert!(rig.world.stats().frames < 50);
    assert_eq!(rig.chat.next_deadline(), Some(Duration::from_millis(10_100)));
    rig.chat.handle_timeout(Duration::from_millis(10_200));
    assert_eq!(rig.world.stats().stops_seen, 0);
    rig.now = Duration::from_millis(10_250);
    rig.drain();
    assert_eq!(rig.world.stats().answers, 1);
    // Seen early enough it does stop the answer, once there is room for its end.
    let mut rig = Rig::open(G2026);
    rig.chat.receive(rig.now, r#"{"message":"q","model":"long-1000"}"#);
    rig.chat.receive(rig.now, STOP);
    rig.chat.handle_timeout(Duration::from_millis(100));
    assert_eq!(rig.world.stats().stops_seen, 1);
    rig.until(1000).until(1010);
    assert!(rig.world.stats().frames < 50);
    assert!(rig.take().ends_with("(piece) END END"));
}

// Sections 6 and 7 below the WebSocket are tested with `Peer`.

#[test]
fn a_lost_connection_s_answer_is_stored_later() {
    for (generation, answer) in [
        (G2023, "write tcp: use of closed network connection"),
        (G2024, "write tcp: use of closed network connection"),
        (G2026, "p1 p2"),
    ] {
        let mut rig = Rig::open(generation);
        rig.ask("ten", "q").until(60);
        rig.chat.handle_eof(rig.now);
        rig.drain();
        assert_eq!(rig.history(), "u:q", "{generation}: not yet");
        rig.until(5000);
        assert!(rig.take().ends_with("(p1) drop"));
        assert_eq!(rig.history(), format!("u:q|a:{answer}"));
        assert_eq!(rig.chat.next_deadline(), None);
    }
}

// The fake models and the clock.

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
