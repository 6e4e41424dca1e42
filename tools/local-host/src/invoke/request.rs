//! The body of an invocation: a stimulus enters, the envelope leaves.
//!
//! Pure: times, ids and retry state are arguments. The encodings are those of `ScriptInvocationContextExtensions.cs` in Azure/azure-functions-host: objects stay objects, everything else becomes JSON text inside a string.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use thiserror::Error;
use uuid::Uuid;
use wire::bindings::{Cardinality, DataType};

use crate::config::EventHubTrigger;
use crate::event_hub::{Event, dotnet_time};
use crate::json_net::{self, Json};

/// What one attempt of a call carries besides its stimulus.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Name of the function.
    pub function: String,
    /// When the attempt was made.
    pub now: Timestamp,
    /// A fresh id, not that of the invocation.
    pub rand_guid: Uuid,
    /// State of the retry loop, if the function has a retry policy.
    pub retry: Option<RetryState>,
}

/// State of the retry loop.
#[derive(Debug, Clone)]
pub struct RetryState {
    /// Attempts before this one.
    pub count: u32,
    /// Attempts after the first at most; -1 for ever.
    pub max_count: i64,
    /// How the last attempt failed.
    pub failure: Option<Failure>,
}

/// A failed attempt.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Its invocation id.
    pub invocation_id: Uuid,
    /// What went wrong.
    pub message: String,
}

/// Where the events of a call come from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Host name of the hub's namespace.
    pub namespace: &'a str,
    /// Partition id.
    pub partition: &'a str,
    /// The trigger.
    pub trigger: &'a EventHubTrigger,
    /// Name of the trigger's binding.
    pub binding: &'a str,
}

/// A stimulus cannot be bound; the handler is not called.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot bind event {sequence_number}: {reason}")]
pub struct BindError {
    sequence_number: i64,
    reason: String,
}

/// The envelope of a batch of one partition; with cardinality one, of its first event.
///
/// # Errors
///
/// [`BindError`] when the trigger wants JSON and an event is none.
pub fn event_hub(source: &Source<'_>, events: &[Event], attempt: &Attempt) -> Result<Json, BindError> {
    match (source.trigger.cardinality, events.first()) {
        (Cardinality::One, Some(event)) => Ok(single(source, event, attempt)),
        _ => batch(source, events, attempt),
    }
}

fn batch(source: &Source<'_>, events: &[Event], attempt: &Attempt) -> Result<Json, BindError> {
    let bodies = events
        .iter()
        .map(|event| body_in_batch(source.trigger.data_type, &event.body, event.sequence_number))
        .collect::<Result<Vec<_>, _>>()?;
    let array = |of: fn(&Event) -> Json| Json::Array(events.iter().map(of).collect()).encoded();
    let context = partition_context(source);
    let mut metadata = Json::object([
        ("TriggerPartitionContext", context.clone()),
        ("PartitionContext", context),
        ("PartitionKeyArray", array(partition_key)),
        ("OffsetArray", array(|event| Json::text(event.offset.to_string()))),
        ("OffsetStringArray", array(|event| Json::text(event.offset.to_string()))),
        ("SequenceNumberArray", array(|event| Json::from(event.sequence_number))),
        ("EnqueuedTimeUtcArray", array(|event| Json::text(dotnet_time(event.enqueued)))),
        ("PropertiesArray", array(properties)),
        ("SystemPropertiesArray", array(system_properties)),
        ("sys", sys(attempt)),
    ]);
    add_retry_context(&mut metadata, attempt);
    Ok(envelope([(source.binding, Json::Array(bodies).encoded())], metadata))
}

fn single(source: &Source<'_>, event: &Event, attempt: &Attempt) -> Json {
    let context = partition_context(source);
    let mut metadata =
        Json::object([("TriggerPartitionContext", context.clone()), ("PartitionContext", context)]);
    if let Some(key) = &event.partition_key {
        metadata.set("PartitionKey", Json::text(key).encoded());
    }
    metadata.set("Offset", Json::text(event.offset.to_string()).encoded());
    metadata.set("OffsetString", Json::text(event.offset.to_string()).encoded());
    metadata.set("SequenceNumber", Json::text(event.sequence_number.to_string()));
    let whole_seconds = dotnet_time(event.enqueued);
    let whole_seconds = whole_seconds.split('.').next().unwrap_or_default();
    metadata.set("EnqueuedTimeUtc", Json::text(whole_seconds));
    metadata.set("Properties", properties(event));
    metadata.set("SystemProperties", system_properties(event));
    metadata.set("sys", sys(attempt));
    let body = single_body(source.trigger.data_type, &event.body, &mut metadata);
    add_retry_context(&mut metadata, attempt);
    envelope([(source.binding, body)], metadata)
}

/// The envelope of an admin call of an Event Hubs function: one event made of the input text, with the client's default metadata.
///
/// # Errors
///
/// [`BindError`] when the trigger wants JSON and the input is none.
pub fn event_hub_admin(
    trigger: &EventHubTrigger,
    binding: &str,
    input: &str,
    attempt: &Attempt,
) -> Result<Json, BindError> {
    let epoch = "0001-01-01T00:00:00";
    let system = Json::object([
        ("SequenceNumber", Json::from(i64::MIN)),
        ("Offset", Json::from(-1)),
        ("OffsetString", Json::Null),
        ("PartitionKey", Json::Null),
        ("EnqueuedTimeUtc", Json::text(epoch)),
    ]);
    let mut metadata = Json::object([
        ("Offset", Json::text("-1").encoded()),
        ("SequenceNumber", Json::text(i64::MIN.to_string())),
        ("EnqueuedTimeUtc", Json::text(epoch)),
        ("Properties", Json::object([])),
        ("SystemProperties", system),
    ]);
    metadata.set(binding, Json::text(input).encoded());
    metadata.set("sys", sys(attempt));
    let body = match trigger.cardinality {
        Cardinality::Many => {
            Json::Array(vec![body_in_batch(trigger.data_type, input.as_bytes(), i64::MIN)?]).encoded()
        }
        Cardinality::One => single_body(trigger.data_type, input.as_bytes(), &mut metadata),
    };
    add_retry_context(&mut metadata, attempt);
    Ok(envelope([(binding, body)], metadata))
}

/// A schedule's status as the handler sees it; times of .NET with offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerStatus {
    /// Last run, `None` before the first.
    pub last: Option<Timestamp>,
    /// Next run.
    pub next: Timestamp,
    /// When this was stored.
    pub updated: Timestamp,
}

/// The envelope of a timer; `input` is the ignored text of an admin call.
#[must_use]
pub fn timer(
    binding: &str,
    status: Option<&TimerStatus>,
    is_past_due: bool,
    adjust_for_dst: bool,
    input: Option<&str>,
    attempt: &Attempt,
) -> Json {
    let offset_time = |time: Timestamp| Json::text(format!("{}+00:00", dotnet_time(time)));
    let status = match status {
        None => Json::Null,
        Some(status) => Json::object([
            ("Last", status.last.map_or_else(|| Json::text("0001-01-01T00:00:00+00:00"), offset_time)),
            ("Next", offset_time(status.next)),
            ("LastUpdated", offset_time(status.updated)),
        ]),
    };
    let info = Json::object([
        ("Schedule", Json::object([("AdjustForDST", Json::from(adjust_for_dst))])),
        ("ScheduleStatus", status),
        ("IsPastDue", Json::from(is_past_due)),
    ]);
    let mut metadata = Json::object([]);
    if let Some(input) = input {
        metadata.set(binding, Json::text(input).encoded());
    }
    metadata.set("sys", sys(attempt));
    add_retry_context(&mut metadata, attempt);
    envelope([(binding, info)], metadata)
}

/// The two halves of an envelope.
pub(crate) fn envelope<'a>(data: impl IntoIterator<Item = (&'a str, Json)>, metadata: Json) -> Json {
    let data = data.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Json::object([("Data", Json::Object(data)), ("Metadata", metadata)])
}

/// The `sys` object of the metadata.
pub(crate) fn sys(attempt: &Attempt) -> Json {
    Json::object([
        ("MethodName", Json::text(&attempt.function)),
        ("UtcNow", Json::text(format!("{}Z", dotnet_time(attempt.now)))),
        ("RandGuid", Json::text(attempt.rand_guid.to_string())),
    ])
}

/// Adds a JSON object's fields to the metadata, as the host does with a single event's body and with an HTTP body.
pub(crate) fn merge_fields(metadata: &mut Json, fields: &Json) {
    let Json::Object(fields) = fields else { return };
    for (name, value) in fields {
        let is_trigger = name.to_ascii_lowercase().ends_with("trigger");
        match value {
            _ if is_trigger => {}
            Json::Object(_) => metadata.set(name, value.clone()),
            _ => {
                if let Some(text) = value.scalar_text() {
                    metadata.set(name, Json::String(text).encoded());
                }
            }
        }
    }
}

/// Adds `RetryContext` if the function has a retry policy.
pub(crate) fn add_retry_context(metadata: &mut Json, attempt: &Attempt) {
    let Some(retry) = &attempt.retry else { return };
    let context = Json::object([
        ("RetryCount", Json::from(i64::from(retry.count))),
        ("MaxRetryCount", Json::from(retry.max_count)),
        ("Exception", retry.failure.as_ref().map_or(Json::Null, |failure| exception(attempt, failure))),
        ("Instance", Json::Null),
        ("State", Json::object([])),
    ]);
    metadata.set("RetryContext", context);
}

/// The outline of a serialized .NET exception; the real one has stack traces and is several KB long.
fn exception(attempt: &Attempt, failure: &Failure) -> Json {
    Json::object([
        ("InstanceId", Json::text(failure.invocation_id.to_string())),
        ("MethodName", Json::text(format!("Host.Functions.{}", attempt.function))),
        ("Handled", Json::from(false)),
        ("ClassName", Json::text("Microsoft.Azure.WebJobs.Host.FunctionInvocationException")),
        (
            "Message",
            Json::text(format!("Exception while executing function: Functions.{}", attempt.function)),
        ),
        ("Data", Json::Null),
        ("InnerException", Json::object([("Message", Json::text(&failure.message))])),
        ("HelpURL", Json::Null),
        ("StackTraceString", Json::Null),
        ("HResult", Json::from(-2_146_233_088)),
        ("Source", Json::text("Microsoft.Azure.WebJobs.Host")),
    ])
}

fn partition_context(source: &Source<'_>) -> Json {
    Json::object([
        ("IsCheckpointingAfterInvocation", Json::from(true)),
        ("FullyQualifiedNamespace", Json::text(source.namespace)),
        ("EventHubName", Json::text(&source.trigger.hub)),
        ("ConsumerGroup", Json::text(&source.trigger.consumer_group)),
        ("PartitionId", Json::text(source.partition)),
    ])
}

fn partition_key(event: &Event) -> Json {
    event.partition_key.as_ref().map_or(Json::Null, Json::text)
}

fn properties(event: &Event) -> Json {
    Json::Object(event.properties.iter().map(|(name, value)| (name.clone(), Json::from(value))).collect())
}

fn system_properties(event: &Event) -> Json {
    let mut system =
        Json::Object(event.system.iter().map(|(name, value)| (name.clone(), Json::from(value))).collect());
    let offset = event.offset.to_string();
    let enqueued = dotnet_time(event.enqueued);
    system.set("x-opt-sequence-number", Json::from(event.sequence_number));
    system.set("x-opt-offset", Json::text(&offset));
    system.set("x-opt-enqueued-time", Json::text(format!("{enqueued}+00:00")));
    if let Some(key) = &event.partition_key {
        system.set("x-opt-partition-key", Json::text(key));
    }
    system.set("SequenceNumber", Json::from(event.sequence_number));
    system.set("Offset", Json::Integer(offset.clone()));
    system.set("OffsetString", Json::text(offset));
    system.set("PartitionKey", partition_key(event));
    system.set("EnqueuedTimeUtc", Json::text(enqueued));
    system
}

fn body_in_batch(data_type: Option<DataType>, body: &[u8], sequence_number: i64) -> Result<Json, BindError> {
    match data_type {
        Some(DataType::String) => Ok(Json::text(String::from_utf8_lossy(body))),
        Some(DataType::Binary | DataType::Stream) => Ok(Json::text(STANDARD.encode(body))),
        None if body.is_empty() => Ok(Json::Null),
        None => json_net::read(&String::from_utf8_lossy(body))
            .map_err(|error| BindError { sequence_number, reason: error.to_string() }),
    }
}

fn single_body(data_type: Option<DataType>, body: &[u8], metadata: &mut Json) -> Json {
    if data_type == Some(DataType::Binary) {
        return Json::text(STANDARD.encode(body));
    }
    let text = String::from_utf8_lossy(body);
    if let Ok(fields) = json_net::read(&text) {
        merge_fields(metadata, &fields);
    }
    Json::text(text).encoded()
}
