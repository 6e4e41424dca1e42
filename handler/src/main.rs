//! The custom handler: one process that serves every function of the app.

use std::process::ExitCode;

use handler::app::App;
use handler::check::{self, Trial};
use handler::lifecycle;
use handler::logs;
use handler::settings::Settings;

/// Exit code for wrong settings or arguments, as in BSD's `sysexits.h`.
const EX_USAGE: u8 = 64;

fn main() -> ExitCode {
    let parent = lifecycle::Parent::at_start();
    let environment = |name: &str| std::env::var(name).ok();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {}
        ["check"] => return check::run(&environment, &Trial::Nothing),
        ["check", "--mail"] => return check::run(&environment, &Trial::Mail),
        others => {
            let others = others.join(" ");
            eprintln!(
                "unknown arguments `{others}`: `handler` serves, `handler check` reports what is wrong, \
                 `handler check --mail` sends a test mail as well"
            );
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
