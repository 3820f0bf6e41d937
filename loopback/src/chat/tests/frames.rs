//! What an answer looks like, by generation (protocol.md, section 3).

use super::*;

/// Recordings that need no more than one message at a time.
const FILES: [&str; 8] = ["hello", "unicode", "restart", "two_turns", "params", "anon_denied", "anon_ok", "err"];

#[test]
fn the_turns_of_a_generation_are_the_recorded_ones() {
    // R3.1, R3.10, R3.11, R3.12 and R3.18. The recorded ids are of databases of their own (R3.20).
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
    // R3.13.
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
    // R3.14 and R3.16.
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
    // R3.15.
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
    // R3.16.
    for (generation, log) in [(G2023, ""), (G2024, "#1"), (G2026, "#1 END END0(empty response)")] {
        let mut rig = Rig::open(generation);
        rig.ask("silent", "q").until(1000).send(STOP).until(60_000);
        assert_eq!(rig.take(), log);
    }
}

#[test]
fn anonymous_answers_are_free_and_their_opener_says_so() {
    // R3.11.
    let mut rig = Rig::new(G2026);
    rig.send(ANONYMOUS).ask("anon", "hi").until(2000);
    assert_eq!(rig.take(), "#-1 (Hello) (!) ( How) ( can) ( I) ( help?) () END0()");
    assert!(rig.world.conversations("anonymous").is_empty());
}

#[test]
fn a_subscription_shows_in_pieces_and_ends() {
    // R3.9.
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

#[test]
fn an_image_is_one_frame() {
    // R3.21.
    for (model, characters) in [("image", 2_000_000), ("image-16000000", 16_000_000)] {
        let mut chat = Chat::new(World::new(), Arc::new(Options::new(G2026)));
        chat.receive(Duration::ZERO, AUTH);
        chat.receive(Duration::ZERO, &format!(r#"{{"message":"a cat","model":"{model}"}}"#));
        let now = Duration::from_secs(60);
        let frames: Vec<String> = std::iter::from_fn(|| chat.poll_output(now)).map(plain).collect();
        assert_eq!(frames.len(), 4, "the opener, the image, an empty piece, the end");
        assert!(frames[1].contains("![image](data:image/png;base64,iVBOR"));
        assert!((characters..characters + 200).contains(&frames[1].len()));
    }
    // 2023 puts its address on the end frame, and charges for it (R4.8).
    let mut rig = Rig::open(G2023);
    rig.ask("gpt-4", "@image a cat").until(1000);
    assert_eq!(rig.take(), "END(![image](https://images.example/1.png))");
}

#[test]
fn a_video_job_says_something_only_when_its_progress_changes() {
    // R3.22.
    let mut rig = Rig::open(G2026);
    rig.ask("video", "a cat").until(40 * 60 * 1000);
    let minutes = 60 * 1000;
    assert_eq!(rig.times("(").iter().map(|at| at / minutes).collect::<Vec<_>>(), [5, 10, 15, 20, 25, 30, 30]);
    assert!(rig.history().contains("```progress\n0\n40\n100\n```\n![video](/v1/videos/video_1/content)"));
}

#[test]
fn an_answer_without_text_costs_nothing() {
    // R3.19: the first of the two ends names a quota, and what is stored while it is charged is one write.
    let options = Options { write_time: Duration::from_millis(20), ..Options::new(G2026) };
    let mut rig = Rig::with(World::new(), options);
    rig.send(AUTH).ask("silent", "q").until(50).send(STOP).until(1000);
    let ends: Vec<_> = rig.log.drain(..).filter(|(_, text)| text.starts_with("END")).collect();
    assert_eq!(ends, [(120, "END".to_owned()), (123, "END0(empty response)".to_owned())]);
}
