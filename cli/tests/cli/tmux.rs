//! A chat in a real terminal, started from a real shell: what the screen shows.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use chatnio_loopback::{Options, Plan, Server};

use crate::process::{Directory, KEY, server_with};

/// The longest that anything here may take; only a failure needs it.
const LIMIT: Duration = Duration::from_secs(60);

/// A tmux of its own with one shell in it.
struct Screen {
    directory: Directory,
}

impl Screen {
    fn new(name: &str) -> Self {
        let screen = Screen { directory: Directory::new(name) };
        fs::write(screen.directory.file("rc"), "PS1='shell$ '\n").unwrap();
        let shell = format!("bash --noprofile --rcfile {} -i", screen.directory.file("rc"));
        screen.tmux(&["new-session", "-d", "-x", "80", "-y", "30", &shell]);
        screen.until("shell$ ");
        screen
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.args(["-u", "-f", "/dev/null", "-S", &self.directory.file("socket")]).args(arguments);
        for name in
            ["CHATNIO_URL", "CHATNIO_TOKEN", "CHATNIO_MODEL", "CHATNIO_PROFILE", "CHATNIO_CONFIG", "NO_COLOR", "TMUX"]
        {
            command.env_remove(name);
        }
        command
            .env("XDG_CONFIG_HOME", self.directory.file("config"))
            .env("XDG_STATE_HOME", self.directory.file("state"));
        command.env("SHELL", "/bin/sh").env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
        let output = command.output().expect("tmux is installed (`make deps` does that)");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("a screen is UTF-8")
    }

    /// Presses keys, by tmux's names.
    fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// Types a text and Enter.
    fn enter(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
        self.press(&["Enter"]);
    }

    /// What the screen shows, and what has scrolled off it.
    fn text(&self) -> String {
        format!("\n{}", self.tmux(&["capture-pane", "-p", "-S", "-"]).trim_end())
    }

    /// Waits until the screen shows this at its end, blanks aside.
    #[track_caller]
    fn until(&self, end: &str) -> String {
        self.wait(end, |text| text.ends_with(end.trim_end()))
    }

    /// Waits until so many answers have ended, and there is a prompt.
    #[track_caller]
    fn answered(&self, answers: usize) -> String {
        self.wait("an answer", |text| text.matches("\ncost: ").count() == answers && text.ends_with("\n>"))
    }

    #[track_caller]
    fn wait(&self, what: &str, shows: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        loop {
            let text = self.text();
            if shows(&text) {
                return text;
            }
            assert!(started.elapsed() < LIMIT, "{what:?} does not come:\n{text}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts a chat.
    fn chat(&self, server: &Server, model: &str) {
        let program = env!("CARGO_BIN_EXE_chatnio");
        self.enter(&format!("clear; {program} chat --url {} --token {KEY} --model {model}", server.url()));
        self.until("\n>");
    }

    /// Puts the screen, in its colours, where one can look at it: CHATNIO_SCREENS names the directory.
    fn show(&self, name: &str) {
        if let Some(directory) = env::var_os("CHATNIO_SCREENS") {
            let screen = self.tmux(&["capture-pane", "-p", "-e", "-S", "-"]);
            fs::write(std::path::Path::new(&directory).join(name), screen).unwrap();
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let socket = self.directory.file("socket");
        let _ = Command::new("tmux").args(["-S", &socket, "kill-server"]).stderr(Stdio::null()).status();
    }
}

/// A server whose model `gated` says "first" and then nothing, and whose model `markdown` says that.
fn server() -> Server {
    let mut options = Options::default();
    let mut gated = Plan::text(Duration::ZERO, ["first", "never"]);
    gated.pieces[1].0 = Duration::from_secs(3600);
    options.plans.insert("gated".to_owned(), gated);
    let markdown = "# Title\n\nSome **bold** and `code`, in a line that is longer than the terminal is wide, so that it has to be wrapped.\n\n\
        - one\n- two\n\n```rust\nfn main() {}\n```\n\n| name | value |\n|---|---|\n| pi | 3.14 |\n\nThe *end*.";
    let pieces = markdown.as_bytes().chunks(5).map(|piece| std::str::from_utf8(piece).unwrap());
    options.plans.insert("markdown".to_owned(), Plan::text(Duration::from_millis(1), pieces));
    server_with(options)
}

fn questions(server: &Server, id: i64) -> Vec<String> {
    let messages = server.world().messages(KEY, id).unwrap_or_default();
    messages.into_iter().filter(|message| message.role == "user").map(|message| message.content).collect()
}

#[test]
fn what_is_pasted_is_asked() {
    let (screen, server) = (Screen::new("tmux-paste"), server());
    screen.chat(&server, "hello");
    screen.tmux(&["set-buffer", "one\ntwo\nthree\n"]);
    // Without the marks of a bracketed paste, as old terminals do it.
    screen.tmux(&["paste-buffer"]);
    assert!(screen.answered(3).contains("\n> three\nHello! How can I help?\n"));
    // With them it is one question.
    screen.tmux(&["set-buffer", "four\nfive"]);
    screen.tmux(&["paste-buffer", "-p"]);
    screen.until("> four\nfive");
    screen.press(&["M-Enter"]);
    screen.enter("six");
    screen.answered(4);
    screen.show("paste");
    assert_eq!(questions(&server, 1), ["one", "two", "three", "four\nfive\nsix"]);
}

#[test]
fn ctrl_c_stops_clears_and_quits() {
    let (screen, server) = (Screen::new("tmux-stop"), server());
    screen.chat(&server, "gated");
    screen.enter("one");
    screen.until("\nfirst");
    // Not shown, and not lost.
    screen.press(&["t", "w"]);
    screen.press(&["C-c"]);
    screen.until("first\nnote: stopped\ncost: 0.00011\n> tw");
    screen.press(&["C-c"]);
    screen.until("cost: 0.00011\n>");
    screen.press(&["C-c"]);
    screen.until("note: Ctrl-C once more quits, as /quit and Ctrl-D do\n>");
    screen.show("stop");
    screen.press(&["C-c"]);
    screen.until("shell$");
    screen.enter("echo status $?");
    screen.until("status 0\nshell$");
}

#[test]
fn who_is_in_a_hurry_quits_too() {
    let (screen, server) = (Screen::new("tmux-hurry"), server());
    screen.chat(&server, "hello");
    screen.press(&["C-c", "C-c"]);
    screen.until("shell$");
    // What is typed in one go with a Ctrl-C is not lost either.
    screen.chat(&server, "hello");
    screen.press(&["C-c", "h", "i", "Enter"]);
    screen.answered(1);
    screen.press(&["x", "C-c", "C-c", "C-c"]);
    screen.until("shell$");
    assert_eq!(questions(&server, 1), ["hi"]);
}

#[test]
fn ctrl_z_suspends_and_fg_goes_on() {
    let (screen, server) = (Screen::new("tmux-suspend"), server());
    screen.chat(&server, "gated");
    // While a line is edited.
    screen.press(&["o", "n"]);
    screen.until("> on");
    screen.press(&["C-z"]);
    screen.until("shell$");
    screen.enter("stty -a | grep -cw -- -echo");
    screen.until("-echo\n0\nshell$");
    screen.enter("fg");
    screen.until("> on");
    screen.enter("e");
    screen.until("\nfirst");
    // While an answer comes.
    screen.press(&["C-z"]);
    screen.until("shell$");
    screen.enter("fg");
    screen.until("gated");
    screen.enter("/model hello");
    screen.press(&["C-c"]);
    screen.until("note: stopped\ncost: 0.00011\n> /model hello\n>");
    screen.show("suspend");
    screen.enter("two");
    screen.answered(2);
    screen.press(&["C-d"]);
    screen.until("shell$");
    assert_eq!(questions(&server, 1), ["one", "two"]);
}

#[test]
fn tab_completes_and_the_history_lasts() {
    let (screen, server) = (Screen::new("tmux-keys"), server());
    screen.chat(&server, "hello");
    screen.enter("remember me");
    screen.answered(1);
    screen.press(&["/", "s", "Tab", "Tab"]);
    screen.until("/stop    /system\n> /s");
    screen.show("completion");
    screen.press(&["C-u", "/", "q", "Tab", "Enter"]);
    screen.until("shell$");
    screen.chat(&server, "hello");
    screen.press(&["C-r", "r", "e", "m"]);
    screen.until("remember me");
    screen.press(&["Enter"]);
    screen.answered(1);
    assert_eq!(questions(&server, 2), ["remember me"]);
}

#[test]
fn markdown_looks_like_it() {
    let (screen, server) = (Screen::new("tmux-markdown"), server());
    screen.chat(&server, "markdown");
    screen.enter("show it");
    let text = screen.answered(1);
    screen.show("markdown");
    let colours = screen.tmux(&["capture-pane", "-p", "-e", "-S", "-"]);
    let answer = text.split("note: conversation 1\n").nth(1).unwrap();
    assert!(
        answer.starts_with(concat!(
            "Title\n\nSome bold and code, in a line that is longer than the terminal is wide, so that\n",
            "it has to be wrapped.\n\n• one\n• two\n\nfn main() {}\n\n"
        )),
        "{answer}"
    );
    assert!(
        answer.contains("│name│value│\n├────┼─────┤\n│pi  │3.14 │\n") && answer.contains("\n\nThe end.\n"),
        "{answer}"
    );
    assert!(colours.contains("\x1b[1mbold"), "{colours:?}");
}
