//! Transcripts.

use std::fs;
use std::process::Command;

use crate::process::{Directory, chatnio, project_file, run, run_with};

#[test]
fn the_official_example_ends_complete() {
    let file = project_file("transcripts/docs-example.txt");
    let ended = run(&mut chatnio(["replay", "--json", &file])).with(0);
    let last = ended.stdout.lines().last().unwrap();
    assert_eq!(
        last,
        r#"{"event":"end","turn":1,"request":"chat","outcome":"complete","text":"Hello!","notice":null,"quota":0.0034000003,"keyword":"","conversation":null,"plan":false,"chunks":2}"#
    );
    let ended = run(&mut chatnio(["replay", &file])).with(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("Hello!\n", ""));
}

#[test]
fn one_comes_from_standard_input() {
    let text = fs::read(project_file("transcripts/docs-example.txt")).unwrap();
    assert_eq!(run_with(&mut chatnio(["replay", "-"]), &text).with(0).stdout, "Hello!\n");
    let traced = run_with(&mut chatnio(["replay", "--trace", "-"]), &text).with(0).stdout;
    assert!(traced.contains("standard input"), "{traced}");
    let ended = run_with(&mut chatnio(["replay", "-"]), b"\xff").with(5);
    assert_eq!(ended.stderr, "error: standard input: line 1: the text is not valid UTF-8\n");
}

#[test]
fn every_recording_replays() {
    for generation in ["2023-11", "2024-03", "2026-03"] {
        for entry in fs::read_dir(project_file(&format!("transcripts/{generation}"))).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "txt") {
                let file = path.to_str().unwrap();
                let ended = run(&mut chatnio(["replay", "--json", file]));
                let notice = ended.stdout.contains("\"outcome\":\"notice\"");
                ended.with(if notice { 3 } else { 0 });
            }
        }
    }
}

#[test]
fn text_goes_to_stdout_and_the_rest_to_stderr() {
    let directory = Directory::new("replay");
    let file = directory.write(
        "session.txt",
        concat!(
            "> SEND {\"token\":\"anonymous\",\"id\":-1}\n",
            "> SEND {\"type\":\"chat\",\"message\":\"\"}\n",
            "> SEND {\"type\":\"chat\",\"message\":\"one\"}\n",
            "< RECV {\"conversation\":-1}\n",
            "< RECV {\"message\":\"First\",\"quota\":1}\n",
            "> SEND {\"type\":\"chat\",\"message\":\"one\",\"web\":\"false\"}\n",
            "< RECV {\"message\":\" answer\",\"quota\":1,\"end\":true}\n",
            "< RECV {\"message\":\"late\"}\n",
            "> SEND {\"type\":\"chat\",\"message\":\"two\"}\n",
            "< RECV {\"conversation\":-1}\n",
            "< RECV {\"message\":\"Second\"}\n",
        ),
    );
    // The last turn has no end.
    let ended = run(&mut chatnio(["replay", &file])).with(4);
    assert_eq!(ended.stdout, "First answer\nSecond\n");
    assert!(ended.stderr.contains("session.txt: a frame that belongs to no turn: \"late\""), "{ended:?}");
    assert!(ended.stderr.contains("session.txt: line 2: skipped"), "{ended:?}");
    assert!(ended.stderr.contains("interrupted: "), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 4, "{ended:?}");

    let ended = run(&mut chatnio(["replay", "--json", &file])).with(4);
    let kinds: Vec<_> = ended.stdout.lines().map(|line| line.split('"').nth(3).unwrap()).collect();
    assert_eq!(kinds, ["warning", "delta", "warning", "delta", "end", "stray", "delta", "end"]);
}

#[test]
fn a_skipped_send_alone_is_no_failure() {
    let directory = Directory::new("skipped");
    let file = directory.write("skipped.txt", "> SEND {\"type\":\"nothing\"}\n");
    let ended = run(&mut chatnio(["replay", &file])).with(0);
    assert!(ended.stderr.contains("line 1: "), "{ended:?}");
}

#[test]
fn of_several_transcripts_the_highest_status_counts() {
    let directory = Directory::new("several");
    let example = project_file("transcripts/docs-example.txt");
    let chat = "> SEND {\"type\":\"chat\",\"message\":\"q\"}\n";
    let notice = directory.write("notice.txt", format!("{chat}< RECV {{\"message\":\"no\",\"end\":true}}\n"));
    let malformed = directory.write("malformed.txt", format!("{chat}< RECV 5\n< RECV {{\"quota\":1,\"end\":true}}\n"));
    let broken = directory.write("broken.txt", "\nhello\n");
    let latin = directory.write("latin.txt", b"// caf\n// \xe9\n");
    let missing = directory.file("missing.txt");

    let ended = run(&mut chatnio(["replay", &notice, &example])).with(3);
    assert!(ended.stdout == "Hello!\n" && ended.stderr.contains("notice: no\n"), "{ended:?}");
    let ended = run(&mut chatnio(["replay", &missing, &example])).with(2);
    assert!(ended.stdout == "Hello!\n" && ended.stderr.contains("missing.txt"), "{ended:?}");
    let ended = run(&mut chatnio(["replay", &malformed, &notice])).with(5);
    assert!(ended.stderr.contains("malformed.txt: line 2: "), "{ended:?}");
    let ended = run(&mut chatnio(["replay", &broken])).with(5);
    assert!(ended.stderr.contains("broken.txt: line 2: expected"), "{ended:?}");
    let ended = run(&mut chatnio(["replay", "--json", &latin])).with(5);
    assert!(ended.stderr.contains("latin.txt: line 2: the text is not valid UTF-8"), "{ended:?}");
}

const STOPPED: &str = concat!(
    "WEBSOCKET ws://h/chat\n\n",
    "> SEND {\"token\":\"sk-...\",\"id\":-1}\n",
    "> SEND {\"type\":\"ping\"}\n",
    "> SEND {\"type\":\"chat\",\"message\":\"one\"}\n",
    "< RECV {\"conversation\":7,\"message\":\"\"}\n",
    "< RECV {\"message\":\"Hel\\u001b\",\"quota\":0.1}\n",
    "> SEND {\"type\":\"stop\"}\n",
    "< RECV {\"message\":\"\",\"quota\":0.1,\"end\":true}\n",
    "> SEND {\"type\":\"chat\",\"message\":\"<b>two</b>\"}\n",
    "< RECV {\"message\":\"\",\"quota\":0.1,\"end\":true}\n",
    "< RECV {\"conversation\":7,\"message\":\"\"}\n",
    "< RECV 5\n",
    "< RECV {\"message\":\"no quota\",\"quota\":0,\"end\":true}\n",
    "> SEND {\"type\":\"chat\",\"message\":\"three\"}\n",
    "! CLOSED\n",
);

#[test]
fn a_trace_tells_what_came_of_each_frame_and_why() {
    let directory = Directory::new("trace");
    let file = directory.write("session.txt", STOPPED);
    let ended = run(&mut chatnio(["replay", "--trace", &file])).with(5);
    let expected = format!(
        "{file}  ws://h/chat\n{}",
        r#"    3 > {"token":"sk-...","id":-1}
        idle                  the authentication: it goes out before the first request and is not answered
    4 > {"type":"ping"}
        idle                  a keep-alive: it is not answered
    5 > {"type":"chat","message":"one"}
        idle -> asking        a question: turn 1 begins
    6 < {"conversation":7,"message":""}
        asking -> answering   opened: the new conversation 7  the opener: the server has read the question of turn 1
    7 < {"message":"Hel\u001b","quota":0.1}
        answering             delta "Hel\u001b"  a piece of the answer of turn 1
    8 > {"type":"stop"}
        answering -> stopping turn 1 is to end; pieces go on coming until its end does
    9 < {"message":"","quota":0.1,"end":true}
        stopping -> idle      end: stopped, cost 0.1  the end of turn 1, after its stop: the text so far is kept
   10 > {"type":"chat","message":"<b>two</b>"}
        idle -> asking        a question: turn 2 begins
   11 < {"message":"","quota":0.1,"end":true}
        asking                stray  the second end that a stop leaves behind: it must not end the next turn
   12 < {"conversation":7,"message":""}
        asking -> answering   opened: the new conversation 7  the opener: the server has read the question of turn 2
   13 < 5
        answering             malformed  malformed message: not a JSON object at byte 0
   14 < {"message":"no quota","quota":0,"end":true}
        answering -> idle     end: notice "no quota"  text on an end that costs nothing is the server's, not the model's: turn 2 has no answer
   15 > {"type":"chat","message":"three"}
        idle -> asking        a question: turn 3 begins
   16 ! the server closed the connection
        asking -> closed      end: interrupted  turn 3 is ended here, with the text so far: the server closed the connection
"#
    );
    assert_eq!(ended.stdout, expected);
    // A token that was written by hand is none of it.
    let by_hand = directory.write("by-hand.txt", STOPPED.replacen("\"sk-...\"", "\"sk-s3cret\"", 1));
    assert_eq!(run(&mut chatnio(["replay", "--trace", &by_hand])).with(5).stdout, expected.replace(&file, &by_hand));
    // The page is a trace.
    let page = run(&mut chatnio(["replay", "--trace", "--html", &file])).with(5);
    assert!(page.stdout.starts_with("<!doctype html>"));

    // With times, where the recording has them.
    let timed = directory.write("timed.txt", STOPPED.replacen("ping\"}\n", "ping\"} // +12.345 s\n", 1));
    let ended = run(&mut chatnio(["replay", "--trace", &timed])).with(5);
    let lines = "    4    12.345 > {\"type\":\"ping\"}\n                  idle                  a keep-alive";
    assert!(ended.stdout.contains(lines), "{ended:?}");
    assert!(ended.stdout.contains("\n    5           > {"), "{ended:?}");
}

#[test]
fn a_trace_drives_no_terminal() {
    let directory = Directory::new("driving");
    let file = directory.write(
        "session.txt",
        concat!(
            "WEBSOCKET ws://h/\u{9b}31m\n",
            "> SEND {\"type\":\"chat\",\"message\":\"\u{9b}31m\"}\n",
            "< RECV {\"message\":\"a\u{9b}31m\u{7f}\\u001b[m\",\"quota\":0.1}\n",
            "< RECV {\"message\":\"\u{9d}0;title\u{9c}\",\"quota\":0,\"end\":true}\n",
        ),
    );
    let traced = run(&mut chatnio(["replay", "--trace", &file])).with(3).stdout;
    assert!(!traced.contains(|c: char| c.is_control() && c != '\n'), "{traced:?}");
    // Nothing is lost.
    assert!(traced.contains(r#"delta "a\u009b31m\u007f\u001b[m""#), "{traced}");
}

#[test]
fn every_recording_has_a_trace() {
    for folder in ["2023-11", "2024-03", "2026-03", "made"] {
        for entry in fs::read_dir(project_file(&format!("transcripts/{folder}"))).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "txt") {
                let file = path.to_str().unwrap();
                let traced = run(&mut chatnio(["replay", "--trace", file]));
                let replayed = run(&mut chatnio(["replay", file]));
                assert_eq!(traced.status, replayed.status, "{file}: {traced:?}");
                let frames = fs::read_to_string(file).unwrap();
                let frames = frames.lines().filter(|line| line.trim_start().starts_with(['<', '>', '!'])).count();
                let shown =
                    traced.stdout.lines().filter(|line| line.get(6..7).is_some_and(|mark| "<>!".contains(mark)));
                assert_eq!(
                    shown.filter(|line| !line.starts_with("        ")).count(),
                    frames,
                    "{file}: {}",
                    traced.stdout
                );
            }
        }
    }
}

/// In a browser that runs it; where there is none, it is only looked at as text.
#[test]
fn a_page_shows_it_to_click_through() {
    let directory = Directory::new("page");
    let file = directory.write("session.txt", STOPPED);
    let ended = run(&mut chatnio(["replay", "--html", &file])).with(5);
    assert!(ended.stdout.starts_with("<!doctype html>") && !ended.stdout.contains("<b>two"), "{ended:?}");
    let page = directory.write("page.html", &ended.stdout);
    let browser = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", &format!("file://{page}#9")])
        .env("HOME", directory.file(""))
        .output();
    let Ok(output) = browser else {
        eprintln!("skipped: there is no chromium");
        return;
    };
    let dom = String::from_utf8_lossy(&output.stdout);
    assert!(dom.contains("&lt;b&gt;two&lt;/b&gt;"), "what is said stays text: {dom}");
    // The ninth frame is chosen: the stray end of a stop.
    assert!(dom.contains("<span id=\"at\">9 of 14</span>"), "{dom}");
    assert!(dom.contains("<pre id=\"event\">stray</pre>") && dom.contains("<pre id=\"states\">asking</pre>"), "{dom}");
    assert_eq!(dom.matches("role=\"option\"").count(), 14, "{dom}");
}

#[test]
fn a_page_has_the_answer_up_to_each_piece() {
    let directory = Directory::new("answers");
    let file = directory.write(
        "session.txt",
        concat!(
            "> SEND {\"token\":\"sk-...\",\"id\":-1}\n",
            "> SEND {\"type\":\"chat\",\"message\":\"one\"}\n",
            "< RECV {\"message\":\"a\u{1f600}\",\"quota\":0.1}\n",
            "< RECV {\"message\":\"b\",\"quota\":0.1}\n",
            "< RECV {\"message\":\"\",\"quota\":0.1,\"end\":true}\n",
            "> SEND {\"type\":\"chat\",\"message\":\"two\"}\n",
            "< RECV {\"message\":\"c\",\"quota\":0.1,\"end\":true}\n",
        ),
    );
    let page = run(&mut chatnio(["replay", "--html", &file])).with(0).stdout;
    assert!(page.contains(r#""answers":{"1":"a😀b","2":"c"}"#), "{page}");
    let answered: Vec<&str> = page.split("\"answered\":").skip(1).filter_map(|rest| rest.split('}').next()).collect();
    // As JavaScript counts: the second character is two.
    assert_eq!(answered, ["0", "0", "3", "4", "4", "0", "1"]);
}

#[test]
fn what_cannot_be_read_makes_no_page() {
    let directory = Directory::new("no-page");
    let broken = directory.write("broken.txt", "hello\n");
    let ended = run(&mut chatnio(["replay", "--html", &broken])).with(5);
    assert!(ended.stdout.is_empty() && ended.stderr.contains("broken.txt: line 1: expected"), "{ended:?}");
}
