//! host.json, as far as we use it.
//!
//! See <https://learn.microsoft.com/azure/azure-functions/functions-host-json>.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::time_span::TimeSpan;

/// host.json.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HostJson {
    /// Always `2.0`.
    pub version: String,
    /// Longest call, outputs included; the host's default is 30 minutes, 5 on the consumption plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_timeout: Option<TimeSpan>,
    /// The handler.
    pub custom_handler: CustomHandler,
    /// Where triggers and bindings come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension_bundle: Option<ExtensionBundle>,
    /// Their options.
    #[serde(default)]
    pub extensions: Extensions,
    /// What the host logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<Logging>,
}

/// `customHandler`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CustomHandler {
    /// How it is started.
    pub description: HandlerDescription,
    /// Whether functions with one HTTP trigger and one HTTP output get the caller's request unwrapped.
    #[serde(default)]
    pub enable_forwarding_http_request: bool,
    /// How long it may take until it answers; the host's default is 30 seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initialization_timeout: Option<TimeSpan>,
}

/// `customHandler.description`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HandlerDescription {
    /// The program; only a file of exactly this path becomes executable when published.
    pub default_executable_path: String,
    /// Its working directory; the script root when unset.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub working_directory: String,
    /// Its arguments, joined by spaces without quotes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
}

/// `extensionBundle`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ExtensionBundle {
    /// Its name.
    pub id: String,
    /// Range of versions.
    pub version: String,
}

/// `extensions`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Extensions {
    /// HTTP triggers.
    pub http: HttpOptions,
    /// Event Hubs triggers.
    pub event_hubs: EventHubsOptions,
}

/// `extensions.http`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct HttpOptions {
    /// What every route begins with.
    pub route_prefix: String,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self { route_prefix: "api".to_owned() }
    }
}

/// `extensions.eventHubs`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct EventHubsOptions {
    /// Most events a call.
    pub max_event_batch_size: u32,
    /// Fewest events a call; above 1, two calls of one partition may overlap.
    pub min_event_batch_size: u32,
    /// How long the host waits for the fewest.
    pub max_wait_time: TimeSpan,
    /// Checkpoints once in so many batches.
    pub batch_checkpoint_frequency: u32,
    /// Events read ahead of a call.
    pub prefetch_count: u32,
    /// Unprocessed events an instance that scaling aims at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_unprocessed_event_threshold: Option<u32>,
    /// Where to begin without a checkpoint.
    pub initial_offset_options: InitialOffset,
}

impl Default for EventHubsOptions {
    fn default() -> Self {
        Self {
            max_event_batch_size: 100,
            min_event_batch_size: 1,
            max_wait_time: TimeSpan(std::time::Duration::from_secs(60)),
            batch_checkpoint_frequency: 1,
            prefetch_count: 300,
            target_unprocessed_event_threshold: None,
            initial_offset_options: InitialOffset::default(),
        }
    }
}

/// `extensions.eventHubs.initialOffsetOptions`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct InitialOffset {
    /// What counts.
    #[serde(rename = "type")]
    pub kind: InitialOffsetKind,
    /// The time, for [`InitialOffsetKind::FromEnqueuedTime`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enqueued_time_utc: Option<String>,
}

/// Where to begin without a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum InitialOffsetKind {
    /// The oldest event.
    #[default]
    FromStart,
    /// The next event.
    FromEnd,
    /// The first event from a time on.
    FromEnqueuedTime,
}

/// `logging`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Logging {
    /// Level by category.
    #[serde(default)]
    pub log_level: LogLevels,
}

/// Levels by category.
pub type LogLevels = BTreeMap<String, String>;
