//! `handler check`: says what is wrong with settings and model, and ends.

use std::process::ExitCode;

use crate::model::Model;
use crate::settings::Settings;

/// Exit code when something is wrong.
const EX_CONFIG: u8 = 78;

/// Reports on standard output; ends with 0 when the handler would start.
pub fn run(variables: &dyn Fn(&str) -> Option<String>) -> ExitCode {
    let settings = match Settings::read(variables) {
        Ok(settings) => settings,
        Err(faults) => {
            print!("{faults}");
            return ExitCode::from(EX_CONFIG);
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
    match Model::load(&settings.script_root) {
        Ok(model) => {
            println!("model: good");
            println!("  {} sha256 {}", model.card().version, model.card().onnx_sha256);
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("model: {error:#}");
            ExitCode::from(EX_CONFIG)
        }
    }
}
