//! `functions/`, the handler's modules and `host.json` agree.

use std::collections::BTreeSet;
use std::fs;

use wire::bindings::{AuthLevel, Binding, Direction, FunctionJson, HostJson, RetryPolicy};

use crate::repository::{functions, read, root};

/// Paths that the host keeps for itself: a route below them would never be called.
const HOST_PATHS: [&str; 2] = ["admin", "runtime"];

fn host() -> HostJson {
    serde_json::from_str(&read("host.json")).expect("host.json has only what is known")
}

fn declared() -> Vec<(String, FunctionJson)> {
    let declarations = functions().into_iter().map(|name| {
        let text = read(&format!("functions/{name}/function.json"));
        let declaration =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("functions/{name}: {error}"));
        (name, declaration)
    });
    declarations.collect()
}

/// Names of the handler's modules of functions.
fn modules() -> BTreeSet<String> {
    let text = read("handler/src/functions/mod.rs");
    let declarations = text.lines().filter_map(|line| {
        let (_, rest) = line.split_once("mod ")?;
        let declares = !line.trim_start().starts_with("//");
        Some(rest.strip_suffix(';')?.to_owned()).filter(|_| declares)
    });
    declarations.collect()
}

#[test]
fn a_function_s_folder_holds_function_json_alone() {
    for name in functions() {
        let files: Vec<_> = fs::read_dir(root().join("functions").join(&name))
            .expect("a function is a folder")
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(files, ["function.json"], "functions/{name}");
    }
}

#[test]
fn every_function_has_a_module_of_its_name() {
    let modules = modules();
    for name in functions() {
        assert!(modules.contains(&name), "handler/src/functions/mod.rs has no `mod {name};`");
        let file = root().join(format!("handler/src/functions/{name}.rs"));
        let folder = root().join(format!("handler/src/functions/{name}/mod.rs"));
        assert!(file.is_file() || folder.is_file(), "the module `{name}` has no file");
    }
}

#[test]
fn every_function_is_verb_noun_and_has_one_trigger() {
    for (name, function) in declared() {
        let words: Vec<&str> = name.split('_').collect();
        let lower = words.iter().all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase()));
        assert!(lower && (words.len() > 1 || name == "negotiate"), "`{name}` is not verb_noun");
        assert!(function.trigger().is_some(), "`{name}` needs exactly one trigger");
    }
}

#[test]
fn bindings_have_the_names_that_the_handler_uses() {
    for (function, declaration) in declared() {
        for binding in &declaration.bindings {
            let (name, direction) = match binding {
                Binding::EventHubTrigger(_) => ("events", Direction::In),
                Binding::CosmosDb(_) => ("documents", Direction::Out),
                Binding::SignalR(_) => ("live", Direction::Out),
                Binding::SignalRConnectionInfo(_) => ("connectionInfo", Direction::In),
                Binding::HttpTrigger(_) => ("req", Direction::In),
                Binding::Http(_) => ("res", Direction::Out),
                Binding::TimerTrigger(_) => ("timer", Direction::In),
            };
            assert_eq!((binding.name(), binding.direction()), (name, direction), "in `{function}`");
        }
    }
}

#[test]
fn scoring_gets_batches_of_texts_and_never_gives_up() {
    let (_, scoring) =
        declared().into_iter().find(|(name, _)| name == "score_telemetry").expect("score_telemetry");
    assert_eq!(scoring.check_event_batches(), Ok(()));
    // A batch that failed once too often is lost: the host checkpoints it all the same.
    match scoring.retry {
        Some(RetryPolicy::ExponentialBackoff { max_retry_count, .. }) => assert_eq!(max_retry_count, -1),
        other => panic!("score_telemetry is retried as {other:?}"),
    }
}

#[test]
fn routes_are_distinct_and_the_handler_decides_who_may_call() {
    let mut routes = BTreeSet::new();
    for (name, function) in declared() {
        let Some(Binding::HttpTrigger(http)) = function.trigger() else { continue };
        assert_eq!(http.auth_level, Some(AuthLevel::Anonymous), "`{name}`: a browser has no function keys");
        let route = http.route.as_deref().unwrap_or_default().to_lowercase();
        let below = route.split('/').next().unwrap_or_default();
        assert!(below == "api" || route == "{*path}", "`{name}` has the route `{route}`");
        assert!(!HOST_PATHS.contains(&below), "`{name}`: the host keeps /{below} for itself");
        let methods = http.methods.clone().unwrap_or_default();
        assert!(!methods.is_empty(), "`{name}` takes every method");
        for method in methods {
            assert!(routes.insert((method.clone(), route.clone())), "`{method} {route}` is there twice");
        }
    }
}

#[test]
fn documents_and_live_messages_go_to_one_place() {
    for (name, function) in declared() {
        for binding in &function.bindings {
            match binding {
                Binding::CosmosDb(cosmos) => {
                    assert_eq!(
                        (&*cosmos.database_name, &*cosmos.container_name),
                        ("AnomalyDB", "Results"),
                        "{name}"
                    );
                }
                Binding::SignalR(live) => assert_eq!(live.hub_name, "telemetry", "{name}"),
                Binding::SignalRConnectionInfo(info) => assert_eq!(info.hub_name, "telemetry", "{name}"),
                _ => {}
            }
        }
    }
}

#[test]
fn the_host_starts_the_handler_and_gives_up_on_it_late() {
    let host = host();
    // Publishing makes a file executable only if its path is this text.
    assert_eq!(host.custom_handler.description.default_executable_path, "handler");
    assert!(host.custom_handler.enable_forwarding_http_request);
    // Above the 100 s of a silent SignalR service and the 140 s of a Cosmos DB that cannot be reached.
    let timeout = host.function_timeout.expect("functionTimeout is set").0;
    assert!(timeout.as_secs() >= 140 + 20, "functionTimeout is {timeout:?}");
    // Without a bundle, publishing builds extensions into the app.
    assert!(host.extension_bundle.is_some());
    // The catch-all route must reach `/`.
    assert_eq!(host.extensions.http.route_prefix, "");
    let hub = &host.extensions.event_hubs;
    assert!(hub.prefetch_count >= hub.max_event_batch_size, "a batch would never be full");
    assert_eq!(hub.batch_checkpoint_frequency, 1);
    // Above one, two calls of one partition could overlap.
    assert_eq!(hub.min_event_batch_size, 1);
    let levels = host.logging.expect("logging is set").log_level;
    assert_eq!(
        levels.get("Host.Function.Console").map(String::as_str),
        Some("Information"),
        "the handler's output"
    );
}
