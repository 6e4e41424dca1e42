//! Everything the environment says, read once, with all faults reported together.
//!
//! This module alone knows the names of variables; README and `local.settings.json.example` are checked against
//! [`NAMES`].

mod connections;
mod digest;
mod limits;
mod mail;
mod reader;
mod script_root;
mod webhook;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use azure_data_cosmos::AccountEndpoint;
use detector::Policy;
use secrecy::SecretString;

pub use self::digest::DigestSettings;
pub use self::limits::Limits;
pub use self::mail::{MailSettings, MailWay, SmtpCredentials, SmtpSecurity, SmtpSettings};
pub use self::reader::Faults;
use self::reader::Reader;
pub use self::webhook::{WebhookFormat, WebhookSettings};

/// Settings that a person sets, connections apart: name and meaning.
pub const NAMES: [(&str, &str); 24] = [
    ("TELEMETRY_HUB", "name of the event hub, or the Event Hub-compatible name of the IoT Hub"),
    ("TELEMETRY_CONSUMER_GROUP", "consumer group that is the app's own"),
    ("DETECTION_POLICY", "`calibrated` judges by each device's own habits, `fixed` by the original rule"),
    ("FIXED_THRESHOLD", "policy `fixed`: squared error above which a reading is an anomaly"),
    (
        "LIMITS",
        "temperatures that devices may have: `fridge-*=2..8/15` opens an alert after 15 minutes outside 2 to 8 degrees",
    ),
    ("BUCKETS_PER_PARTITION", "groups of devices a hub partition, 1 to 1024; never changed after first use"),
    ("RETENTION_DAYS", "days after which stored documents are deleted, 1 to 3650"),
    (
        "SNAPSHOT_CONTAINER_URL",
        "blob container of snapshots, with a signature or for an identity; unset means none",
    ),
    (
        "MAIL_TO",
        "addresses that hear of every alert and get the digest, divided by commas; unset means nobody",
    ),
    ("MAIL_TO_CRITICAL", "addresses that hear of critical alerts alone"),
    ("MAIL_FROM", "sender of mail: `Name <name@example.com>`"),
    (
        "SMTP_URL",
        "mail server: `smtps://user:password@host:465`, or `smtp://user:password@host:587?tls=required`; unset means files",
    ),
    (
        "SMTP_CA_FILE",
        "file of PEM certificates that mail servers may show beside those of the platform's authorities",
    ),
    ("OUTBOX", "folder of mail that is written to files"),
    (
        "SILENT_AFTER_MINUTES",
        "minutes without any reading after which a hub is told to be silent; 0 means never",
    ),
    ("DASHBOARD_URL", "address of the page, for links in mail"),
    ("WEBHOOK_URL", "address that notifications are posted to as well"),
    ("WEBHOOK_SECRET", "what posts are signed with"),
    ("WEBHOOK_FORMAT", "who reads posts: `json`, `slack` or `teams`"),
    ("DIGEST_AT", "time of day of the digest, such as `07:00`; `off` means none"),
    ("DIGEST_TIME_ZONE", "time zone of that, and of times in mail, such as `Europe/Berlin`"),
    ("API_KEY", "key that grants access by the header `x-api-key`"),
    ("ALLOW_ANONYMOUS", "`true` grants access to everybody; for local use"),
    ("LOG_LEVEL", "`error`, `warn`, `info`, `debug` or `trace`"),
];

/// Connections, each with the names of its identity form; a person sets one form or the other.
///
/// The event hub's is the host's alone; that it is there is checked, since `score_telemetry` names it.
pub const CONNECTION_NAMES: [(&str, &str); 7] = [
    ("CosmosDBConnection", "connection string of the Cosmos DB account"),
    ("CosmosDBConnection__accountEndpoint", "the account's address, for an identity"),
    ("CosmosDBConnection__clientId", "client id of a user-assigned identity"),
    ("AzureSignalRConnectionString", "connection string of the SignalR service"),
    ("AzureSignalRConnectionString__serviceUri", "the service's address, for an identity"),
    ("EventHubConnection", "connection string of the event hub"),
    ("EventHubConnection__fullyQualifiedNamespace", "the hub's namespace, for an identity"),
];

/// What the host and App Service set, and no person does.
pub const PLATFORM_NAMES: [(&str, &str); 6] = [
    ("FUNCTIONS_CUSTOMHANDLER_PORT", "port that the host expects the handler on"),
    ("FUNCTIONS_APP_ROOT_PATH", "folder of `host.json`, the model and the page"),
    ("AzureFunctionsJobHost__functionTimeout", "overrides `functionTimeout` in `host.json`"),
    ("WEBSITE_AUTH_ENABLED", "whether App Service Authentication is on"),
    ("REGION_NAME", "Azure region that the app runs in"),
    ("IDENTITY_ENDPOINT", "announces a managed identity"),
];

/// Everything the handler needs to know before it starts.
#[derive(Debug)]
pub struct Settings {
    /// Port that the host expects the handler on; `FUNCTIONS_CUSTOMHANDLER_PORT`.
    pub port: u16,
    /// Folder of `host.json`, the model and the page; `FUNCTIONS_APP_ROOT_PATH`, else the current one.
    pub script_root: PathBuf,
    /// How an error becomes a score; `DETECTION_POLICY` and `FIXED_THRESHOLD`.
    pub policy: Policy,
    /// Temperatures that devices may have; `LIMITS`, none.
    pub limits: Arc<Limits>,
    /// Groups of devices a hub partition; `BUCKETS_PER_PARTITION`, 16.
    pub buckets_per_partition: u32,
    /// How long documents are kept, in seconds, more than four times as long as events in the hub; `RETENTION_DAYS`, 30.
    pub ttl_s: i64,
    /// Longest time an invocation may take, well below the host's `functionTimeout`.
    pub deadline: Duration,
    /// Longest time that telling people may take, below the host's `functionTimeout`.
    pub patience: Duration,
    /// Who may look.
    pub access: AccessSettings,
    /// Where stored documents are read.
    pub cosmos: CosmosSettings,
    /// Container of snapshots, with a signature or without; `SNAPSHOT_CONTAINER_URL`, none.
    pub snapshot_container: Option<SecretString>,
    /// Who gets mail, and how.
    pub mail: MailSettings,
    /// Where notifications are posted beside mail; `WEBHOOK_URL`, nowhere.
    pub webhook: Option<WebhookSettings>,
    /// When the digest is due, and the time zone of all that is sent.
    pub digest: DigestSettings,
    /// Least time without any reading after which a hub, or a partition of it, is told to be silent;
    /// `SILENT_AFTER_MINUTES`, 15; `None` for never.
    pub silent_after: Option<Duration>,
    /// Address of the page, without a slash at its end, for links in mail; `DASHBOARD_URL`, none.
    pub dashboard_url: Option<String>,
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
#[derive(Debug, Clone)]
pub struct CosmosSettings {
    /// Address of the account.
    pub endpoint: AccountEndpoint,
    /// How the handler proves who it is.
    pub credential: CosmosCredential,
    /// Azure region that the app runs in, for reads nearby; `REGION_NAME`, which App Service sets.
    pub region: Option<String>,
}

/// How the handler proves to Cosmos DB who it is.
#[derive(Debug, Clone)]
pub enum CosmosCredential {
    /// The account's key, from the connection string.
    Key(SecretString),
    /// The app's managed identity; user-assigned with a client id.
    ManagedIdentity {
        /// `CosmosDBConnection__clientId`.
        client_id: Option<String>,
    },
    /// Whoever is logged in with Azure's command line tools.
    Developer,
}

impl Settings {
    /// Reads all settings from the environment and from the files of the script root.
    ///
    /// # Errors
    ///
    /// All [`Faults`] in one go.
    pub fn read(variables: &dyn Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let mut reader = Reader::new(variables);
        let script_root =
            PathBuf::from(reader.text("FUNCTIONS_APP_ROOT_PATH").unwrap_or_else(|| ".".to_owned()));
        let port = reader.number("FUNCTIONS_CUSTOMHANDLER_PORT", 0, 65_535, 0);
        let policy = reader.policy();
        let limits = Arc::new(Limits::read(&mut reader));
        let buckets_per_partition = reader.number("BUCKETS_PER_PARTITION", 1, 1024, 16);
        let ttl_s = reader.number::<i64>("RETENTION_DAYS", 1, 3650, 30) * 86_400;
        let (deadline, patience) = script_root::limits(&mut reader, &script_root);
        let access = reader.access();
        let cosmos = connections::cosmos(&mut reader);
        let snapshot_container = reader.text("SNAPSHOT_CONTAINER_URL").map(SecretString::from);
        let mail = MailSettings::read(&mut reader);
        let webhook = WebhookSettings::read(&mut reader);
        let digest = DigestSettings::read(&mut reader);
        let silent_minutes: u64 = reader.number("SILENT_AFTER_MINUTES", 0, 10_080, 15);
        let silent_after = (silent_minutes > 0).then(|| Duration::from_secs(silent_minutes * 60));
        let dashboard_url = reader.page();
        let signalr_origin = connections::signalr_origin(&mut reader);
        let log_level = reader.log_level();
        script_root::check_functions(&mut reader, &script_root);
        let faults = reader.into_faults();
        match cosmos {
            Some(cosmos) if faults.list().is_empty() => Ok(Self {
                port,
                script_root,
                policy,
                limits,
                buckets_per_partition,
                ttl_s,
                deadline,
                patience,
                access,
                cosmos,
                snapshot_container,
                mail,
                webhook,
                digest,
                silent_after,
                dashboard_url,
                signalr_origin,
                log_level,
            }),
            _ => Err(faults),
        }
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
    fn policy(&mut self) -> Policy {
        let threshold = self.number("FIXED_THRESHOLD", 1e-9, 1e9, 0.01);
        match self.text("DETECTION_POLICY").as_deref() {
            None | Some("calibrated") => Policy::Calibrated,
            Some("fixed") => Policy::Fixed { threshold },
            Some(other) => {
                self.fault(format!("DETECTION_POLICY: expected calibrated or fixed, got `{other}`"));
                Policy::Calibrated
            }
        }
    }

    /// An address that can be put in front of a link.
    fn page(&mut self) -> Option<String> {
        let text = self.text("DASHBOARD_URL")?;
        match url::Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
                let bare = url.as_str().split(['?', '#']).next().unwrap_or_default();
                Some(bare.trim_end_matches('/').to_owned())
            }
            _ => {
                self.fault(format!(
                    "DASHBOARD_URL: expected an address such as https://example.com, got `{text}`"
                ));
                None
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
            self.fault(format!("LOG_LEVEL: expected error, warn, info, debug or trace, got `{level}`"));
        }
        level
    }
}

#[cfg(test)]
mod tests;
