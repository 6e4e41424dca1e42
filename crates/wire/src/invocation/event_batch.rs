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
use serde::de::DeserializeOwned;

use super::escaped;
use super::properties::{self, SystemProperties};
use super::scan::{BadJson, Scanner};
use super::unescape::unescape_into;
use super::{InvocationError, Retry, text_of};

const EXPECTED: &str = "a json array of strings, as text";
const CURE_CARDINALITY: &str = "set `cardinality` to `many` in function.json";
const CURE_DATA_TYPE: &str = "set `dataType` to `string` in function.json";

/// A batch of events of one partition, unescaped once; the events borrow from it.
pub struct EventBatchRequest<'a> {
    texts: Texts,
    metadata: Metadata<'a>,
    partition: Option<PartitionContext>,
    retry: Retry,
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
        let mut texts = None;
        let mut metadata = Metadata::default();
        let mut scanner = Scanner::new(text_of(body)?);
        scanner.object(|scanner, key| match key {
            "Data" => scanner.object(|scanner, name| {
                if name == binding {
                    texts = Some(Texts::read(scanner, binding)?);
                } else {
                    scanner.value()?;
                }
                Ok(())
            }),
            "Metadata" => scanner.object(|scanner, name| metadata.read(scanner, name)),
            _ => Ok(scanner.value().map(drop)?),
        })?;
        if scanner.peek().is_some() {
            return Ok(scanner.bad()?);
        }
        let texts = texts.ok_or_else(|| InvocationError::MissingInput { binding: binding.to_owned() })?;
        let (partition, retry) = (metadata.partition()?, metadata.retry()?);
        Ok(Self { texts, metadata, partition, retry })
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
        let n_events = self.texts.bounds.len();
        let numbers = resized(self.metadata.sequence_numbers.clone(), n_events);
        let times = resized(self.metadata.times.clone(), n_events);
        let needs_positions = numbers.iter().chain(&times).any(Option::is_none);
        let system = resized(self.metadata.system_properties(needs_positions)?, n_events);
        let metadata = numbers.into_iter().zip(times).zip(system);
        let events = self.texts.bounds.iter().zip(metadata).map(|(bounds, ((number, time), system))| Event {
            sequence_number: number.or(system.sequence_number),
            enqueued_ms: time.or(system.enqueued_ms),
            device_id: system.device_id,
            message_source: system.message_source,
            message_id: system.message_id,
            text: Cow::Borrowed(&self.texts.buffer[bounds.clone()]),
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
        self.retry
    }
}

impl fmt::Debug for EventBatchRequest<'_> {
    /// Says how much it holds, not what: texts come from devices.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EventBatchRequest")
            .field("n_events", &self.texts.bounds.len())
            .field("text_bytes", &self.texts.buffer.len())
            .field("partition", &self.partition)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

/// The elements if there are as many as events, else as many empty ones.
fn resized<T: Default>(elements: Vec<T>, n_events: usize) -> Vec<T> {
    if elements.len() == n_events {
        elements
    } else {
        std::iter::repeat_with(T::default).take(n_events).collect()
    }
}

/// The texts of all events in one buffer, and where each lies.
struct Texts {
    buffer: String,
    bounds: Vec<Range<usize>>,
}

impl Texts {
    /// Reads the trigger's value, which comes next.
    fn read(scanner: &mut Scanner<'_>, binding: &str) -> Result<Self, InvocationError> {
        let wrong = |(found, cure)| InvocationError::Encoding {
            binding: binding.to_owned(),
            expected: EXPECTED,
            found,
            cure,
        };
        if scanner.peek() != Some(b'"') {
            let found = kind_of(scanner.value()?).to_owned();
            return Err(wrong((found, CURE_CARDINALITY)));
        }
        let mut texts = Self { buffer: String::with_capacity(scanner.text.len() / 8), bounds: Vec::new() };
        let content = scanner.at + 1;
        if let Some(end) = escaped::read_texts(scanner.text, content, &mut texts.buffer, &mut texts.bounds) {
            scanner.at = end;
            return Ok(texts);
        }
        Self::read_any_form(&unescape(scanner)?).map_err(wrong)
    }

    /// Reads an array of strings in any form of JSON; the error says what was found instead, and what to change.
    fn read_any_form(json: &str) -> Result<Self, (String, &'static str)> {
        let mut texts = Self { buffer: String::with_capacity(json.len()), bounds: Vec::new() };
        let mut scanner = Scanner::new(json);
        let broken = || ("a broken array".to_owned(), CURE_CARDINALITY);
        if !scanner.eat(b'[') {
            return Err(("text that is no array".to_owned(), CURE_CARDINALITY));
        }
        if !scanner.eat(b']') {
            loop {
                texts.push(&mut scanner)?;
                if scanner.eat(b']') {
                    break;
                }
                if !scanner.eat(b',') {
                    return Err(broken());
                }
            }
        }
        if scanner.peek().is_some() { Err(broken()) } else { Ok(texts) }
    }

    fn push(&mut self, scanner: &mut Scanner<'_>) -> Result<(), (String, &'static str)> {
        let index = self.bounds.len();
        if scanner.peek() != Some(b'"') {
            let kind = scanner.value().map_or("broken", kind_of);
            return Err((format!("an array whose element {index} is {kind}"), CURE_DATA_TYPE));
        }
        let start = self.buffer.len();
        scanner.at = unescape_into(scanner.text, scanner.at + 1, &mut self.buffer).map_err(|bad| {
            (format!("a string that is broken at byte {} as element {index}", bad.at), CURE_DATA_TYPE)
        })?;
        self.bounds.push(start..self.buffer.len());
        Ok(())
    }
}

fn kind_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// Unescapes the string that comes next, and steps over it.
fn unescape(scanner: &mut Scanner<'_>) -> Result<String, BadJson> {
    let mut json = String::new();
    scanner.at =
        unescape_into(scanner.text, scanner.at + 1, &mut json).map_err(|bad| BadJson { at: bad.at })?;
    Ok(json)
}

/// What is read of `Metadata`; all of it is optional, since the host adds each key inside a catch-all guard.
#[derive(Default)]
struct Metadata<'a> {
    partition_context: Option<&'a str>,
    trigger_partition_context: Option<&'a str>,
    retry_context: Option<&'a str>,
    sequence_numbers: Vec<Option<i64>>,
    times: Vec<Option<i64>>,
    /// Identities read without unescaping, if `SystemPropertiesArray` has the host's usual form.
    identities: Option<Vec<SystemProperties<'a>>>,
    /// `SystemPropertiesArray` unescaped, if it is there and has another form.
    system_properties_json: Option<String>,
    /// `SystemPropertiesArray` as it is in the body.
    system_properties_raw: Option<&'a str>,
}

impl<'a> Metadata<'a> {
    /// Reads the value that comes next.
    fn read(&mut self, scanner: &mut Scanner<'a>, name: &str) -> Result<(), InvocationError> {
        match name {
            "PartitionContext" => self.partition_context = Some(scanner.value()?),
            "TriggerPartitionContext" => self.trigger_partition_context = Some(scanner.value()?),
            "RetryContext" => self.retry_context = Some(scanner.value()?),
            "SequenceNumberArray" => {
                let json = array_json(scanner)?;
                self.sequence_numbers = read_array(name, &json, properties::read_sequence_numbers)?;
            }
            "EnqueuedTimeUtcArray" => self.times = read_times(scanner, name)?,
            "SystemPropertiesArray" => self.read_system_properties(scanner)?,
            _ => {
                scanner.value()?;
            }
        }
        Ok(())
    }

    fn read_system_properties(&mut self, scanner: &mut Scanner<'a>) -> Result<(), BadJson> {
        let is_string = scanner.peek() == Some(b'"');
        let start = scanner.at;
        match escaped::read_identities(scanner.text, start + 1) {
            Some((identities, end)) if is_string => {
                self.identities = Some(identities);
                scanner.at = end;
            }
            _ => self.system_properties_json = Some(array_json(scanner)?.into_owned()),
        }
        self.system_properties_raw = Some(&scanner.text[start..scanner.at]);
        Ok(())
    }

    /// System properties, if the array is there; positions and times only when needed.
    fn system_properties(&self, needs_positions: bool) -> Result<Vec<SystemProperties<'_>>, InvocationError> {
        let name = "SystemPropertiesArray";
        if let Some(json) = &self.system_properties_json {
            return read_array(name, json, properties::read_system_properties);
        }
        let mut system = self.identities.clone().unwrap_or_default();
        if let (true, Some(raw)) = (needs_positions, self.system_properties_raw) {
            let json = array_json(&mut Scanner::new(raw))?;
            let complete = read_array(name, &json, properties::read_system_properties)?;
            for (identity, complete) in system.iter_mut().zip(complete) {
                identity.sequence_number = complete.sequence_number;
                identity.enqueued_ms = complete.enqueued_ms;
            }
        }
        Ok(system)
    }

    fn partition(&self) -> Result<Option<PartitionContext>, InvocationError> {
        let Some(json) = self.partition_context.or(self.trigger_partition_context) else {
            return Ok(None);
        };
        let Some(raw) = read_object::<RawPartitionContext>("PartitionContext", json)? else {
            return Ok(None);
        };
        let known = |value: Option<String>, field| value.ok_or(InvocationError::PartitionContext { field });
        Ok(Some(PartitionContext {
            namespace: known(raw.fully_qualified_namespace, "FullyQualifiedNamespace")?,
            hub: known(raw.event_hub_name, "EventHubName")?,
            consumer_group: known(raw.consumer_group, "ConsumerGroup")?,
            partition: known(raw.partition_id, "PartitionId")?,
        }))
    }

    fn retry(&self) -> Result<Retry, InvocationError> {
        let read = self.retry_context.map(|json| read_object("RetryContext", json)).transpose()?;
        Ok(read.flatten().unwrap_or_default())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawPartitionContext {
    fully_qualified_namespace: Option<String>,
    event_hub_name: Option<String>,
    consumer_group: Option<String>,
    partition_id: Option<String>,
}

fn read_times(scanner: &mut Scanner<'_>, name: &str) -> Result<Vec<Option<i64>>, InvocationError> {
    let mut ahead = *scanner;
    if ahead.peek() == Some(b'"')
        && let Some(times) = properties::plain_times(ahead.string()?, "\\\"")
    {
        *scanner = ahead;
        return Ok(times);
    }
    read_array(name, &array_json(scanner)?, properties::read_times)
}

/// The JSON text of an array that comes next, which is inside a string unless some later host writes it plainly.
fn array_json<'a>(scanner: &mut Scanner<'a>) -> Result<Cow<'a, str>, BadJson> {
    if scanner.peek() != Some(b'"') {
        return Ok(Cow::Borrowed(scanner.value()?));
    }
    let mut ahead = *scanner;
    let content = ahead.string()?;
    if !content.contains('\\') {
        *scanner = ahead;
        return Ok(Cow::Borrowed(content));
    }
    Ok(Cow::Owned(unescape(scanner)?))
}

fn read_array<'s, T>(
    name: &str,
    json: &'s str,
    read: impl FnOnce(&'s str) -> Result<Vec<T>, serde_json::Error>,
) -> Result<Vec<T>, InvocationError> {
    if json == "null" {
        return Ok(Vec::new());
    }
    read(json).map_err(|error| InvocationError::unreadable(name, &error))
}

fn read_object<T: DeserializeOwned>(name: &str, json: &str) -> Result<Option<T>, InvocationError> {
    serde_json::from_str(json).map_err(|error| InvocationError::unreadable(name, &error))
}
