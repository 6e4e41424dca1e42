use std::path::{Path, PathBuf};

use wire::bindings::{Cardinality, DataType, FunctionJson, HostJson, NotEventBatches, required_settings};

use crate::recordings;

fn app_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn own_functions() -> Vec<(String, FunctionJson)> {
    let mut functions = Vec::new();
    for entry in std::fs::read_dir(app_root().join("functions")).expect("the folder of functions") {
        let folder = entry.expect("an entry").path();
        let json = std::fs::read_to_string(folder.join("function.json")).expect("a function.json");
        let function =
            serde_json::from_str(&json).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        functions.push((folder.file_name().expect("a name").to_string_lossy().into_owned(), function));
    }
    functions
}

#[test]
fn every_recorded_function_is_read_and_written_the_same() {
    let mut n_functions = 0;
    for exchange in recordings::all() {
        let json = &exchange.json["function_json"];
        let function: FunctionJson =
            serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{}: {error}", exchange.id));
        assert_eq!(&serde_json::to_value(&function).expect("json"), json, "{}", exchange.id);
        assert_eq!(function.is_forwarded(), exchange.is_forwarded(), "{}", exchange.id);
        assert!(function.trigger().is_some(), "{}", exchange.id);
        n_functions += 1;
    }
    assert_eq!(n_functions, 332);
}

#[test]
fn this_apps_functions_are_read_and_written_the_same() {
    let functions = own_functions();
    assert!(functions.len() >= 7, "{}", functions.len());
    for (name, function) in &functions {
        let path = app_root().join("functions").join(name).join("function.json");
        let json: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).expect("text")).expect("json");
        assert_eq!(serde_json::to_value(function).expect("json"), json, "{name}");
        assert!(function.trigger().is_some(), "{name}");
    }
    let (_, scoring) = functions.iter().find(|(name, _)| name == "score_telemetry").expect("score_telemetry");
    assert_eq!(scoring.check_event_batches(), Ok(()));
    let needed: Vec<String> =
        required_settings(scoring).into_iter().map(|setting| setting.any_of[0].clone()).collect();
    assert_eq!(
        needed,
        [
            "EventHubConnection",
            "TELEMETRY_HUB",
            "TELEMETRY_CONSUMER_GROUP",
            "CosmosDBConnection",
            "AzureSignalRConnectionString"
        ]
    );
}

#[test]
fn this_apps_host_json_is_read() {
    let json = std::fs::read_to_string(app_root().join("host.json")).expect("host.json");
    let host: HostJson = serde_json::from_str(&json).expect("host.json");
    assert_eq!(host.version, "2.0");
    assert_eq!(host.custom_handler.description.default_executable_path, "handler");
    assert!(host.custom_handler.enable_forwarding_http_request);
    assert_eq!(host.function_timeout.map(|span| span.0.as_secs()), Some(180));
    assert_eq!(host.extensions.event_hubs.max_event_batch_size, 512);
    assert_eq!(host.extensions.http.route_prefix, "");
}

#[test]
fn misspelled_keys_and_unknown_bindings_are_errors() {
    for json in [
        r#"{"bindings":[],"retries":{}}"#,
        r#"{"bindings":[{"type":"http","direction":"out","name":"res","colour":1}]}"#,
        r#"{"bindings":[{"type":"queue","direction":"out","name":"q"}]}"#,
        r#"{"bindings":[],"retry":{"strategy":"fixedDelay","maxRetryCount":1}}"#,
        r#"{"bindings":[],"retry":{"strategy":"fixedDelay","maxRetryCount":1,"delayInterval":"1s"}}"#,
        r#"{"bindings":[],"retry":{"strategy":"fixedDelay","maxRetryCount":1,"delayInterval":"00:00:01","x":1}}"#,
    ] {
        assert!(serde_json::from_str::<FunctionJson>(json).is_err(), "{json}");
    }
    assert!(serde_json::from_str::<HostJson>(r#"{"version":"2.0","customHandlers":{}}"#).is_err());
}

#[test]
fn only_batches_of_texts_pass() {
    let function = |cardinality: Option<Cardinality>, data_type: Option<DataType>| {
        let mut json = serde_json::json!({"bindings": [{
            "type": "eventHubTrigger", "direction": "in", "name": "events", "eventHubName": "h", "connection": "c"
        }]});
        let trigger = &mut json["bindings"][0];
        if let Some(cardinality) = cardinality {
            trigger["cardinality"] = serde_json::to_value(cardinality).expect("json");
        }
        if let Some(data_type) = data_type {
            trigger["dataType"] = serde_json::to_value(data_type).expect("json");
        }
        serde_json::from_value::<FunctionJson>(json).expect("a function").check_event_batches()
    };
    assert_eq!(function(Some(Cardinality::Many), Some(DataType::String)), Ok(()));
    assert_eq!(function(Some(Cardinality::Many), Some(DataType::Binary)), Err(NotEventBatches::DataType));
    assert_eq!(function(Some(Cardinality::Many), None), Err(NotEventBatches::DataType));
    assert_eq!(function(None, Some(DataType::String)), Err(NotEventBatches::Cardinality));
}
