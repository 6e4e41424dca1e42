//! `function.json` of every folder directly below the script root: text enters, a checked function or the reason why it is left out leaves.

use std::path::Path;

use serde_json::Value;

use super::function::{
    Cardinality, ConnectionInfoInput, DataType, EventHubTrigger, Function, HttpTrigger, Output, OutputKind,
    Retry, RetryStrategy, TimerTrigger, Trigger,
};
use super::settings::Settings;
use super::time_span::parse_time_span;

/// The outcome of loading all functions.
#[derive(Debug, Default)]
pub struct Load {
    /// Functions to serve, by name.
    pub functions: Vec<Function>,
    /// Functions left out, with the reason.
    pub disabled: Vec<(String, String)>,
}

/// Loads every folder directly below the script root that has a `function.json`; a bad one disables that function alone.
///
/// # Errors
///
/// An I/O error when the script root cannot be listed.
pub fn load_functions(
    script_root: &Path,
    settings: &Settings,
    default_retry: Option<&Value>,
) -> std::io::Result<Load> {
    let mut load = Load::default();
    let mut folders: Vec<_> = std::fs::read_dir(script_root)?.filter_map(Result::ok).collect();
    folders.sort_by_key(std::fs::DirEntry::file_name);
    for folder in folders {
        let Ok(text) = std::fs::read(folder.path().join("function.json")) else { continue };
        let name = folder.file_name().to_string_lossy().into_owned();
        let parsed = match serde_json::from_slice(&text) {
            Ok(document) => parse_function(&name, &document, settings, default_retry),
            Err(error) => Err(format!("function.json is not JSON: {error}")),
        };
        match parsed {
            Ok(function) => load.functions.push(function),
            Err(reason) => load.disabled.push((name, reason)),
        }
    }
    Ok(load)
}

/// Reads one function's file, already parsed.
///
/// # Errors
///
/// Why the function is left out.
pub fn parse_function(
    name: &str,
    document: &Value,
    settings: &Settings,
    default_retry: Option<&Value>,
) -> Result<Function, String> {
    if !is_function_name(name) {
        return Err("a function name is a letter, then letters, digits, `_` and `-`".to_owned());
    }
    let bindings = document["bindings"].as_array().filter(|bindings| !bindings.is_empty());
    let bindings = bindings.ok_or("`bindings` must be an array that is not empty")?;
    let mut triggers = Vec::new();
    let mut inputs = Vec::new();
    let mut outputs = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for binding in bindings {
        let kind = binding["type"].as_str().ok_or("a binding has no `type`")?;
        let binding_name = binding["name"].as_str().ok_or("a binding has no `name`")?;
        if names.iter().any(|other| other.eq_ignore_ascii_case(binding_name)) {
            return Err(format!("two bindings are named `{binding_name}`"));
        }
        names.push(binding_name);
        let outward = binding["direction"].as_str().is_some_and(|text| text.eq_ignore_ascii_case("out"));
        if kind.to_ascii_lowercase().ends_with("trigger") {
            triggers.push((binding_name.to_owned(), parse_trigger(kind, binding, settings)?));
        } else if outward {
            outputs.push(parse_output(kind, binding_name, binding, settings)?);
        } else {
            inputs.push(parse_input(kind, binding_name, binding, settings)?);
        }
    }
    let trigger = triggers.pop().ok_or("there is no trigger")?;
    if !triggers.is_empty() {
        return Err("there is more than one trigger".to_owned());
    }
    let retry = match document.get("retry").or(default_retry) {
        Some(policy) => Some(parse_retry(policy)?),
        None => None,
    };
    let (trigger_name, trigger) = trigger;
    Ok(Function { name: name.to_owned(), trigger_name, trigger, inputs, outputs, retry })
}

fn parse_trigger(kind: &str, binding: &Value, settings: &Settings) -> Result<Trigger, String> {
    let resolve = |text: &str| settings.resolve(text).map_err(|unset| unset.to_string());
    match kind.to_ascii_lowercase().as_str() {
        "eventhubtrigger" => Ok(Trigger::EventHub(EventHubTrigger {
            hub: resolve(binding["eventHubName"].as_str().ok_or("`eventHubName` is missing")?)?,
            consumer_group: match binding["consumerGroup"].as_str() {
                Some(group) => resolve(group)?,
                None => "$Default".to_owned(),
            },
            cardinality: match binding["cardinality"].as_str() {
                Some(text) if text.eq_ignore_ascii_case("many") => Cardinality::Many,
                _ => Cardinality::One,
            },
            data_type: match binding["dataType"].as_str() {
                Some(text) if text.eq_ignore_ascii_case("string") => DataType::String,
                Some(text) if text.eq_ignore_ascii_case("binary") => DataType::Binary,
                None => DataType::Unset,
                Some(other) => return Err(format!("dataType `{other}` does not bind")),
            },
        })),
        "httptrigger" => Ok(Trigger::Http(HttpTrigger {
            route: resolve(binding["route"].as_str().unwrap_or_default())?,
            methods: match binding["methods"].as_array() {
                Some(methods) => {
                    methods.iter().filter_map(Value::as_str).map(str::to_ascii_uppercase).collect()
                }
                None => Vec::new(),
            },
        })),
        "timertrigger" => Ok(Trigger::Timer(TimerTrigger {
            schedule: resolve(binding["schedule"].as_str().ok_or("`schedule` is missing")?)?,
            run_on_startup: binding["runOnStartup"].as_bool().unwrap_or(false),
            use_monitor: binding["useMonitor"].as_bool().unwrap_or(true),
        })),
        _ => Err(format!("trigger `{kind}` is not imitated here")),
    }
}

fn parse_input(
    kind: &str,
    name: &str,
    binding: &Value,
    settings: &Settings,
) -> Result<ConnectionInfoInput, String> {
    if !kind.eq_ignore_ascii_case("signalRConnectionInfo") {
        return Err(format!("input binding `{kind}` is not imitated here"));
    }
    Ok(ConnectionInfoInput {
        name: name.to_owned(),
        hub: settings.resolve(binding["hubName"].as_str().ok_or("`hubName` is missing")?),
        connection: signalr_connection(binding),
        user_id: binding["userId"].as_str().map(str::to_owned),
    })
}

fn parse_output(kind: &str, name: &str, binding: &Value, settings: &Settings) -> Result<Output, String> {
    let required = |key: &str| binding[key].as_str().ok_or_else(|| format!("`{key}` is missing"));
    let kind = match kind.to_ascii_lowercase().as_str() {
        "http" => OutputKind::Http,
        "cosmosdb" => OutputKind::Cosmos {
            database: settings.resolve(required("databaseName")?),
            container: settings.resolve(required("containerName")?),
            connection: binding["connection"].as_str().unwrap_or("CosmosDB").to_owned(),
            partition_key: binding["partitionKey"].as_str().map(str::to_owned),
        },
        "signalr" => OutputKind::SignalR {
            hub: settings.resolve(required("hubName")?),
            connection: signalr_connection(binding),
        },
        _ => return Err(format!("output binding `{kind}` is not imitated here")),
    };
    let binary = binding["dataType"].as_str().is_some_and(|text| text.eq_ignore_ascii_case("binary"));
    Ok(Output { name: name.to_owned(), kind, binary })
}

fn signalr_connection(binding: &Value) -> String {
    binding["connectionStringSetting"].as_str().unwrap_or("AzureSignalRConnectionString").to_owned()
}

fn parse_retry(policy: &Value) -> Result<Retry, String> {
    let span = |key: &str| {
        let text = policy[key].as_str().ok_or_else(|| format!("retry: `{key}` is missing"))?;
        parse_time_span(text).map_err(|error| format!("retry: {key}: {error}"))
    };
    let max_count = policy["maxRetryCount"].as_i64().ok_or("retry: `maxRetryCount` is missing")?;
    let strategy = match policy["strategy"].as_str() {
        Some(text) if text.eq_ignore_ascii_case("fixedDelay") => RetryStrategy::Fixed(span("delayInterval")?),
        Some(text) if text.eq_ignore_ascii_case("exponentialBackoff") => RetryStrategy::Exponential {
            minimum: span("minimumInterval")?,
            maximum: span("maximumInterval")?,
        },
        _ => return Err("retry: `strategy` must be fixedDelay or exponentialBackoff".to_owned()),
    };
    Ok(Retry { max_count, strategy })
}

fn is_function_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-')
        && name.len() <= 128
        && !name.eq_ignore_ascii_case("host")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::UnsetSetting;

    fn parse(document: &Value) -> Result<Function, String> {
        let mut settings = Settings::default();
        settings.set("HUB", "telemetry".to_owned());
        parse_function("score", document, &settings, None)
    }

    #[test]
    fn an_unset_setting_disables_a_trigger_but_not_an_output() {
        let trigger = |hub: &str| json!({ "type": "eventHubTrigger", "name": "e", "direction": "in", "eventHubName": hub });
        assert!(parse(&json!({ "bindings": [trigger("%NONE%")] })).unwrap_err().contains("NONE"));
        let output = json!({ "type": "cosmosDB", "name": "d", "direction": "out",
            "databaseName": "%NONE%", "containerName": "c" });
        let function = parse(&json!({ "bindings": [trigger("%HUB%"), output] })).unwrap();
        let OutputKind::Cosmos { database, connection, .. } = &function.outputs[0].kind else { panic!() };
        assert_eq!(database, &Err(UnsetSetting("NONE".to_owned())));
        assert_eq!(connection, "CosmosDB");
    }

    #[test]
    fn only_one_http_input_and_output_may_be_forwarded() {
        let http = json!({ "type": "httpTrigger", "name": "req", "direction": "in" });
        let res = json!({ "type": "http", "name": "res", "direction": "out" });
        let info = json!({ "type": "signalRConnectionInfo", "name": "i", "direction": "in", "hubName": "h" });
        assert!(parse(&json!({ "bindings": [http, res] })).unwrap().is_http_only());
        assert!(!parse(&json!({ "bindings": [http, res, info] })).unwrap().is_http_only());
    }

    #[test]
    fn a_retry_policy_needs_its_intervals() {
        let trigger =
            json!({ "type": "timerTrigger", "name": "t", "direction": "in", "schedule": "0 * * * * *" });
        let retry = json!({ "strategy": "fixedDelay", "maxRetryCount": -1 });
        let error = parse(&json!({ "bindings": [trigger], "retry": retry })).unwrap_err();
        assert!(error.contains("delayInterval"), "{error}");
    }
}
