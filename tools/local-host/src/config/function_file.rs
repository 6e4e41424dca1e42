//! `function.json` of every folder directly below the script root: text enters, a checked function or the reason why it is left out leaves.

use std::path::Path;

use wire::bindings::{Binding, Cardinality, DataType, Direction, FunctionJson};

use super::function::{
    ConnectionInfoInput, EventHubTrigger, Function, HttpTrigger, Output, OutputKind, TimerTrigger, Trigger,
};
use super::settings::Settings;

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
pub fn load_functions(script_root: &Path, settings: &Settings) -> std::io::Result<Load> {
    let mut load = Load::default();
    let mut folders: Vec<_> = std::fs::read_dir(script_root)?.filter_map(Result::ok).collect();
    folders.sort_by_key(std::fs::DirEntry::file_name);
    for folder in folders {
        let Ok(text) = std::fs::read(folder.path().join("function.json")) else { continue };
        let name = folder.file_name().to_string_lossy().into_owned();
        let parsed = match serde_json::from_slice(&text) {
            Ok(document) => parse_function(&name, document, settings),
            Err(error) => Err(format!("function.json: {error}")),
        };
        match parsed {
            Ok(function) => load.functions.push(function),
            Err(reason) => load.disabled.push((name, reason)),
        }
    }
    Ok(load)
}

/// Checks one function's file and puts settings in place of their names.
///
/// # Errors
///
/// Why the function is left out.
pub fn parse_function(name: &str, document: FunctionJson, settings: &Settings) -> Result<Function, String> {
    if !is_function_name(name) {
        return Err("a function name is a letter, then letters, digits, `_` and `-`".to_owned());
    }
    let mut triggers = Vec::new();
    let mut inputs = Vec::new();
    let mut outputs = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for binding in document.bindings {
        let (name, direction) = (binding.name().to_owned(), binding.direction());
        if names.iter().any(|other| other.eq_ignore_ascii_case(&name)) {
            return Err(format!("two bindings are named `{name}`"));
        }
        match (resolve(binding, settings)?, direction) {
            (Part::Trigger(trigger), Direction::In) => triggers.push((name.clone(), trigger)),
            (Part::Input(input), Direction::In) => inputs.push(input),
            (Part::Output(kind), Direction::Out) => outputs.push(Output { name: name.clone(), kind }),
            _ => return Err(format!("binding `{name}` goes the wrong way")),
        }
        names.push(name);
    }
    let (trigger_name, trigger) = triggers.pop().ok_or("there is no trigger")?;
    if !triggers.is_empty() {
        return Err("there is more than one trigger".to_owned());
    }
    Ok(Function { name: name.to_owned(), trigger_name, trigger, inputs, outputs, retry: document.retry })
}

enum Part {
    Trigger(Trigger),
    Input(ConnectionInfoInput),
    Output(OutputKind),
}

/// A missing setting disables a trigger, and the calls of an output or input.
fn resolve(binding: Binding, settings: &Settings) -> Result<Part, String> {
    let resolved = |text: &str| settings.resolve(text).map_err(|unset| unset.to_string());
    Ok(match binding {
        Binding::EventHubTrigger(binding) => Part::Trigger(Trigger::EventHub(EventHubTrigger {
            hub: resolved(&binding.event_hub_name)?,
            consumer_group: resolved(binding.consumer_group.as_deref().unwrap_or("$Default"))?,
            cardinality: binding.cardinality.unwrap_or(Cardinality::One),
            data_type: match binding.data_type {
                Some(DataType::Stream) => return Err("dataType `stream` does not bind".to_owned()),
                other => other,
            },
        })),
        Binding::HttpTrigger(binding) => Part::Trigger(Trigger::Http(HttpTrigger {
            route: resolved(binding.route.as_deref().unwrap_or_default())?,
            methods: binding.methods.into_iter().flatten().map(|name| name.to_ascii_uppercase()).collect(),
        })),
        Binding::TimerTrigger(binding) => Part::Trigger(Trigger::Timer(TimerTrigger {
            schedule: resolved(&binding.schedule)?,
            run_on_startup: binding.run_on_startup.unwrap_or(false),
            use_monitor: binding.use_monitor.unwrap_or(true),
        })),
        Binding::SignalRConnectionInfo(binding) => Part::Input(ConnectionInfoInput {
            name: binding.name,
            hub: settings.resolve(&binding.hub_name),
            connection: binding.connection_string_setting,
            user_id: binding.user_id,
        }),
        Binding::Http(_) => Part::Output(OutputKind::Http),
        Binding::CosmosDb(binding) => Part::Output(OutputKind::Cosmos {
            database: settings.resolve(&binding.database_name),
            container: settings.resolve(&binding.container_name),
            connection: binding.connection,
            partition_key: binding.partition_key,
        }),
        Binding::SignalR(binding) => Part::Output(OutputKind::SignalR {
            hub: settings.resolve(&binding.hub_name),
            connection: binding.connection_string_setting,
        }),
    })
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
    use serde_json::{Value, json};

    use super::*;
    use crate::config::UnsetSetting;

    fn parse(document: Value) -> Result<Function, String> {
        let mut settings = Settings::default();
        settings.set("HUB", "telemetry".to_owned());
        let document = serde_json::from_value(document).map_err(|error| error.to_string())?;
        parse_function("score", document, &settings)
    }

    #[test]
    fn an_unset_setting_disables_a_trigger_but_not_an_output() {
        let trigger = |hub: &str| json!({ "type": "eventHubTrigger", "name": "e", "direction": "in", "eventHubName": hub, "connection": "C" });
        assert!(parse(json!({ "bindings": [trigger("%NONE%")] })).unwrap_err().contains("NONE"));
        let output = json!({ "type": "cosmosDB", "name": "d", "direction": "out", "connection": "C",
            "databaseName": "%NONE%", "containerName": "c" });
        let function = parse(json!({ "bindings": [trigger("%HUB%"), output] })).unwrap();
        let OutputKind::Cosmos { database, .. } = &function.outputs[0].kind else { panic!() };
        assert_eq!(database, &Err(UnsetSetting("NONE".to_owned())));
        let Trigger::EventHub(trigger) = &function.trigger else { panic!() };
        assert_eq!((trigger.hub.as_str(), trigger.consumer_group.as_str()), ("telemetry", "$Default"));
        assert_eq!(trigger.cardinality, Cardinality::One, "what the host assumes");
    }

    #[test]
    fn only_one_http_input_and_output_may_be_forwarded() {
        let http = json!({ "type": "httpTrigger", "name": "req", "direction": "in" });
        let res = json!({ "type": "http", "name": "res", "direction": "out" });
        let info = json!({ "type": "signalRConnectionInfo", "name": "i", "direction": "in", "hubName": "h" });
        assert!(parse(json!({ "bindings": [http, res] })).unwrap().is_http_only());
        assert!(!parse(json!({ "bindings": [http, res, info] })).unwrap().is_http_only());
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        let timer =
            json!({ "type": "timerTrigger", "name": "t", "direction": "in", "schedule": "0 * * * * *" });
        let res = |name: &str, way: &str| json!({ "type": "http", "name": name, "direction": way });
        let retry = json!({ "strategy": "fixedDelay", "maxRetryCount": -1 });
        let blob = json!({ "type": "blob", "name": "b", "direction": "in" });
        for (document, complaint) in [
            (json!({ "bindings": [timer], "retry": retry }), "delayInterval"),
            (json!({ "bindings": [timer, res("T", "out")] }), "named `T`"),
            (json!({ "bindings": [timer, res("res", "in")] }), "`res` goes the wrong way"),
            (json!({ "bindings": [timer, blob] }), "blob"),
            (json!({ "bindings": [res("res", "out")] }), "no trigger"),
            (json!({ "bindings": [timer], "retries": 3 }), "retries"),
        ] {
            let error = parse(document).unwrap_err();
            assert!(error.contains(complaint), "{error}");
        }
    }
}
