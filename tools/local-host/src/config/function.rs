//! A function as its file describes it, checked: trigger, inputs, outputs, retry policy.

use std::time::Duration;

use super::settings::UnsetSetting;

/// Whether a trigger gets single events or batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// One event an invocation; what the host assumes if nothing is said.
    One,
    /// A batch of one partition.
    Many,
}

/// How an event's body is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataType {
    /// Not said: parsed as JSON for batches, a string for single events.
    Unset,
    /// A string.
    String,
    /// Bytes.
    Binary,
}

/// An Event Hubs trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventHubTrigger {
    /// Name of the hub.
    pub hub: String,
    /// Consumer group, `$Default` if none is named.
    pub consumer_group: String,
    /// Single events or batches.
    pub cardinality: Cardinality,
    /// Presentation of bodies.
    pub data_type: DataType,
}

/// An HTTP trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpTrigger {
    /// Route below the route prefix.
    pub route: String,
    /// Methods in upper case; empty for all.
    pub methods: Vec<String>,
}

/// A timer trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerTrigger {
    /// Cron text or time span.
    pub schedule: String,
    /// Whether to fire once at the start.
    pub run_on_startup: bool,
    /// Whether the schedule's status is stored.
    pub use_monitor: bool,
}

/// What starts a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// Events of a hub.
    EventHub(EventHubTrigger),
    /// HTTP calls.
    Http(HttpTrigger),
    /// A clock.
    Timer(TimerTrigger),
}

/// A signalRConnectionInfo input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionInfoInput {
    /// Binding name.
    pub name: String,
    /// SignalR hub, or the setting that it lacks.
    pub hub: Result<String, UnsetSetting>,
    /// Name of the setting with the connection string.
    pub connection: String,
    /// Binding expression of the user id.
    pub user_id: Option<String>,
}

/// Where an output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputKind {
    /// Upserts into a container.
    Cosmos {
        /// Database, or the setting that it lacks.
        database: Result<String, UnsetSetting>,
        /// Container, or the setting that it lacks.
        container: Result<String, UnsetSetting>,
        /// Name of the setting with the connection string.
        connection: String,
        /// Path of the partition key, if the binding names it.
        partition_key: Option<String>,
    },
    /// Messages to the clients of a SignalR hub.
    SignalR {
        /// Hub, or the setting that it lacks.
        hub: Result<String, UnsetSetting>,
        /// Name of the setting with the connection string.
        connection: String,
    },
    /// The answer to the HTTP caller.
    Http,
}

/// An output binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Binding name.
    pub name: String,
    /// Where it goes.
    pub kind: OutputKind,
    /// `dataType: binary`: string values are not tried as base64.
    pub binary: bool,
}

/// Delays between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryStrategy {
    /// The same delay each time.
    Fixed(Duration),
    /// Growing delays between a minimum and a maximum.
    Exponential {
        /// First delay.
        minimum: Duration,
        /// Longest delay.
        maximum: Duration,
    },
}

/// A retry policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts after the first; -1 for ever.
    pub max_count: i64,
    /// Delays.
    pub strategy: RetryStrategy,
}

/// A function that can be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Folder name.
    pub name: String,
    /// Name of the trigger's binding.
    pub trigger_name: String,
    /// What starts it.
    pub trigger: Trigger,
    /// Further inputs.
    pub inputs: Vec<ConnectionInfoInput>,
    /// Outputs in the order of the file.
    pub outputs: Vec<Output>,
    /// Retry policy.
    pub retry: Option<Retry>,
}

impl Function {
    /// Whether its bindings are exactly one HTTP trigger and one HTTP output, so that requests may be forwarded.
    #[must_use]
    pub fn is_http_only(&self) -> bool {
        matches!(self.trigger, Trigger::Http(_))
            && self.inputs.is_empty()
            && matches!(self.outputs.as_slice(), [Output { kind: OutputKind::Http, .. }])
    }
}
