//! What no file of the repository contains.

use std::path::Path;
use std::process::Command;

use crate::repository::root;

/// Files whose bytes are somebody else's: recordings, data, generated locks.
const OTHERS: [&str; 6] = ["fixtures/", "model/", "package-lock.json", "Cargo.lock", ".snap", "testdata/"];

/// Kinds of files that are read as text.
const TEXTS: [&str; 14] =
    ["rs", "toml", "md", "json", "ts", "tsx", "js", "mjs", "css", "html", "example", "yml", "yaml", "sh"];

fn texts() -> Vec<(String, String)> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().expect("git runs");
    assert!(listed.status.success(), "git ls-files fails");
    let names = String::from_utf8(listed.stdout).expect("file names are UTF-8");
    let mut texts = Vec::new();
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        let kind = Path::new(name).extension().map(|kind| kind.to_string_lossy().into_owned());
        let is_text = name == ".ci/run" || kind.is_some_and(|kind| TEXTS.contains(&kind.as_str()));
        if !is_text || OTHERS.iter().any(|part| name.contains(part)) {
            continue;
        }
        // A file that was just deleted is still listed.
        if let Ok(text) = std::fs::read_to_string(root().join(name)) {
            texts.push((name.to_owned(), text));
        }
    }
    assert!(texts.len() > 20, "only {} files found", texts.len());
    texts
}

/// Fails with every line that breaks a rule.
fn check(rule: &str, broken: impl Fn(&str, &str) -> bool) {
    let mut faults = Vec::new();
    for (name, text) in texts() {
        for (index, line) in text.lines().enumerate() {
            if broken(&name, line) {
                faults.push(format!("{name}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    assert!(faults.is_empty(), "{rule}:\n{}", faults.join("\n"));
}

#[test]
fn no_tabs_and_no_trailing_spaces() {
    check("tab or trailing space", |_, line| line.contains('\t') || line.ends_with(' '));
}

#[test]
fn no_paths_of_somebody_s_machine() {
    // Put together here, so that this file does not break its own rule.
    let homes = [["/", "work", "/"], ["/", "root", "/"], ["/", "Users", "/"]].map(|parts| parts.concat());
    check("path of a machine", |_, line| homes.iter().any(|home| line.contains(home)));
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [["TO", "DO"], ["FIX", "ME"], ["X", "XX"]].map(|parts| parts.concat());
    check("mark of unfinished work", |_, line| {
        marks.iter().any(|mark| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == mark))
    });
}

#[test]
fn texts_end_with_one_newline() {
    let faults: Vec<String> = texts()
        .into_iter()
        .filter(|(_, text)| !text.is_empty() && (!text.ends_with('\n') || text.ends_with("\n\n")))
        .map(|(name, _)| name)
        .collect();
    assert!(faults.is_empty(), "no newline, or several, at the end of {faults:?}");
}

#[test]
fn lints_are_expected_and_never_allowed() {
    let allowed = ["#[", "allow("].concat();
    let everywhere = ["#![", "allow("].concat();
    check("an exception that never expires", |name, line| {
        name.ends_with(".rs") && (line.contains(&allowed) || line.contains(&everywhere))
    });
}

#[test]
fn no_module_is_named_after_nothing() {
    const NAMES: [&str; 5] = ["utils", "common", "helpers", "manager", "service"];
    for (name, _) in texts() {
        let vague =
            Path::new(&name).with_extension("").iter().any(|part| NAMES.iter().any(|name| part == *name));
        assert!(!vague, "{name} says nothing about what it holds");
    }
}
