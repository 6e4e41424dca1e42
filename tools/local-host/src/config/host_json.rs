//! `host.json` with its `AzureFunctionsJobHost__...` overrides: text and settings enter, the checked file leaves.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use thiserror::Error;
use wire::bindings::{HostJson, InitialOffsetKind};

use super::settings::Settings;

const DEFAULT_FUNCTION_TIMEOUT: Duration = Duration::from_secs(30 * 60);
const DEFAULT_INITIALIZATION_TIMEOUT: Duration = Duration::from_secs(30);
const OVERRIDE_PREFIX: &str = "azurefunctionsjobhost__";

/// `host.json` cannot be used.
#[derive(Debug, Error)]
pub enum HostConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no JSON, or not of the shape that is known here.
    #[error("cannot parse {path}: {source}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A setting that overrides a value does not fit.
    #[error("setting `{setting}`: {source}")]
    Override {
        /// The setting.
        setting: String,
        /// Why.
        source: serde_json::Error,
    },
    /// A value is missing or wrong.
    #[error("host.json: {0}")]
    Value(&'static str),
}

/// The file with its overrides, and the host's defaults where both are silent.
#[derive(Debug, Clone)]
pub struct HostConfig {
    /// The file.
    pub json: HostJson,
    /// Limit of one invocation with its outputs; `None` is unlimited, default 30 min.
    pub function_timeout: Option<Duration>,
    /// Limit of the handler's start; default 30 s.
    pub initialization_timeout: Duration,
}

impl HostConfig {
    /// Reads `host.json` in the script root and applies the overrides among the settings.
    ///
    /// # Errors
    ///
    /// [`HostConfigError`] says which key is wrong.
    pub fn load(script_root: &Path, settings: &Settings) -> Result<Self, HostConfigError> {
        let path = script_root.join("host.json");
        let text =
            std::fs::read(&path).map_err(|source| HostConfigError::Read { path: path.clone(), source })?;
        let json = serde_json::from_slice(&text).map_err(|source| HostConfigError::Parse { path, source })?;
        Self::with_overrides(json, settings)
    }

    fn with_overrides(mut json: HostJson, settings: &Settings) -> Result<Self, HostConfigError> {
        let mut is_limited = true;
        for (name, value) in settings.iter() {
            let Some(keys) = overridden(name) else { continue };
            if keys.eq_ignore_ascii_case("functionTimeout") && value == "-1" {
                is_limited = false;
                continue;
            }
            json = with(&json, keys, value)
                .map_err(|source| HostConfigError::Override { setting: name.to_owned(), source })?;
        }
        check(&json)?;
        let timeout = json.function_timeout.map_or(DEFAULT_FUNCTION_TIMEOUT, |timeout| timeout.0);
        let start = json.custom_handler.initialization_timeout;
        Ok(Self {
            json,
            function_timeout: is_limited.then_some(timeout),
            initialization_timeout: start.map_or(DEFAULT_INITIALIZATION_TIMEOUT, |timeout| timeout.0),
        })
    }
}

fn check(json: &HostJson) -> Result<(), HostConfigError> {
    let hubs = &json.extensions.event_hubs;
    let faults = [
        (json.version != "2.0", "version: expected `2.0`"),
        (
            json.custom_handler.description.default_executable_path.is_empty(),
            "customHandler.description.defaultExecutablePath: is required",
        ),
        (hubs.max_event_batch_size == 0, "extensions.eventHubs.maxEventBatchSize: must be above 0"),
        (
            hubs.batch_checkpoint_frequency == 0,
            "extensions.eventHubs.batchCheckpointFrequency: must be above 0",
        ),
        (
            hubs.initial_offset_options.kind == InitialOffsetKind::FromEnqueuedTime,
            "extensions.eventHubs.initialOffsetOptions.type: `fromEnqueuedTime` is not imitated here",
        ),
    ];
    match faults.into_iter().find(|(is_wrong, _)| *is_wrong) {
        Some((_, fault)) => Err(HostConfigError::Value(fault)),
        None => Ok(()),
    }
}

/// The keys that a setting overrides, joined by `__`.
fn overridden(setting: &str) -> Option<&str> {
    let (prefix, keys) = setting.split_at_checked(OVERRIDE_PREFIX.len())?;
    prefix.eq_ignore_ascii_case(OVERRIDE_PREFIX).then_some(keys)
}

/// The file with one value replaced; settings are texts, also where a flag or a number is meant.
fn with(json: &HostJson, keys: &str, value: &str) -> Result<HostJson, serde_json::Error> {
    let replaced = |scalar| {
        let mut document = serde_json::to_value(json)?;
        put(&mut document, keys, scalar);
        serde_json::from_value(document)
    };
    let as_text = replaced(Value::String(value.to_owned()));
    match serde_json::from_str(&value.to_ascii_lowercase()) {
        Ok(scalar @ (Value::Bool(_) | Value::Number(_))) if as_text.is_err() => replaced(scalar),
        _ => as_text,
    }
}

/// Puts a value in its place; keys that are there already are found in any letter case, as in the host.
fn put(document: &mut Value, keys: &str, value: Value) {
    let mut target = document;
    for key in keys.split("__").flat_map(|part| part.split(':')) {
        if !target.is_object() {
            *target = Value::Object(serde_json::Map::new());
        }
        let Some(fields) = target.as_object_mut() else { return };
        let known = KEYS_WITHOUT_DEFAULT.iter().copied().map(str::to_owned);
        let existing = fields.keys().cloned().chain(known).find(|name| name.eq_ignore_ascii_case(key));
        target = fields.entry(existing.unwrap_or_else(|| key.to_owned())).or_insert(Value::Null);
    }
    *target = value;
}

/// Keys that are not there when nothing is said.
const KEYS_WITHOUT_DEFAULT: [&str; 2] = ["functionTimeout", "initializationTimeout"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(overrides: &[(&str, &str)]) -> Result<HostConfig, String> {
        let document = json!({ "version": "2.0", "customHandler": {
            "description": { "defaultExecutablePath": "handler" }, "enableForwardingHttpRequest": true } });
        let mut settings = Settings::default();
        for (name, value) in overrides {
            settings.set(name, (*value).to_owned());
        }
        let json = serde_json::from_value(document).unwrap();
        HostConfig::with_overrides(json, &settings).map_err(|error| error.to_string())
    }

    #[test]
    fn overrides_replace_values_in_any_letter_case() {
        let config = config(&[
            ("AzureFunctionsJobHost__FunctionTimeout", "00:00:10"),
            ("azurefunctionsjobhost__extensions__http__routeprefix", ""),
            ("AzureFunctionsJobHost__extensions__eventHubs__maxEventBatchSize", "7"),
            ("AzureFunctionsJobHost__customHandler__enableForwardingHttpRequest", "False"),
        ])
        .unwrap();
        assert_eq!(config.function_timeout, Some(Duration::from_secs(10)));
        assert_eq!(config.json.extensions.http.route_prefix, "");
        assert_eq!(config.json.extensions.event_hubs.max_event_batch_size, 7);
        assert!(!config.json.custom_handler.enable_forwarding_http_request);
    }

    #[test]
    fn the_hosts_defaults_count_where_nothing_is_said() {
        let config = config(&[]).unwrap();
        assert_eq!(config.function_timeout, Some(DEFAULT_FUNCTION_TIMEOUT));
        assert_eq!(config.initialization_timeout, DEFAULT_INITIALIZATION_TIMEOUT);
        assert_eq!(config.json.extensions.http.route_prefix, "api");
        assert_eq!(
            self::config(&[("AzureFunctionsJobHost__functionTimeout", "-1")]).unwrap().function_timeout,
            None
        );
    }

    #[test]
    fn says_what_is_wrong() {
        for (key, value, complaint) in [
            ("functionTimeout", "soon", "soon"),
            ("extensions__eventHubs__batchCheckpointFrequency", "0", "batchCheckpointFrequency"),
            ("extensions__eventHubs__initialOffsetOptions__type", "fromEnqueuedTime", "fromEnqueuedTime"),
            ("extensions__eventHubs__prefetchCount", "-5", "prefetchCount`: invalid value: integer `-5`"),
            ("retry__strategy", "fixedDelay", "retry"),
            ("version", "1", "version"),
        ] {
            let error = config(&[(&format!("AzureFunctionsJobHost__{key}"), value)]).unwrap_err();
            assert!(error.contains(complaint), "{error}");
        }
    }
}
