//! The rules of `docs/protocol.md` and the places that cite them (`R5.3`) fit together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What makes a file one that may cite a rule.
const SOURCES: [&str; 12] = ["c", "cpp", "h", "hpp", "js", "md", "py", "pyi", "rs", "sh", "swift", "ts"];

/// Folders of what is built or installed.
const BUILT: [&str; 4] = ["build", "dist", "node_modules", "target"];

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

/// Every source and test file under a folder, without what is built.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // A link may lead anywhere, and what it leads to inside the tree is read there.
        if name.starts_with('.') || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            if !BUILT.contains(&name.as_str()) {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|end| SOURCES.iter().any(|source| end == *source)) {
            found.push(path);
        }
    }
}

/// Who cites what: the rule's name, and `FILE:LINE` of each citation.
fn citations(wanted: impl Fn(&Path) -> bool) -> BTreeMap<String, Vec<String>> {
    let mut files = Vec::new();
    sources(&root(), &mut files);
    let mut citations: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files.iter().filter(|file| wanted(file) && !file.ends_with("loopback/tests/rules.rs")) {
        let Ok(text) = fs::read_to_string(file) else { continue };
        let shown = file.strip_prefix(root()).unwrap().display();
        for (line, name) in names(&text) {
            citations.entry(name).or_default().push(format!("{shown}:{line}"));
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
    let is_code = |file: &Path| file.extension().is_some_and(|end| end != "md");
    let cited = citations(is_code);
    let rules = rules(&fs::read_to_string(protocol()).unwrap());
    assert!(rules.len() > 100, "the rules are not found");
    let uncited: Vec<_> = rules.into_iter().filter(|rule| !cited.contains_key(rule)).collect();
    assert!(uncited.is_empty(), "{uncited:?}");
}
