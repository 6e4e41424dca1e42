//! `host.json` with its `AzureFunctionsJobHost__...` overrides: text and settings enter, the values that the local host honors leave.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use thiserror::Error;

use super::settings::Settings;
use super::time_span::parse_time_span;

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
    /// The file is no JSON.
    #[error("cannot parse {path}: {source}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A value is missing or wrong.
    #[error("host.json: {key}: {reason}")]
    Value {
        /// Path of the key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Where a partition is read from when no checkpoint exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitialOffset {
    /// The oldest event; the default.
    Start,
    /// Only events that arrive after the first start.
    End,
}

/// The part of `host.json` that is honored.
#[derive(Debug, Clone)]
pub struct HostConfig {
    /// Program of the handler, as written.
    pub executable: String,
    /// Arguments of the handler.
    pub arguments: Vec<String>,
    /// Working directory of the handler, relative to the script root; empty for the script root itself.
    pub working_directory: String,
    /// Whether stderr lines are errors unless they say "warn"; default true.
    pub stderr_is_error: bool,
    /// Whether functions with exactly one HTTP input and one HTTP output get the caller's request itself.
    pub forward_http: bool,
    /// Limit of the handler's start; default 30 s.
    pub initialization_timeout: Duration,
    /// Limit of one invocation with its outputs; `None` is unlimited, default 30 min.
    pub function_timeout: Option<Duration>,
    /// Prefix of all HTTP routes, default `api`.
    pub route_prefix: String,
    /// Events in one invocation at most, default 100.
    pub max_event_batch_size: usize,
    /// Checkpoint every so many batches, default 1.
    pub batch_checkpoint_frequency: u32,
    /// Where to start without a checkpoint.
    pub initial_offset: InitialOffset,
    /// Only these functions, if any are named.
    pub functions: Vec<String>,
    /// Retry policy of functions without one of their own.
    pub retry: Option<Value>,
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
        let mut document: Value =
            serde_json::from_slice(&text).map_err(|source| HostConfigError::Parse { path, source })?;
        for (name, value) in settings.iter() {
            apply_override(&mut document, name, value);
        }
        Self::from_document(&document)
    }

    fn from_document(document: &Value) -> Result<Self, HostConfigError> {
        if text(document, "version")?.as_deref() != Some("2.0") {
            return Err(wrong("version", "expected `2.0`"));
        }
        let batch = number(document, "extensions.eventHubs.maxEventBatchSize")?
            .or(number(document, "extensions.eventHubs.maxBatchSize")?)
            .unwrap_or(100);
        if batch == 0 {
            return Err(wrong("extensions.eventHubs.maxEventBatchSize", "must be above 0"));
        }
        Ok(Self {
            executable: text(document, "customHandler.description.defaultExecutablePath")?
                .filter(|path| !path.is_empty())
                .ok_or_else(|| wrong("customHandler.description.defaultExecutablePath", "is required"))?,
            arguments: strings(document, "customHandler.description.arguments"),
            working_directory: text(document, "customHandler.description.workingDirectory")?
                .unwrap_or_default(),
            stderr_is_error: flag(document, "customHandler.description.useStdErrorStreamForErrorsOnly")?
                .unwrap_or(true),
            forward_http: flag(document, "customHandler.enableForwardingHttpRequest")?.unwrap_or(false),
            initialization_timeout: span(document, "customHandler.initializationTimeout")?
                .unwrap_or(DEFAULT_INITIALIZATION_TIMEOUT),
            function_timeout: function_timeout(document)?,
            route_prefix: text(document, "extensions.http.routePrefix")?.unwrap_or_else(|| "api".to_owned()),
            max_event_batch_size: usize::try_from(batch).unwrap_or(usize::MAX),
            batch_checkpoint_frequency: match number(
                document,
                "extensions.eventHubs.batchCheckpointFrequency",
            )? {
                None => 1,
                Some(0) => {
                    return Err(wrong("extensions.eventHubs.batchCheckpointFrequency", "must be above 0"));
                }
                Some(frequency) => u32::try_from(frequency).unwrap_or(u32::MAX),
            },
            initial_offset: initial_offset(document)?,
            functions: strings(document, "functions"),
            retry: find(document, "retry").cloned(),
        })
    }
}

fn function_timeout(document: &Value) -> Result<Option<Duration>, HostConfigError> {
    match text(document, "functionTimeout")?.as_deref() {
        None | Some("") => Ok(Some(DEFAULT_FUNCTION_TIMEOUT)),
        Some("-1") => Ok(None),
        Some(_) => span(document, "functionTimeout"),
    }
}

fn initial_offset(document: &Value) -> Result<InitialOffset, HostConfigError> {
    let key = "extensions.eventHubs.initialOffsetOptions.type";
    match text(document, key)?.as_deref() {
        None | Some("fromStart") => Ok(InitialOffset::Start),
        Some("fromEnd") => Ok(InitialOffset::End),
        Some(other) => Err(wrong(key, &format!("`{other}` is not imitated here"))),
    }
}

/// Follows a path of keys, in any letter case, as the host's configuration does.
fn find<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = document;
    for key in path.split('.') {
        let fields = value.as_object()?;
        value = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(key))?.1;
    }
    Some(value).filter(|value| !value.is_null())
}

fn apply_override(document: &mut Value, name: &str, value: &str) {
    let lower = name.to_ascii_lowercase();
    if !lower.starts_with(OVERRIDE_PREFIX) {
        return;
    }
    let mut target = document;
    for key in name[OVERRIDE_PREFIX.len()..].split("__").flat_map(|part| part.split(':')) {
        if !target.is_object() {
            *target = Value::Object(serde_json::Map::new());
        }
        let Some(fields) = target.as_object_mut() else { return };
        let existing = fields.keys().find(|name| name.eq_ignore_ascii_case(key)).cloned();
        target = fields.entry(existing.unwrap_or_else(|| key.to_owned())).or_insert(Value::Null);
    }
    *target = Value::String(value.to_owned());
}

fn text(document: &Value, key: &str) -> Result<Option<String>, HostConfigError> {
    match find(document, key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(wrong(key, "expected a string")),
    }
}

fn flag(document: &Value, key: &str) -> Result<Option<bool>, HostConfigError> {
    match find(document, key) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(_) => Err(wrong(key, "expected true or false")),
    }
}

fn number(document: &Value, key: &str) -> Result<Option<u64>, HostConfigError> {
    let parsed = match find(document, key) {
        None => return Ok(None),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    parsed.map(Some).ok_or_else(|| wrong(key, "expected a whole number"))
}

fn span(document: &Value, key: &str) -> Result<Option<Duration>, HostConfigError> {
    match text(document, key)? {
        None => Ok(None),
        Some(text) => match parse_time_span(&text) {
            Ok(span) => Ok(Some(span)),
            Err(error) => Err(wrong(key, &error.to_string())),
        },
    }
}

fn strings(document: &Value, key: &str) -> Vec<String> {
    match find(document, key) {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn wrong(key: &str, reason: &str) -> HostConfigError {
    HostConfigError::Value { key: key.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_replace_values_in_any_letter_case() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"version": "2.0", "functionTimeout": "00:03:00",
            "customHandler": {"description": {"defaultExecutablePath": "handler"}}}"#;
        std::fs::write(folder.path().join("host.json"), text).unwrap();
        let mut settings = Settings::default();
        settings.set("AzureFunctionsJobHost__FunctionTimeout", "00:00:10".to_owned());
        settings.set("AzureFunctionsJobHost__extensions__http__routePrefix", String::new());
        settings.set("AzureFunctionsJobHost__extensions__eventHubs__maxEventBatchSize", "7".to_owned());
        let config = HostConfig::load(folder.path(), &settings).unwrap();
        assert_eq!(config.function_timeout, Some(Duration::from_secs(10)));
        assert_eq!(config.route_prefix, "");
        assert_eq!(config.max_event_batch_size, 7);
        assert!(!config.forward_http);
    }

    #[test]
    fn says_which_key_is_wrong() {
        let document = serde_json::json!({ "version": "2.0", "functionTimeout": "soon",
            "customHandler": { "description": { "defaultExecutablePath": "handler" } } });
        let error = HostConfig::from_document(&document).unwrap_err().to_string();
        assert!(error.contains("functionTimeout") && error.contains("soon"), "{error}");
    }
}
