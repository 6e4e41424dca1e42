//! `handler check`: says what is wrong with settings and model, and ends.

use std::path::Path;
use std::process::ExitCode;

use crate::app::App;
use crate::model::Model;
use crate::settings::Settings;

/// Exit code when something is wrong, as at start.
const EX_USAGE: u8 = 64;

/// Reports on standard output; ends with 0 when the handler would start.
pub fn run(variables: &dyn Fn(&str) -> Option<String>) -> ExitCode {
    let settings = match Settings::read(variables) {
        Ok(settings) => settings,
        Err(faults) => {
            print!("{faults}");
            let script_root = variables("FUNCTIONS_APP_ROOT_PATH").unwrap_or_else(|| ".".to_owned());
            if let Err(error) = Model::load(Path::new(&script_root)) {
                println!("model: {error:#}");
            }
            return ExitCode::from(EX_USAGE);
        }
    };
    println!("settings: good");
    println!("  policy {}, {} bucket(s) a partition", settings.policy_name(), settings.buckets_per_partition);
    println!(
        "  deadline {} s, documents kept {} days",
        settings.deadline.as_secs_f64(),
        settings.ttl_s / 86_400
    );
    if settings.access.allow_anonymous {
        println!("  warning: ALLOW_ANONYMOUS=true shows all data to everybody");
    } else if settings.access.api_key.is_none() && !settings.access.platform_authenticates {
        println!("  warning: nobody may look; set API_KEY, or turn on App Service Authentication");
    }
    match App::build(settings) {
        Ok(app) => {
            println!("model: good");
            println!("  {} sha256 {}", app.model.card().version, app.model.card().onnx_sha256);
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("model or page: {error:#}");
            ExitCode::from(EX_USAGE)
        }
    }
}
