//! Plays the committed corpora through the targets, without a fuzzer. Every line that fails is printed.
//!
//! Miri is some hundred times slower: by it, every fortieth input of `capi`, which alone calls unsafe code.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::{fs, io};

use chatnio_fuzz::{TARGETS, corpus};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// The names of the files in a folder that end so, without their ends.
fn names(name: &str, end: &str) -> io::Result<BTreeSet<String>> {
    let files = fs::read_dir(folder(name))?.map(|file| Ok(file?.file_name().to_string_lossy().into_owned()));
    let files: io::Result<Vec<String>> = files.collect();
    Ok(files?.iter().filter_map(|file| file.strip_suffix(end)).map(str::to_owned).collect())
}

#[test]
fn every_input_passes() {
    let every = if cfg!(miri) { 40 } else { 1 };
    let counts = corpus::read_counts(&fs::read_to_string(folder("corpus/counts.tsv")).unwrap()).unwrap();
    let mut failed = Vec::new();
    for (name, run) in TARGETS {
        if cfg!(miri) && *name != "capi" {
            continue;
        }
        let path = folder("corpus").join(format!("{name}.txt"));
        let inputs =
            corpus::read(&fs::read_to_string(&path).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(counts.get(*name), Some(&inputs.len()), "{name}: corpus/counts.tsv says how many there are");
        for (line, input) in (1..).zip(&inputs).step_by(every) {
            if catch_unwind(AssertUnwindSafe(|| run(input))).is_err() {
                failed.push(format!("fuzz/corpus/{name}.txt, line {line}: \"{}\"", input.escape_ascii()));
            }
        }
        println!("{name}: {} inputs", inputs.len().div_ceil(every));
    }
    assert!(failed.is_empty(), "{} inputs fail:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn nothing_at_all_passes() {
    for (_, run) in TARGETS {
        run(b"");
    }
}

#[test]
fn every_target_is_replayed_and_has_a_corpus() {
    let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets", ".rs").unwrap(), known);
    assert_eq!(names("corpus", ".txt").unwrap(), known);
    let counts = corpus::read_counts(&fs::read_to_string(folder("corpus/counts.tsv")).unwrap()).unwrap();
    assert_eq!(counts.into_keys().collect::<BTreeSet<_>>(), known);
}

#[test]
fn the_c_library_has_the_features_that_it_is_installed_with() {
    let features = |manifest: &str| -> BTreeSet<String> {
        let text = fs::read_to_string(folder(manifest)).unwrap();
        let section = text.split("\n[").find_map(|section| section.strip_prefix("features]\n")).unwrap();
        let lines = section.lines().filter(|line| line.contains('=') && !line.starts_with('#'));
        // That one is for cargo-c.
        lines.filter(|line| !line.starts_with("capi ")).map(str::to_owned).collect()
    };
    assert_eq!(features("ffi/Cargo.toml"), features("../ffi/Cargo.toml"));
    assert!(features("ffi/Cargo.toml").len() > 4);
}
