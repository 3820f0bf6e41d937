//! `cli/install`: what `make install-cli` does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::process::{Directory, chatnio, project_file, run};

fn install(directory: &Directory, argument: &str) {
    let mut command = Command::new(project_file("cli/install"));
    command.arg(argument).env("DESTDIR", directory.file("")).env("PREFIX", "/opt/x y");
    run(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped())).with(0);
}

/// Every file below a directory.
fn files(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.insert(path.to_str().unwrap().rsplit_once("/opt/x y/").unwrap().1.to_owned());
        }
    }
}

#[test]
fn it_puts_everything_in_its_place_and_takes_it_away_again() {
    let directory = Directory::new("install");
    install(&directory, env!("CARGO_BIN_EXE_chatnio"));
    let prefix = Path::new(&directory.file("")).join("opt/x y");
    let mut found = BTreeSet::new();
    files(&prefix, &mut found);
    for file in [
        "bin/chatnio",
        "share/man/man1/chatnio.1",
        "share/man/man1/chatnio-chat.1",
        "share/bash-completion/completions/chatnio",
        "share/zsh/site-functions/_chatnio",
        "share/fish/vendor_completions.d/chatnio.fish",
    ] {
        assert!(found.contains(file), "{found:?}");
    }
    let version = run(Command::new(prefix.join("bin/chatnio")).arg("--version").stdout(Stdio::piped())).with(0);
    assert_eq!(version.stdout, format!("chatnio {}\n", env!("CARGO_PKG_VERSION")));
    let page = fs::read_to_string(prefix.join("share/man/man1/chatnio-ask.1")).unwrap();
    assert!(page.contains("\\-\\-temperature") && page.contains("Exit status"), "{page}");
    install(&directory, "--remove");
    let mut left = BTreeSet::new();
    files(&prefix, &mut left);
    assert_eq!(left, BTreeSet::new());
}

#[test]
fn bash_completes_commands_and_options() {
    let directory = Directory::new("completions");
    let script = directory.write("chatnio.bash", run(&mut chatnio(["completions", "bash"])).with(0).stdout);
    let complete = |words: &str, last: usize| {
        let test = format!(
            "source {script}; COMP_WORDS=({words}); COMP_CWORD={last}; _chatnio chatnio \"${{COMP_WORDS[{last}]}}\" x; echo \"${{COMPREPLY[@]}}\""
        );
        let mut bash = Command::new("bash");
        run(bash.args(["--norc", "-c", &test]).stdout(Stdio::piped()).stderr(Stdio::piped())).with(0).stdout
    };
    assert_eq!(complete("chatnio re", 1), "replay\n");
    assert_eq!(complete("chatnio replay --h", 2), "--html --help\n");
}
