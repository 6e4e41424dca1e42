//! The runtime behind `ort`, chosen once for the process: tract, which is Rust alone and needs nothing installed.

use std::sync::{Mutex, OnceLock, PoisonError};

use ort::environment::Environment;

static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
static STARTING: Mutex<()> = Mutex::new(());

/// The process's only environment, made on first use.
pub(crate) fn environment() -> Result<&'static Environment, ort::Error> {
    let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = ENVIRONMENT.get() {
        return Ok(environment);
    }
    // Before any other call, or `ort` goes looking for Microsoft's library.
    ort::set_api(ort_tract::api());
    let environment = ort::init().with_name("autoencoder").with_telemetry(false).build()?;
    Ok(ENVIRONMENT.get_or_init(|| environment))
}
