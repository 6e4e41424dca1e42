//! Settings: what the functions and the handler read is in `local.settings.json.example` and in the README's table.

use std::collections::BTreeSet;

use serde_json::Value;
use wire::bindings::{FunctionJson, required_settings};

use crate::repository::{functions, read};

/// Settings that the host reads, and the handler does not.
const HOST_SETTINGS: [&str; 2] = ["AzureWebJobsStorage", "FUNCTIONS_WORKER_RUNTIME"];

fn example() -> BTreeSet<String> {
    let text = read("local.settings.json.example");
    let json: Value = serde_json::from_str(&text).expect("the example is JSON");
    assert_eq!(json["IsEncrypted"], Value::Bool(false));
    let values = json["Values"].as_object().expect("the example has `Values`");
    for (name, value) in values {
        assert!(value.is_string(), "`{name}`: the host takes strings only");
        assert_eq!(text.matches(&format!("\"{name}\":")).count(), 1, "`{name}` is set twice");
    }
    values.keys().cloned().collect()
}

/// First cells of the rows of the README's tables, without code marks.
fn documented() -> BTreeSet<String> {
    let readme = read("README.md");
    let cells =
        readme.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name));
    cells.map(str::to_owned).collect()
}

/// Names in the table `NAMES` of the handler's settings.
fn handler_settings() -> BTreeSet<String> {
    let source = read("handler/src/settings.rs");
    let (_, table) = source.split_once("const NAMES").expect("handler/src/settings.rs has a table `NAMES`");
    let (_, table) = table.split_once("= [").expect("the table begins");
    let (table, _) = table.split_once("];").expect("the table ends");
    let names: BTreeSet<String> =
        table.split('"').skip(1).step_by(2).filter(|text| is_name(text)).map(str::to_owned).collect();
    assert!(names.len() > 5, "only {names:?} found in the table");
    names
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.len() > 3
}

/// Settings that the functions name; any one form of each is enough.
fn function_settings() -> Vec<(String, Vec<String>)> {
    let mut settings = Vec::new();
    for name in functions() {
        let text = read(&format!("functions/{name}/function.json"));
        let function: FunctionJson =
            serde_json::from_str(&text).expect("function.json has only what is known");
        settings
            .extend(required_settings(&function).into_iter().map(|setting| (name.clone(), setting.any_of)));
    }
    settings
}

#[test]
fn what_functions_name_is_in_the_example_and_documented() {
    let (example, documented) = (example(), documented());
    for (function, forms) in function_settings() {
        assert!(
            forms.iter().any(|form| example.contains(form)),
            "`{function}` needs one of {forms:?}: example"
        );
        assert!(
            forms.iter().any(|form| documented.contains(form)),
            "`{function}` needs one of {forms:?}: README.md"
        );
    }
}

#[test]
fn what_the_handler_reads_is_in_the_example_and_documented() {
    let (example, documented) = (example(), documented());
    for name in handler_settings() {
        assert!(example.contains(&name), "local.settings.json.example lacks `{name}`");
        assert!(documented.contains(&name), "README.md has no row for `{name}`");
    }
}

#[test]
fn the_example_sets_only_what_somebody_reads() {
    let mut read: BTreeSet<String> = HOST_SETTINGS.into_iter().map(str::to_owned).collect();
    read.extend(handler_settings());
    read.extend(function_settings().into_iter().flat_map(|(_, forms)| forms));
    for name in example() {
        assert!(read.contains(&name), "nobody reads `{name}`");
    }
}

#[test]
fn the_example_reaches_nothing_but_this_machine() {
    let json: Value =
        serde_json::from_str(&read("local.settings.json.example")).expect("the example is JSON");
    for (name, value) in json["Values"].as_object().expect("the example has `Values`") {
        let value = value.as_str().expect("a string");
        for (_, rest) in value.match_indices("://").map(|(place, mark)| value.split_at(place + mark.len())) {
            assert!(rest.starts_with("127.0.0.1"), "`{name}` names another machine");
        }
    }
}
