//! The Event Hubs trigger's request, as asked for with `cardinality: many` and `dataType: string`.
//!
//! Enters: the request's body. Leaves: the partition, the attempt, and one [`Event`] for each event, in order, its text
//! byte for byte as the host delivered it. It refuses to know what the text means; other encodings are errors that name
//! the key of function.json to change.
//!
//! Two encodings cannot be told from ours on the wire, because their elements are strings too: `dataType: binary` (base64
//! arrives as the text) and an unset `dataType` when every event happens to be a JSON string (its content arrives).
//! [`crate::bindings::FunctionJson::check_event_batches`] tells them apart where function.json is at hand.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::lenient::Scalar;
use super::properties::{self, SystemProperties};
use super::unescape::unescape_into;
use super::{InvocationError, Retry, text_of};

const EXPECTED: &str = "a json array of strings, as text";
const CURE_CARDINALITY: &str = "set `cardinality` to `many` in function.json";
const CURE_DATA_TYPE: &str = "set `dataType` to `string` in function.json";

/// A batch of events of one partition, unescaped once; the events borrow from it.
pub struct EventBatchRequest<'a> {
    texts: String,
    bounds: Vec<Range<usize>>,
    metadata: Metadata<'a>,
    partition: Option<PartitionContext>,
}

/// The place that a batch comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionContext {
    /// Fully qualified namespace of the event hub.
    pub namespace: String,
    /// Name of the event hub.
    pub hub: String,
    /// Consumer group.
    pub consumer_group: String,
    /// Partition id.
    pub partition: String,
}

/// One event, as the host delivered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// Position in the partition; absent for admin calls.
    pub sequence_number: Option<i64>,
    /// When the hub took the event, epoch milliseconds in UTC; absent for admin calls.
    pub enqueued_ms: Option<i64>,
    /// Who IoT Hub says the device is; a device cannot forge it. Absent on a bare event hub.
    pub device_id: Option<Cow<'a, str>>,
    /// What IoT Hub says produced the event; `Telemetry` for a device's message.
    pub message_source: Option<Cow<'a, str>>,
    /// The sender's message id, if it is a string.
    pub message_id: Option<Cow<'a, str>>,
    /// The event's body.
    pub text: Cow<'a, str>,
}

impl<'a> EventBatchRequest<'a> {
    /// Reads the request's body; `binding` is the trigger's name in function.json.
    ///
    /// # Errors
    ///
    /// [`InvocationError`] when the body is not UTF-8, not an envelope, lacks the binding, or has its events in another
    /// encoding.
    pub fn parse(body: &'a [u8], binding: &str) -> Result<Self, InvocationError> {
        let text = text_of(body)?;
        let envelope =
            read_envelope(text, binding).map_err(|error| InvocationError::not_an_envelope(&error))?;
        let input =
            envelope.input.ok_or_else(|| InvocationError::MissingInput { binding: binding.to_owned() })?;
        let (texts, bounds) = read_texts(&input, binding)?;
        let partition = partition_of(&envelope.metadata)?;
        Ok(Self { texts, bounds, metadata: envelope.metadata, partition })
    }

    /// The events, in the partition's order.
    ///
    /// The host sends metadata as arrays beside the events. An array that is missing, or that has another number of
    /// elements than there are events, says nothing about any event: the fields that it would fill are `None`. Sequence
    /// number and time then come from the event's system properties, if those are there.
    ///
    /// # Errors
    ///
    /// [`InvocationError::NotAnEnvelope`] when an array is there but is not JSON.
    pub fn events(&self) -> Result<Vec<Event<'_>>, InvocationError> {
        let n_events = self.bounds.len();
        let mut numbers = read_array(
            self.metadata.sequence_number_array.as_ref(),
            n_events,
            properties::read_sequence_numbers,
        )?;
        let mut times =
            read_array(self.metadata.enqueued_time_utc_array.as_ref(), n_events, properties::read_times)?;
        let has_gaps = numbers.iter().chain(&times).any(Option::is_none);
        let with_positions = has_gaps || numbers.is_empty() || times.is_empty();
        let mut system = read_array(self.metadata.system_properties_array.as_ref(), n_events, |json| {
            properties::read_system_properties(json, with_positions)
        })?;
        numbers.resize(n_events, None);
        times.resize(n_events, None);
        system.resize_with(n_events, SystemProperties::default);
        let metadata = numbers.into_iter().zip(times).zip(system);
        let events = self.bounds.iter().zip(metadata).map(|(bounds, ((number, time), system))| Event {
            sequence_number: number.or(system.sequence_number),
            enqueued_ms: time.or(system.enqueued_ms),
            device_id: system.device_id,
            message_source: system.message_source,
            message_id: system.message_id,
            text: Cow::Borrowed(&self.texts[bounds.clone()]),
        });
        Ok(events.collect())
    }

    /// Where the batch comes from; `None` for a call through the admin API.
    #[must_use]
    pub fn partition(&self) -> Option<&PartitionContext> {
        self.partition.as_ref()
    }

    /// The attempt; the default when function.json has no retry policy.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.metadata.retry_context.unwrap_or_default()
    }
}

impl fmt::Debug for EventBatchRequest<'_> {
    /// Says how much it holds, not what: texts come from devices.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EventBatchRequest")
            .field("n_events", &self.bounds.len())
            .field("text_bytes", &self.texts.len())
            .field("partition", &self.partition)
            .field("retry", &self.retry())
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Envelope<'a> {
    input: Option<Scalar<'a>>,
    metadata: Metadata<'a>,
}

/// What is read of `Metadata`; all of it is optional, since the host adds each key inside a catch-all guard.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Metadata<'a> {
    partition_context: Option<RawPartitionContext>,
    trigger_partition_context: Option<RawPartitionContext>,
    #[serde(borrow)]
    sequence_number_array: Option<Scalar<'a>>,
    #[serde(borrow)]
    enqueued_time_utc_array: Option<Scalar<'a>>,
    #[serde(borrow)]
    system_properties_array: Option<Scalar<'a>>,
    retry_context: Option<Retry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawPartitionContext {
    fully_qualified_namespace: Option<String>,
    event_hub_name: Option<String>,
    consumer_group: Option<String>,
    partition_id: Option<String>,
}

fn partition_of(metadata: &Metadata<'_>) -> Result<Option<PartitionContext>, InvocationError> {
    let Some(raw) = metadata.partition_context.as_ref().or(metadata.trigger_partition_context.as_ref())
    else {
        return Ok(None);
    };
    let known =
        |value: &Option<String>, field| value.clone().ok_or(InvocationError::PartitionContext { field });
    Ok(Some(PartitionContext {
        namespace: known(&raw.fully_qualified_namespace, "FullyQualifiedNamespace")?,
        hub: known(&raw.event_hub_name, "EventHubName")?,
        consumer_group: known(&raw.consumer_group, "ConsumerGroup")?,
        partition: known(&raw.partition_id, "PartitionId")?,
    }))
}

/// Elements of a metadata array; none when the array is missing or has another length than the events.
fn read_array<'s, T>(
    array: Option<&'s Scalar<'_>>,
    n_events: usize,
    read: impl FnOnce(&'s str) -> Result<Vec<T>, sonic_rs::Error>,
) -> Result<Vec<T>, InvocationError> {
    let Some(Scalar::Text(json)) = array else {
        return Ok(Vec::new());
    };
    let elements = read(json).map_err(|error| InvocationError::not_an_envelope(&error))?;
    if elements.len() == n_events { Ok(elements) } else { Ok(Vec::new()) }
}

/// Unescapes the events' texts into one buffer, and says where each lies.
fn read_texts(input: &Scalar<'_>, binding: &str) -> Result<(String, Vec<Range<usize>>), InvocationError> {
    let wrong = |found: String, cure| InvocationError::Encoding {
        binding: binding.to_owned(),
        expected: EXPECTED,
        found,
        cure,
    };
    let Scalar::Text(json) = input else {
        return Err(wrong(input.kind().to_owned(), CURE_CARDINALITY));
    };
    let Some(mut at) = after(json, 0, b'[') else {
        return Err(wrong("text that is no array".to_owned(), CURE_CARDINALITY));
    };
    let mut texts = String::with_capacity(json.len());
    let mut bounds = Vec::new();
    if let Some(end) = after(json, at, b']') {
        return finish(json, end, texts, bounds)
            .ok_or_else(|| wrong("a broken array".to_owned(), CURE_CARDINALITY));
    }
    loop {
        let Some(content) = after(json, at, b'"') else {
            let found = format!("an array whose element {} is no string", bounds.len());
            return Err(wrong(found, CURE_DATA_TYPE));
        };
        let start = texts.len();
        at = unescape_into(json, content, &mut texts)
            .map_err(|bad| wrong(format!("a broken string at byte {}", bad.at), CURE_DATA_TYPE))?;
        bounds.push(start..texts.len());
        if let Some(next) = after(json, at, b',') {
            at = next;
            continue;
        }
        let end = after(json, at, b']').and_then(|end| finish(json, end, texts, bounds));
        return end.ok_or_else(|| wrong("a broken array".to_owned(), CURE_CARDINALITY));
    }
}

/// The offset after `wanted`, which may have white space before it.
fn after(json: &str, from: usize, wanted: u8) -> Option<usize> {
    let rest = json.as_bytes().get(from..)?;
    let n_spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
    if rest.get(n_spaces) == Some(&wanted) { Some(from + n_spaces + 1) } else { None }
}

/// The result, provided that nothing but white space follows the array.
fn finish(
    json: &str,
    end: usize,
    texts: String,
    bounds: Vec<Range<usize>>,
) -> Option<(String, Vec<Range<usize>>)> {
    if json[end..].trim_ascii_start().is_empty() { Some((texts, bounds)) } else { None }
}

fn read_envelope<'a>(text: &'a str, binding: &str) -> Result<Envelope<'a>, sonic_rs::Error> {
    let mut deserializer = sonic_rs::Deserializer::from_str(text);
    let envelope = (&mut deserializer).deserialize_map(EnvelopeVisitor { binding })?;
    deserializer.end()?;
    Ok(envelope)
}

#[derive(Deserialize)]
#[serde(field_identifier)]
enum EnvelopeKey {
    Data,
    Metadata,
    #[serde(other)]
    Other,
}

struct EnvelopeVisitor<'b> {
    binding: &'b str,
}

impl<'de> Visitor<'de> for EnvelopeVisitor<'_> {
    type Value = Envelope<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an invocation envelope")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut envelope = Envelope::default();
        while let Some(key) = map.next_key::<EnvelopeKey>()? {
            match key {
                EnvelopeKey::Data => {
                    envelope.input = map.next_value_seed(Inputs { binding: self.binding })?
                }
                EnvelopeKey::Metadata => envelope.metadata = map.next_value()?,
                EnvelopeKey::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(envelope)
    }
}

/// Picks one input out of `Data`.
struct Inputs<'b> {
    binding: &'b str,
}

impl<'de> DeserializeSeed<'de> for Inputs<'_> {
    type Value = Option<Scalar<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Inputs<'_> {
    type Value = Option<Scalar<'de>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of inputs")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut input = None;
        while let Some(name) = map.next_key::<Scalar<'de>>()? {
            if matches!(&name, Scalar::Text(name) if name == self.binding) {
                input = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(input)
    }
}
