//! What the files of the script root say: how long a call may take, and which settings functions need.
//!
//! The host notices a missing setting only when each call has failed already, so it is noticed here.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use wire::bindings::{Binding, FunctionJson, TimeSpan};

use super::reader::Reader;

/// The handler's own limit of an invocation.
const LONGEST_DEADLINE: Duration = Duration::from_secs(20);
/// The handler's own limit of a call that tells people: mail servers take their time.
const LONGEST_PATIENCE: Duration = Duration::from_secs(100);
/// Share of the host's `functionTimeout` that the handler uses at most: outputs need the rest.
const SHARE_OF_TIMEOUT: f64 = 0.6;
/// The host's `functionTimeout` where nothing says otherwise: the shorter of its defaults.
const DEFAULT_FUNCTION_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// The shortest `functionTimeout` in which anything can be done.
const SHORTEST_FUNCTION_TIMEOUT: Duration = Duration::from_secs(1);
/// Variable that overrides `host.json`.
const OVERRIDE: &str = "AzureFunctionsJobHost__functionTimeout";
/// How the host writes that there is no limit.
const UNLIMITED: &str = "-1";

/// `host.json`, of which the handler needs one thing; the rest is between its author and the host.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Host {
    function_timeout: Option<String>,
}

/// How long the handler may take for most calls, and for those that tell people, both well below the host's
/// `functionTimeout`.
pub(super) fn limits(reader: &mut Reader<'_>, script_root: &Path) -> (Duration, Duration) {
    let from_file = match host_timeout(script_root) {
        Ok(timeout) => timeout,
        Err(fault) => {
            reader.fault(fault);
            None
        }
    };
    let said = match reader.text(OVERRIDE) {
        Some(text) => Some((OVERRIDE, text)),
        None => from_file.map(|text| ("host.json: functionTimeout", text)),
    };
    let timeout = match said {
        Some((name, text)) if text != UNLIMITED => timeout(reader, name, &text),
        _ => DEFAULT_FUNCTION_TIMEOUT,
    };
    let share = timeout.mul_f64(SHARE_OF_TIMEOUT);
    (share.min(LONGEST_DEADLINE), share.min(LONGEST_PATIENCE))
}

fn timeout(reader: &mut Reader<'_>, name: &str, text: &str) -> Duration {
    match text.parse::<TimeSpan>() {
        Ok(TimeSpan(timeout)) if timeout >= SHORTEST_FUNCTION_TIMEOUT => timeout,
        Ok(_) => {
            reader.fault(format!("{name}: `{text}` is too short for any call; write a second at least"));
            DEFAULT_FUNCTION_TIMEOUT
        }
        Err(error) => {
            reader.fault(format!("{name}: {error}"));
            DEFAULT_FUNCTION_TIMEOUT
        }
    }
}

/// What `host.json` says; a script root without one has no host, and nothing to say.
fn host_timeout(script_root: &Path) -> Result<Option<String>, String> {
    let json = match std::fs::read(script_root.join("host.json")) {
        Ok(json) => json,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("host.json: cannot be read: {error}")),
    };
    // The host takes files that begin with a byte order mark.
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&json);
    let host: Host = serde_json::from_slice(json).map_err(|error| format!("host.json: {error}"))?;
    Ok(host.function_timeout)
}

/// Checks that every function's declaration can be read, and that the settings which it names are there.
pub(super) fn check_functions(reader: &mut Reader<'_>, script_root: &Path) {
    let entries = match std::fs::read_dir(script_root) {
        Ok(entries) => entries,
        Err(error) => {
            let root = script_root.display();
            reader.fault(format!("FUNCTIONS_APP_ROOT_PATH: cannot read folder `{root}`: {error}"));
            return;
        }
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path().join("function.json"))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    for file in files {
        check_function(reader, &file);
    }
}

fn check_function(reader: &mut Reader<'_>, file: &Path) {
    let name = file.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let function = std::fs::read(file)
        .map_err(|error| error.to_string())
        .and_then(|json| serde_json::from_slice::<FunctionJson>(&json).map_err(|error| error.to_string()));
    let function = match function {
        Ok(function) => function,
        Err(error) => {
            reader.fault(format!("{name}/function.json: {error}"));
            return;
        }
    };
    if matches!(function.trigger(), Some(Binding::EventHubTrigger(_)))
        && let Err(error) = function.check_event_batches()
    {
        reader.fault(format!("{name}/function.json: {error}"));
    }
    for required in wire::bindings::required_settings(&function) {
        if !required.is_set(|setting| reader.text(setting)) {
            let names = required.any_of.join(" or ");
            reader.fault(format!("{names}: not set, and {name}/function.json needs it"));
        }
    }
}
