//! Everything the environment says, read once, with all faults reported together.
//!
//! This module alone knows the names of settings; README and `local.settings.json.example` are checked against
//! [`NAMES`].

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use detector::Policy;
use secrecy::SecretString;
use wire::bindings::{Binding, FunctionJson, HostJson, TimeSpan};

/// Settings that a person sets, connections apart: name and meaning.
pub const NAMES: [(&str, &str); 9] = [
    ("TELEMETRY_HUB", "name of the event hub, or the Event Hub-compatible name of the IoT Hub"),
    ("TELEMETRY_CONSUMER_GROUP", "consumer group that is the app's own"),
    ("DETECTION_POLICY", "`calibrated` judges by each device's own habits, `fixed` by the original rule"),
    ("FIXED_THRESHOLD", "policy `fixed`: squared error above which a reading is an anomaly"),
    ("BUCKETS_PER_PARTITION", "groups of devices a hub partition, 1 to 1024; never changed after first use"),
    ("RETENTION_DAYS", "days after which stored documents are deleted, 1 to 3650"),
    ("API_KEY", "key that grants access by the header `x-api-key`"),
    ("ALLOW_ANONYMOUS", "`true` grants access to everybody; for local use"),
    ("LOG_LEVEL", "`error`, `warn`, `info`, `debug` or `trace`"),
];

/// The handler's own limit of an invocation.
const LONGEST_DEADLINE: Duration = Duration::from_secs(20);
/// Share of the host's `functionTimeout` that the handler uses at most: outputs need the rest.
const SHARE_OF_TIMEOUT: f64 = 0.6;
/// The host's `functionTimeout` where nothing says otherwise: the shorter of its defaults.
const DEFAULT_FUNCTION_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Everything the handler needs to know before it starts.
#[derive(Debug)]
pub struct Settings {
    /// Port that the host expects the handler on; `FUNCTIONS_CUSTOMHANDLER_PORT`.
    pub port: u16,
    /// Folder of `host.json`, the model and the page; `FUNCTIONS_APP_ROOT_PATH`, else the current one.
    pub script_root: PathBuf,
    /// How an error becomes a score; `DETECTION_POLICY` and `FIXED_THRESHOLD`.
    pub policy: Policy,
    /// Groups of devices a hub partition; `BUCKETS_PER_PARTITION`, 16.
    pub buckets_per_partition: u32,
    /// How long documents are kept, in seconds; `RETENTION_DAYS`, 30.
    pub ttl_s: i64,
    /// Longest time an invocation may take, well below the host's `functionTimeout`.
    pub deadline: Duration,
    /// Who may look.
    pub access: AccessSettings,
    /// Where stored documents are read.
    pub cosmos: CosmosSettings,
    /// Origin of the SignalR service that the page connects to, where the settings name it.
    pub signalr_origin: Option<String>,
    /// Least level that is logged; `LOG_LEVEL`, `info`.
    pub log_level: String,
}

/// Who may look.
#[derive(Debug, Default)]
pub struct AccessSettings {
    /// `API_KEY`.
    pub api_key: Option<SecretString>,
    /// `ALLOW_ANONYMOUS`.
    pub allow_anonymous: bool,
    /// `WEBSITE_AUTH_ENABLED`, which App Service sets: only then do principal headers prove anything.
    pub platform_authenticates: bool,
}

/// Where stored documents are read.
#[derive(Debug, Default)]
pub struct CosmosSettings {
    /// Endpoint of the account.
    pub endpoint: String,
    /// How the handler proves who it is.
    pub credential: CosmosCredential,
    /// Azure region that the app runs in, for reads nearby; `REGION_NAME`, which App Service sets.
    pub region: Option<String>,
}

/// How the handler proves to Cosmos DB who it is.
#[derive(Debug, Default)]
pub enum CosmosCredential {
    /// The account's key, from the connection string.
    Key(SecretString),
    /// The app's managed identity; user-assigned with a client id.
    ManagedIdentity {
        /// `CosmosDBConnection__clientId`.
        client_id: Option<String>,
    },
    /// Whoever is logged in with Azure's command line tools.
    #[default]
    Developer,
}

/// All that is wrong with the settings.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, fault: impl Into<String>) {
        self.0.push(fault.into());
    }

    /// The faults, a sentence each.
    #[must_use]
    pub fn list(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} setting(s) are wrong:", self.0.len())?;
        for fault in &self.0 {
            writeln!(formatter, "  {fault}")?;
        }
        Ok(())
    }
}

/// Variables, and what is wrong with them so far.
struct Reader<'a> {
    variables: &'a dyn Fn(&str) -> Option<String>,
    faults: Faults,
}

impl Settings {
    /// Reads all settings from the environment and from the files of the script root.
    ///
    /// # Errors
    ///
    /// All [`Faults`] in one go.
    pub fn read(variables: &dyn Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let mut reader = Reader { variables, faults: Faults::default() };
        let script_root =
            PathBuf::from(reader.text("FUNCTIONS_APP_ROOT_PATH").unwrap_or_else(|| ".".to_owned()));
        let settings = Self {
            port: reader.number("FUNCTIONS_CUSTOMHANDLER_PORT", 0, 65_535, 0),
            policy: reader.policy(),
            buckets_per_partition: reader.number("BUCKETS_PER_PARTITION", 1, 1024, 16),
            ttl_s: reader.number::<i64>("RETENTION_DAYS", 1, 3650, 30) * 86_400,
            deadline: reader.deadline(&script_root),
            access: reader.access(),
            cosmos: reader.cosmos(),
            signalr_origin: reader.signalr_origin(),
            log_level: reader.log_level(),
            script_root,
        };
        reader.check_functions(&settings.script_root);
        if reader.faults.0.is_empty() { Ok(settings) } else { Err(reader.faults) }
    }

    /// Name of the policy, as the API says it.
    #[must_use]
    pub fn policy_name(&self) -> &'static str {
        match self.policy {
            Policy::Calibrated => "calibrated",
            Policy::Fixed { .. } => "fixed",
        }
    }
}

impl Reader<'_> {
    /// The variable's text; unset and empty are the same.
    fn text(&self, name: &str) -> Option<String> {
        (self.variables)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn number<T>(&mut self, name: &str, least: T, most: T, default: T) -> T
    where
        T: std::str::FromStr + PartialOrd + fmt::Display + Copy,
    {
        let Some(text) = self.text(name) else { return default };
        match text.parse::<T>() {
            Ok(value) if value >= least && value <= most => value,
            _ => {
                self.faults.add(format!("{name}: expected a number from {least} to {most}, got `{text}`"));
                default
            }
        }
    }

    fn is_true(&mut self, name: &str) -> bool {
        match self.text(name).map(|text| text.to_ascii_lowercase()).as_deref() {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(other) => {
                self.faults.add(format!("{name}: expected true or false, got `{other}`"));
                false
            }
        }
    }

    fn policy(&mut self) -> Policy {
        let threshold = self.number("FIXED_THRESHOLD", 1e-9, 1e9, 0.01);
        match self.text("DETECTION_POLICY").as_deref() {
            None | Some("calibrated") => Policy::Calibrated,
            Some("fixed") => Policy::Fixed { threshold },
            Some(other) => {
                self.faults.add(format!("DETECTION_POLICY: expected calibrated or fixed, got `{other}`"));
                Policy::Calibrated
            }
        }
    }

    fn access(&mut self) -> AccessSettings {
        AccessSettings {
            api_key: self.text("API_KEY").map(SecretString::from),
            allow_anonymous: self.is_true("ALLOW_ANONYMOUS"),
            platform_authenticates: self.is_true("WEBSITE_AUTH_ENABLED"),
        }
    }

    fn log_level(&mut self) -> String {
        let level = self.text("LOG_LEVEL").unwrap_or_else(|| "info".to_owned()).to_ascii_lowercase();
        if !["error", "warn", "info", "debug", "trace"].contains(&level.as_str()) {
            self.faults.add(format!("LOG_LEVEL: expected error, warn, info, debug or trace, got `{level}`"));
        }
        level
    }

    fn cosmos(&mut self) -> CosmosSettings {
        let region = self.text("REGION_NAME");
        if let Some(connection) = self.text("CosmosDBConnection") {
            let endpoint = connection_part(&connection, "AccountEndpoint");
            let key = connection_part(&connection, "AccountKey");
            if let (Some(endpoint), Some(key)) = (endpoint, key) {
                let credential = CosmosCredential::Key(SecretString::from(key.to_owned()));
                return CosmosSettings { endpoint: endpoint.to_owned(), credential, region };
            }
            self.faults.add("CosmosDBConnection: expected AccountEndpoint=...;AccountKey=...;");
        }
        let endpoint = self.text("CosmosDBConnection__accountEndpoint");
        let client_id = self.text("CosmosDBConnection__clientId");
        // App Service announces a managed identity by this variable.
        let credential = if client_id.is_some() || self.text("IDENTITY_ENDPOINT").is_some() {
            CosmosCredential::ManagedIdentity { client_id }
        } else {
            CosmosCredential::Developer
        };
        if endpoint.is_none() && self.text("CosmosDBConnection").is_none() {
            self.faults
                .add("CosmosDBConnection: set it, or CosmosDBConnection__accountEndpoint for an identity");
        }
        CosmosSettings { endpoint: endpoint.unwrap_or_default(), credential, region }
    }

    fn signalr_origin(&self) -> Option<String> {
        let connection = self.text("AzureSignalRConnectionString");
        let from_connection = connection.as_deref().and_then(|connection| {
            let endpoint = connection_part(connection, "Endpoint")?.trim_end_matches('/');
            Some(match connection_part(connection, "Port") {
                Some(port) => format!("{endpoint}:{port}"),
                None => endpoint.to_owned(),
            })
        });
        from_connection.or_else(|| self.text("AzureSignalRConnectionString__serviceUri"))
    }

    /// The host's `functionTimeout`, from the setting that overrides it, else from `host.json`.
    fn deadline(&mut self, script_root: &Path) -> Duration {
        let timeout = match self.text("AzureFunctionsJobHost__functionTimeout").as_deref() {
            None => host_timeout(script_root).unwrap_or(DEFAULT_FUNCTION_TIMEOUT),
            Some("-1") => DEFAULT_FUNCTION_TIMEOUT,
            Some(text) => match text.parse::<TimeSpan>() {
                Ok(TimeSpan(timeout)) => timeout,
                Err(error) => {
                    self.faults.add(format!("AzureFunctionsJobHost__functionTimeout: {error}"));
                    DEFAULT_FUNCTION_TIMEOUT
                }
            },
        };
        timeout.mul_f64(SHARE_OF_TIMEOUT).min(LONGEST_DEADLINE)
    }

    /// The host notices a missing setting only when each call has failed already, so it is noticed here.
    fn check_functions(&mut self, script_root: &Path) {
        let entries = match std::fs::read_dir(script_root) {
            Ok(entries) => entries,
            Err(error) => {
                let root = script_root.display();
                self.faults.add(format!("FUNCTIONS_APP_ROOT_PATH: cannot read folder `{root}`: {error}"));
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
            self.check_function(&file);
        }
    }

    fn check_function(&mut self, file: &Path) {
        let name = file.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        let function = std::fs::read(file).map_err(|error| error.to_string()).and_then(|json| {
            serde_json::from_slice::<FunctionJson>(&json).map_err(|error| error.to_string())
        });
        match function {
            Err(error) => self.faults.add(format!("{name}/function.json: {error}")),
            Ok(function) => {
                if matches!(function.trigger(), Some(Binding::EventHubTrigger(_)))
                    && let Err(error) = function.check_event_batches()
                {
                    self.faults.add(format!("{name}/function.json: {error}"));
                }
                for required in wire::bindings::required_settings(&function) {
                    if !required.is_set(self.variables) {
                        let names = required.any_of.join(" or ");
                        self.faults.add(format!("{names}: not set, and {name}/function.json needs it"));
                    }
                }
            }
        }
    }
}

fn host_timeout(script_root: &Path) -> Option<Duration> {
    let json = std::fs::read(script_root.join("host.json")).ok()?;
    let host: HostJson = serde_json::from_slice(&json).ok()?;
    host.function_timeout.map(|TimeSpan(timeout)| timeout)
}

/// The value of `name=value` in a connection string, whose values may hold `=` themselves.
fn connection_part<'a>(connection: &'a str, name: &str) -> Option<&'a str> {
    connection.split(';').find_map(|part| {
        let (key, value) = part.split_once('=')?;
        (key.trim().eq_ignore_ascii_case(name) && !value.trim().is_empty()).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, Faults> {
        let mut all: HashMap<&str, &str> =
            [("CosmosDBConnection", "AccountEndpoint=http://127.0.0.1:8081/;AccountKey=a2V5==;")].into();
        all.extend(variables.iter().copied());
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_string_lossy().into_owned();
        Settings::read(&|name| match name {
            "FUNCTIONS_APP_ROOT_PATH" => Some(root.clone()),
            _ => all.get(name).map(|value| (*value).to_owned()),
        })
    }

    #[test]
    fn defaults_are_harmless() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.buckets_per_partition, 16);
        assert_eq!(settings.ttl_s, 30 * 86_400);
        assert_eq!(settings.policy, Policy::Calibrated);
        assert_eq!(settings.deadline, Duration::from_secs(20));
        assert!(!settings.access.allow_anonymous);
        assert!(settings.access.api_key.is_none());
    }

    #[test]
    fn all_faults_are_reported_in_one_go() {
        let faults = read(&[
            ("CosmosDBConnection", "AccountEndpoint=x"),
            ("DETECTION_POLICY", "magic"),
            ("FIXED_THRESHOLD", "-1"),
            ("BUCKETS_PER_PARTITION", "0"),
            ("RETENTION_DAYS", "soon"),
            ("ALLOW_ANONYMOUS", "maybe"),
            ("LOG_LEVEL", "loud"),
            ("AzureFunctionsJobHost__functionTimeout", "1 hour"),
        ])
        .unwrap_err();
        let text = faults.to_string();
        for name in [
            "CosmosDBConnection",
            "DETECTION_POLICY",
            "FIXED_THRESHOLD",
            "BUCKETS_PER_PARTITION",
            "RETENTION_DAYS",
            "ALLOW_ANONYMOUS",
            "LOG_LEVEL",
            "functionTimeout",
        ] {
            assert!(text.contains(name), "{name} is missing in:\n{text}");
        }
    }

    #[test]
    fn the_deadline_follows_the_hosts_timeout() {
        let settings = read(&[("AzureFunctionsJobHost__functionTimeout", "00:00:05")]).unwrap();
        assert_eq!(settings.deadline, Duration::from_secs(3));
    }

    #[test]
    fn secrets_do_not_print() {
        let settings = read(&[("API_KEY", "hunter2")]).unwrap();
        let printed = format!("{settings:?}");
        assert!(!printed.contains("hunter2") && !printed.contains("a2V5"), "{printed}");
    }

    #[test]
    fn a_connection_that_a_function_names_must_be_set() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("score_telemetry")).unwrap();
        let function = r#"{"bindings":[{"type":"eventHubTrigger","direction":"in","name":"events","eventHubName":"%TELEMETRY_HUB%","connection":"EventHubConnection","cardinality":"many","dataType":"string"}]}"#;
        std::fs::write(folder.path().join("score_telemetry/function.json"), function).unwrap();
        let root = folder.path().to_string_lossy().into_owned();
        let faults = Settings::read(&|name| match name {
            "FUNCTIONS_APP_ROOT_PATH" => Some(root.clone()),
            "CosmosDBConnection" => Some("AccountEndpoint=a;AccountKey=b".to_owned()),
            _ => None,
        })
        .unwrap_err();
        assert_eq!(faults.list().len(), 2, "{faults}");
        assert!(
            faults.to_string().contains("TELEMETRY_HUB") && faults.to_string().contains("EventHubConnection")
        );
    }
}
