//! The rules of `docs/protocol.md` and the places that cite them (`R5.3`) fit together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folders that speak the protocol, and those of the tests of them. A comment elsewhere (of a bench, of a page's check)
/// holds no rule.
const CODE: [&str; 8] = ["bindings", "cli", "core", "ffi", "fuzz", "loopback", "tokio", "transport"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn protocol() -> PathBuf {
    root().join("docs/protocol.md")
}

/// All names of the form `R5.3` in a text, with the line each stands in.
fn names(text: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for (at, _) in line.match_indices('R') {
            let word_before = line[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
            let rest = &line[at + 1..];
            let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let section = digits(rest);
            let Some(after) = rest[section..].strip_prefix('.') else { continue };
            let rule = digits(after);
            let word_after = after[rule..].chars().next().is_some_and(|c| c.is_alphanumeric() || c == '_');
            if section > 0 && rule > 0 && !word_before && !word_after {
                names.push((number + 1, format!("R{}.{}", &rest[..section], &after[..rule])));
            }
        }
    }
    names
}

/// The rules, in the order of the document: the names that stand in bold.
fn rules(document: &str) -> Vec<String> {
    let mut rules = Vec::new();
    for (_, name) in names(document) {
        if document.contains(&format!("**{name}**")) && !rules.contains(&name) {
            rules.push(name);
        }
    }
    rules
}

/// Every text that is in git, by its path, except this one and the fuzzers' inputs.
fn texts() -> Vec<(String, String)> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    let names = String::from_utf8(listed.stdout).unwrap();
    let names = names.split('\0').filter(|name| !name.is_empty() && !name.starts_with("fuzz/corpus/"));
    let names = names.filter(|name| *name != "loopback/tests/rules.rs");
    // What is no text cites nothing; what was deleted and is not committed yet is not there.
    names.filter_map(|name| Some((name.to_owned(), fs::read_to_string(root().join(name)).ok()?))).collect()
}

/// Who cites what: the rule's name, and `FILE:LINE` of each citation.
fn citations(wanted: impl Fn(&str) -> bool) -> BTreeMap<String, Vec<String>> {
    let mut citations: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, text) in texts().into_iter().filter(|(file, _)| wanted(file)) {
        for (line, name) in names(&text) {
            citations.entry(name).or_default().push(format!("{file}:{line}"));
        }
    }
    citations
}

#[test]
fn every_rule_has_one_place_and_no_number_is_left_out() {
    let document = fs::read_to_string(protocol()).unwrap();
    let rules = rules(&document);
    for rule in &rules {
        assert_eq!(document.matches(&format!("**{rule}**")).count(), 1, "{rule}");
    }
    let mut sections: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for rule in &rules {
        let (section, number) = rule[1..].split_once('.').unwrap();
        sections.entry(section.parse().unwrap()).or_default().insert(number.parse().unwrap());
        let section = format!("\n## {section}. ");
        assert!(document.contains(&section), "{rule} is of a section that is not there");
    }
    for (section, numbers) in sections {
        let last = *numbers.last().unwrap();
        let missing: Vec<u32> = (1..=last).filter(|number| !numbers.contains(number)).collect();
        assert!(missing.is_empty(), "section {section} lacks {missing:?}");
    }
}

#[test]
fn no_citation_names_a_rule_that_is_not_there() {
    let rules: BTreeSet<String> = rules(&fs::read_to_string(protocol()).unwrap()).into_iter().collect();
    let unknown: Vec<_> = citations(|_| true).into_iter().filter(|(name, _)| !rules.contains(name)).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn code_or_a_test_cites_every_rule() {
    let is_code = |file: &str| {
        let folder = file.split('/').next().unwrap_or_default();
        CODE.contains(&folder) && !file.ends_with(".md")
    };
    let cited = citations(is_code);
    let rules = rules(&fs::read_to_string(protocol()).unwrap());
    assert!(rules.len() > 100, "the rules are not found");
    let uncited: Vec<_> = rules.into_iter().filter(|rule| !cited.contains_key(rule)).collect();
    assert!(uncited.is_empty(), "{uncited:?}");
}
