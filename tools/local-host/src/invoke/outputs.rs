//! The outputs of an accepted answer: values enter, per declared binding what is to be done leaves. Pure.
//!
//! Damage that the real host does to values (base64-looking strings, rewritten dates) is done here too, and named.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::answer::Answer;
use crate::config::{Function, Output, OutputKind};
use crate::json_net::{self, Json};
use crate::signalr::{self, Item};

/// What is to be done for one output binding.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Upsert these documents, one after another.
    Upsert(Vec<Json>),
    /// Send these items, one after another.
    Send(Vec<Item>),
    /// Fail.
    Fail(String),
}

/// The outputs of one invocation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan<'a> {
    /// Work per binding; all of it starts together.
    pub work: Vec<(&'a Output, Work)>,
    /// What would be damaged or ignored in Azure.
    pub warnings: Vec<String>,
}

/// Picks the values of the declared outputs other than HTTP.
#[must_use]
pub fn plan<'a>(function: &'a Function, answer: &Answer) -> Plan<'a> {
    let outputs = merged_outputs(function, answer);
    let mut plan = Plan::default();
    for output in function.outputs.iter().filter(|output| output.kind != OutputKind::Http) {
        let Some(value) = outputs.get(&output.name).filter(|value| **value != Json::Null) else { continue };
        for date in value.rewritten_dates() {
            plan.warnings.push(format!("output `{}`: the host rewrites the date `{date}`", output.name));
        }
        let work = match items(value) {
            Err(reason) => Work::Fail(format!("output `{}`: {reason}", output.name)),
            Ok(items) if items.is_empty() => continue,
            Ok(items) => work_for(output, items),
        };
        plan.work.push((output, work));
    }
    if let Json::Object(fields) = &outputs {
        for (name, _) in fields {
            if !function.outputs.iter().any(|output| output.name == *name) {
                plan.warnings.push(format!("output `{name}` has no binding and is ignored"));
            }
        }
    }
    plan
}

/// The outputs with the fields of an object `ReturnValue`, unless a binding named `$return` takes that.
pub(crate) fn merged_outputs(function: &Function, answer: &Answer) -> Json {
    let mut outputs = answer.outputs.clone().unwrap_or(Json::Object(Vec::new()));
    let has_return = function.outputs.iter().any(|output| output.name == "$return");
    match &answer.return_value {
        Some(value) if has_return => outputs.set("$return", value.clone()),
        Some(Json::Object(fields)) => {
            for (name, value) in fields {
                outputs.set(name, value.clone());
            }
        }
        _ => {}
    }
    outputs
}

fn work_for(output: &Output, items: Vec<Json>) -> Work {
    match &output.kind {
        OutputKind::SignalR { .. } => match items.iter().map(signalr::read_item).collect() {
            Ok(items) => Work::Send(items),
            Err(reason) => Work::Fail(format!("output `{}`: {reason}", output.name)),
        },
        _ => Work::Upsert(items),
    }
}

/// The items of a collector binding.
fn items(value: &Json) -> Result<Vec<Json>, String> {
    match value {
        Json::Object(_) => Ok(vec![value.clone()]),
        Json::Array(items) => match items.iter().find(|item| !matches!(item, Json::Object(_))) {
            Some(item) => Err(format!("an element is no object: {}", item.to_text())),
            None => Ok(items.clone()),
        },
        Json::String(text) => {
            if looks_like_base64(text) {
                return Err(format!("the host takes the string `{text}` for base64"));
            }
            match json_net::read(text) {
                Ok(value @ (Json::Object(_) | Json::Array(_))) => items(&value),
                _ => Err("the string is no JSON object or array".to_owned()),
            }
        }
        _ => Err(format!("neither object nor array: {}", value.to_text())),
    }
}

/// Whether .NET's `Convert.FromBase64String` accepts the text.
fn looks_like_base64(text: &str) -> bool {
    let dense: String = text.chars().filter(|letter| !matches!(letter, ' ' | '\t' | '\r' | '\n')).collect();
    STANDARD.decode(dense).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function() -> Function {
        let document = serde_json::json!({ "bindings": [
            { "type": "timerTrigger", "name": "timer", "direction": "in", "schedule": "0 * * * * *" },
            { "type": "cosmosDB", "name": "documents", "direction": "out", "connection": "C", "databaseName": "d", "containerName": "c" },
            { "type": "signalR", "name": "live", "direction": "out", "hubName": "telemetry" } ] });
        let document = serde_json::from_value(document).unwrap();
        crate::config::parse_function("f", document, &crate::config::Settings::default()).unwrap()
    }

    fn work(outputs: &str) -> Vec<Work> {
        let answer = Answer { outputs: Some(json_net::read(outputs).unwrap()), ..Answer::default() };
        plan(&function(), &answer).work.into_iter().map(|(_, work)| work).collect()
    }

    #[test]
    fn takes_values_as_the_collectors_do() {
        let document = Json::object([("id", Json::text("a"))]);
        assert_eq!(work(r#"{"documents":{"id":"a"}}"#), [Work::Upsert(vec![document.clone()])]);
        assert_eq!(work(r#"{"documents":"[{\"id\":\"a\"}]"}"#), [Work::Upsert(vec![document])]);
        assert_eq!(work(r#"{"documents":[],"live":null,"other":1,"Documents":{}}"#), []);
        for damaged in [r#""abcd""#, r#""""#, r#""hello world""#, r#"["a"]"#, "7", "true"] {
            let works = work(&format!(r#"{{"documents":{damaged}}}"#));
            assert!(matches!(works.as_slice(), [Work::Fail(_)]), "{damaged}: {works:?}");
        }
    }

    #[test]
    fn warns_of_rewritten_dates_and_unknown_outputs() {
        let outputs = json_net::read(r#"{"documents":{"id":"a","t":"2024-01-01T02:00:00.000Z"},"nope":1}"#);
        let answer = Answer { outputs: Some(outputs.unwrap()), ..Answer::default() };
        let function = function();
        let plan = plan(&function, &answer);
        assert!(plan.warnings[0].contains("2024-01-01T02:00:00.000Z"));
        assert!(plan.warnings[1].contains("`nope`"));
    }
}
