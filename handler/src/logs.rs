//! Structured logs, one JSON object a line, on standard output: the host makes errors of what comes on the other one.

use tracing_subscriber::EnvFilter;

/// Starts logging at a level; a second call changes nothing.
pub fn start(level: &str) {
    // Libraries speak up from warnings on, whatever is asked of us.
    let filter = EnvFilter::new(format!("warn,handler={level}"));
    let logs = tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter);
    if logs.with_writer(std::io::stdout).try_init().is_err() {
        tracing::debug!("logs were started before");
    }
}
