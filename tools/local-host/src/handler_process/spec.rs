//! What it takes to start the handler: `host.json` and settings enter, program, arguments and environment leave.

use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

use crate::config::{HostConfig, Settings};

/// What is needed to start the handler.
#[derive(Debug, Clone)]
pub struct HandlerSpec {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) working_directory: PathBuf,
    pub(super) environment: Vec<(String, String)>,
    pub(super) initialization_timeout: Duration,
    pub(super) port: u16,
    pub(super) restart_on_exit_0: bool,
}

impl HandlerSpec {
    /// The handler of a script root, to listen on `port`.
    #[must_use]
    pub fn new(
        script_root: &Path,
        config: &HostConfig,
        settings: &Settings,
        port: u16,
        restart_on_exit_0: bool,
    ) -> Self {
        let description = &config.json.custom_handler.description;
        let executable = expand(&description.default_executable_path, settings);
        let in_root = script_root.join(&executable);
        let program = if in_root.is_file() { in_root } else { PathBuf::from(executable) };
        let worker_id = Uuid::new_v4().to_string();
        let mut environment: Vec<(String, String)> =
            settings.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        for (name, value) in [
            ("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string()),
            ("FUNCTIONS_HTTPWORKER_PORT", port.to_string()),
            ("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", worker_id.clone()),
            ("FUNCTIONS_HTTPWORKER_ID", worker_id),
            ("FUNCTIONS_APP_ROOT_PATH", script_root.display().to_string()),
        ] {
            environment.push((name.to_owned(), value));
        }
        // The host joins arguments without quoting, so one with a space becomes several.
        let arguments = description.arguments.iter().map(|argument| expand(argument, settings));
        let arguments =
            arguments.collect::<Vec<_>>().join(" ").split_whitespace().map(str::to_owned).collect();
        Self {
            program,
            arguments,
            working_directory: script_root.join(&description.working_directory),
            environment,
            initialization_timeout: config.initialization_timeout,
            port,
            restart_on_exit_0,
        }
    }
}

/// `%NAME%` is replaced, an unset one by nothing.
fn expand(text: &str, settings: &Settings) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        let Some((name, tail)) = after.split_once('%') else { break };
        expanded.push_str(before);
        expanded.push_str(settings.get(name).unwrap_or_default());
        rest = tail;
    }
    expanded.push_str(rest);
    expanded
}
