//! `handler check`: says what is wrong with settings and model, and ends. With `--mail` it also sends a test mail.

use std::path::Path;
use std::process::ExitCode;

use crate::app::App;
use crate::clock::now_ms;
use crate::lifecycle;
use crate::mail::{Letter, Mail, Outcome, message_id};
use crate::model::Model;
use crate::settings::{MailSettings, MailWay, Settings};

/// Exit code when something is wrong, as at start.
const EX_USAGE: u8 = 64;
/// Exit code when a service does not do its part, as in BSD's `sysexits.h`.
const EX_UNAVAILABLE: u8 = 69;

/// What is tried beside reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trial {
    /// Nothing: nobody is contacted.
    Nothing,
    /// A test mail goes to everybody who gets mail.
    Mail,
}

/// Reports on standard output; ends with 0 when the handler would start.
pub fn run(variables: &dyn Fn(&str) -> Option<String>, trial: &Trial) -> ExitCode {
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
    if *trial == Trial::Mail && !send_test_mail(&settings.mail) {
        return ExitCode::from(EX_UNAVAILABLE);
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

/// Sends a test mail to everybody, and says what became of each; whether all were taken.
fn send_test_mail(settings: &MailSettings) -> bool {
    let trying = async {
        let everybody = settings.everybody();
        anyhow::ensure!(!everybody.is_empty(), "nobody gets mail: set MAIL_TO");
        if let MailWay::Outbox(folder) = &settings.way {
            println!("mail: SMTP_URL is not set, mail goes to files in `{}`", folder.display());
        }
        let mail = Mail::new(settings)?;
        mail.reach().await.map_err(anyhow::Error::msg)?;
        let letter = test_letter(mail.domain());
        let mut all_taken = true;
        for address in everybody {
            match mail.send(&address, &letter).await {
                Outcome::Sent => println!("mail: {address}: taken"),
                Outcome::Refused(reason) | Outcome::Failed(reason) => {
                    all_taken = false;
                    println!("mail: {address}: not taken: {reason}");
                }
            }
        }
        Ok(all_taken)
    };
    lifecycle::block_on(trying).unwrap_or_else(|error| {
        println!("mail: {error:#}");
        false
    })
}

fn test_letter(domain: &str) -> Letter {
    let now = now_ms();
    let text = "This is the test mail of `handler check --mail`. Alerts will look better.\n";
    Letter {
        message_id: message_id("test", now, domain),
        at: now,
        subject: "Test mail of the temperature alerts".to_owned(),
        text: text.to_owned(),
        html: format!("<p>{text}</p>"),
        pictures: Vec::new(),
    }
}
