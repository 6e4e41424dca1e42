//! function.json and host.json, as far as our functions use them.
//!
//! Enters: the text of these files. Leaves: typed triggers, bindings and host options, and the names of the app settings
//! that they need. It refuses to know values of settings. Unknown keys are errors, because we own these files and the host
//! ignores misspelled keys silently.
//!
//! See <https://learn.microsoft.com/azure/azure-functions/functions-host-json> and the page of each binding.

mod host_json;
mod settings_needed;
mod time_span;

pub use host_json::{
    CustomHandler, EventHubsOptions, ExtensionBundle, Extensions, HandlerDescription, HostJson, HttpOptions,
    InitialOffset, InitialOffsetKind, LogLevels, Logging,
};
pub use settings_needed::{SettingName, required_settings};
pub use time_span::{TimeSpan, TimeSpanError};

use serde::{Deserialize, Serialize};

/// One `function.json`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FunctionJson {
    /// Exactly one trigger, and what else goes in and out.
    pub bindings: Vec<Binding>,
    /// What the host does after a failure; only timers and event hubs have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
}

/// A trigger, an input or an output.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Binding {
    /// Events of an event hub, or of IoT Hub's built-in endpoint.
    EventHubTrigger(EventHubTrigger),
    /// Documents to write.
    #[serde(rename = "cosmosDB")]
    CosmosDb(CosmosDb),
    /// Live messages to send.
    SignalR(SignalR),
    /// What a client needs to connect to SignalR.
    SignalRConnectionInfo(SignalRConnectionInfo),
    /// A caller's request.
    HttpTrigger(HttpTrigger),
    /// The answer to a caller.
    Http(Http),
    /// A schedule.
    TimerTrigger(TimerTrigger),
}

/// Which way a binding's data goes, seen from the handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// To the handler.
    In,
    /// From the handler.
    Out,
}

/// `eventHubTrigger`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EventHubTrigger {
    /// Always `in`.
    pub direction: Direction,
    /// Name of the binding.
    pub name: String,
    /// Name of the event hub, usually `%SETTING%`.
    pub event_hub_name: String,
    /// Name of the connection's setting.
    pub connection: String,
    /// Consumer group; the host's default is `$Default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consumer_group: Option<String>,
    /// Events a call; the host's default is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cardinality: Option<Cardinality>,
    /// How an event's body arrives; unset means parsed as JSON by the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_type: Option<DataType>,
}

/// Events a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Cardinality {
    /// One event.
    One,
    /// A batch of one partition.
    Many,
}

/// How a value is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum DataType {
    /// As text.
    String,
    /// As bytes, in base64.
    Binary,
    /// As a stream; no custom handler can have it.
    Stream,
}

/// `cosmosDB`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CosmosDb {
    /// We only write.
    pub direction: Direction,
    /// Name of the binding.
    pub name: String,
    /// Database.
    pub database_name: String,
    /// Container.
    pub container_name: String,
    /// Name of the connection's setting.
    pub connection: String,
    /// Whether the host creates the container; needs more rights than a data role has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_if_not_exists: Option<bool>,
    /// Path of the partition key, for creating.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_key: Option<String>,
}

/// `signalR`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SignalR {
    /// Always `out`.
    pub direction: Direction,
    /// Name of the binding.
    pub name: String,
    /// SignalR hub.
    pub hub_name: String,
    /// Name of the connection's setting.
    #[serde(default = "default_signalr_connection")]
    pub connection_string_setting: String,
}

/// `signalRConnectionInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SignalRConnectionInfo {
    /// Always `in`.
    pub direction: Direction,
    /// Name of the binding.
    pub name: String,
    /// SignalR hub.
    pub hub_name: String,
    /// Name of the connection's setting.
    #[serde(default = "default_signalr_connection")]
    pub connection_string_setting: String,
    /// Who connects: an expression over the request, such as `{headers.x-ms-client-principal-id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// `httpTrigger`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HttpTrigger {
    /// Always `in`.
    pub direction: Direction,
    /// Name of the binding.
    pub name: String,
    /// Who may call; the host's default is `function`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_level: Option<AuthLevel>,
    /// Methods in lower case; all when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<String>>,
    /// Route below the prefix of host.json; the function's name when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
}

/// Who may call an HTTP function, by the host's own keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum AuthLevel {
    /// Everyone.
    Anonymous,
    /// Who has a function's key.
    Function,
    /// Who has the master key.
    Admin,
}

/// `http`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Http {
    /// Always `out`.
    pub direction: Direction,
    /// Name of the binding.
    pub name: String,
}

/// `timerTrigger`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TimerTrigger {
    /// Always `in`.
    pub direction: Direction,
    /// Name of the binding.
    pub name: String,
    /// Cron expression with six fields, or `%SETTING%`.
    pub schedule: String,
    /// Whether the host keeps the schedule's status; its default is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_monitor: Option<bool>,
    /// Whether the function is called at start too; the host's default is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_on_startup: Option<bool>,
}

/// `retry`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "strategy", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum RetryPolicy {
    /// The same pause each time.
    FixedDelay {
        /// Retries; -1 is without end.
        max_retry_count: i32,
        /// The pause.
        delay_interval: TimeSpan,
    },
    /// A pause that doubles.
    ExponentialBackoff {
        /// Retries; -1 is without end.
        max_retry_count: i32,
        /// The first pause.
        minimum_interval: TimeSpan,
        /// The longest pause.
        maximum_interval: TimeSpan,
    },
}

impl RetryPolicy {
    /// Retries; -1 is without end.
    #[must_use]
    pub fn max_retry_count(&self) -> i32 {
        match self {
            Self::FixedDelay { max_retry_count, .. } | Self::ExponentialBackoff { max_retry_count, .. } => {
                *max_retry_count
            }
        }
    }
}

impl FunctionJson {
    /// The trigger, if there is exactly one.
    #[must_use]
    pub fn trigger(&self) -> Option<&Binding> {
        let mut triggers = self.bindings.iter().filter(|binding| binding.is_trigger());
        let first = triggers.next()?;
        if triggers.next().is_some() { None } else { Some(first) }
    }

    /// Whether the host forwards requests unwrapped, given that host.json enables it: one HTTP trigger, one HTTP output.
    #[must_use]
    pub fn is_forwarded(&self) -> bool {
        matches!(
            self.bindings.as_slice(),
            [Binding::HttpTrigger(_), Binding::Http(_)] | [Binding::Http(_), Binding::HttpTrigger(_)]
        )
    }

    /// Checks that events arrive in the one encoding that [`crate::invocation::EventBatchRequest`] reads.
    ///
    /// # Errors
    ///
    /// [`NotEventBatches`] when the trigger is another one, or has other events a call or another data type.
    pub fn check_event_batches(&self) -> Result<(), NotEventBatches> {
        let Some(Binding::EventHubTrigger(trigger)) = self.trigger() else {
            return Err(NotEventBatches::Trigger);
        };
        if trigger.cardinality != Some(Cardinality::Many) {
            return Err(NotEventBatches::Cardinality);
        }
        if trigger.data_type != Some(DataType::String) {
            return Err(NotEventBatches::DataType);
        }
        Ok(())
    }
}

/// Why a function does not get batches of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotEventBatches {
    /// Its trigger is not an eventHubTrigger, or not the only one.
    #[error("the trigger is not one eventHubTrigger")]
    Trigger,
    /// `cardinality` is not `many`.
    #[error("`cardinality` is not `many`: the host would call once an event")]
    Cardinality,
    /// `dataType` is not `string`.
    #[error("`dataType` is not `string`: one event that is not json would lose its whole batch")]
    DataType,
}

impl Binding {
    /// Name of the binding, the key of its data in an envelope or an answer.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::EventHubTrigger(binding) => &binding.name,
            Self::CosmosDb(binding) => &binding.name,
            Self::SignalR(binding) => &binding.name,
            Self::SignalRConnectionInfo(binding) => &binding.name,
            Self::HttpTrigger(binding) => &binding.name,
            Self::Http(binding) => &binding.name,
            Self::TimerTrigger(binding) => &binding.name,
        }
    }

    /// Which way its data goes.
    #[must_use]
    pub fn direction(&self) -> Direction {
        match self {
            Self::EventHubTrigger(binding) => binding.direction,
            Self::CosmosDb(binding) => binding.direction,
            Self::SignalR(binding) => binding.direction,
            Self::SignalRConnectionInfo(binding) => binding.direction,
            Self::HttpTrigger(binding) => binding.direction,
            Self::Http(binding) => binding.direction,
            Self::TimerTrigger(binding) => binding.direction,
        }
    }

    /// Whether it starts the function.
    #[must_use]
    pub fn is_trigger(&self) -> bool {
        matches!(self, Self::EventHubTrigger(_) | Self::HttpTrigger(_) | Self::TimerTrigger(_))
    }
}

fn default_signalr_connection() -> String {
    "AzureSignalRConnectionString".to_owned()
}
