//! Transcripts.

use std::fs;

use crate::process::{Directory, chatnio, project_file, run};

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
            "< RECV {\"message\":\"early\"}\n",
            "> SEND {\"type\":\"chat\",\"message\":\"\"}\n",
            "> SEND {\"type\":\"chat\",\"message\":\"one\"}\n",
            "< RECV {\"message\":\"First\",\"quota\":1}\n",
            "> SEND {\"type\":\"chat\",\"message\":\"one\",\"web\":\"false\"}\n",
            "< RECV {\"message\":\" answer\",\"quota\":1,\"end\":true}\n",
            "> SEND {\"type\":\"chat\",\"message\":\"two\"}\n",
            "< RECV {\"message\":\"Second\"}\n",
        ),
    );
    // The last turn has no end.
    let ended = run(&mut chatnio(["replay", &file])).with(4);
    assert_eq!(ended.stdout, "First answer\nSecond\n");
    assert!(ended.stderr.contains("session.txt: a frame that belongs to no turn: \"early\""), "{ended:?}");
    assert!(ended.stderr.contains("session.txt: line 3: skipped"), "{ended:?}");
    assert!(ended.stderr.contains("interrupted: "), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 4, "{ended:?}");

    let ended = run(&mut chatnio(["replay", "--json", &file])).with(4);
    let kinds: Vec<_> = ended.stdout.lines().map(|line| line.split('"').nth(3).unwrap()).collect();
    assert_eq!(kinds, ["stray", "warning", "delta", "warning", "delta", "end", "delta", "end"]);
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
