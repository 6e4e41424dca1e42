//! A function as its file describes it, with settings in place of their names and defaults in place of what is not said.

use wire::bindings::{Cardinality, DataType, RetryPolicy};

use super::settings::UnsetSetting;

/// An Event Hubs trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventHubTrigger {
    /// Name of the hub.
    pub hub: String,
    /// Consumer group, `$Default` if none is named.
    pub consumer_group: String,
    /// Single events or batches.
    pub cardinality: Cardinality,
    /// Presentation of bodies; not said, they are parsed as JSON for batches, and strings for single events.
    pub data_type: Option<DataType>,
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
    pub retry: Option<RetryPolicy>,
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
