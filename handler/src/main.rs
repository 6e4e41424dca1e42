//! The custom handler: one process that serves every function of the app.

use std::process::ExitCode;

use handler::app::App;
use handler::check;
use handler::lifecycle;
use handler::logs;
use handler::settings::Settings;

/// Exit code for wrong settings or arguments, as in BSD's `sysexits.h`.
const EX_USAGE: u8 = 64;

fn main() -> ExitCode {
    let parent = lifecycle::Parent::at_start();
    let environment = |name: &str| std::env::var(name).ok();
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("check") => return check::run(&environment),
        Some(other) => {
            eprintln!("unknown argument `{other}`: `handler` serves, `handler check` reports what is wrong");
            return ExitCode::from(EX_USAGE);
        }
    }
    let settings = match Settings::read(&environment) {
        Ok(settings) => settings,
        Err(faults) => {
            eprint!("{faults}");
            return ExitCode::from(EX_USAGE);
        }
    };
    logs::start(&settings.log_level);
    match lifecycle::block_on(async {
        let app = App::build(settings)?;
        lifecycle::serve(app, parent).await
    }) {
        Ok(()) => ExitCode::FAILURE, // The host restarts a handler that ends, unless it ends with 0.
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "handler ends");
            ExitCode::FAILURE
        }
    }
}
