//! What the host says about a batch, beside its events' texts.
//!
//! Enters: the values in `Metadata`. Leaves: where the batch comes from, the attempt, and arrays with an element for each
//! event. It refuses to pair them with the events.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::escaped;
use super::properties::{self, SystemProperties};
use super::scan::{BadJson, Scanner};
use super::{InvocationError, Retry};

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

/// What is read of `Metadata`; all of it is optional, since the host adds each key inside a catch-all guard.
#[derive(Default)]
pub(super) struct Metadata<'a> {
    partition_context: Option<&'a str>,
    trigger_partition_context: Option<&'a str>,
    retry_context: Option<&'a str>,
    pub(super) sequence_numbers: Vec<Option<i64>>,
    pub(super) times: Vec<Option<i64>>,
    /// Identities read without unescaping, if `SystemPropertiesArray` has the host's usual form.
    identities: Option<Vec<SystemProperties<'a>>>,
    /// `SystemPropertiesArray` unescaped, if it is there and has another form.
    system_properties_json: Option<String>,
    /// `SystemPropertiesArray` as it is in the body.
    system_properties_raw: Option<&'a str>,
}

impl<'a> Metadata<'a> {
    /// Reads the value that comes next.
    pub(super) fn read(&mut self, scanner: &mut Scanner<'a>, name: &str) -> Result<(), InvocationError> {
        match name {
            "PartitionContext" => self.partition_context = Some(scanner.value()?),
            "TriggerPartitionContext" => self.trigger_partition_context = Some(scanner.value()?),
            "RetryContext" => self.retry_context = Some(scanner.value()?),
            "SequenceNumberArray" => {
                self.sequence_numbers =
                    read_numbers(scanner, name, escaped::read_numbers, properties::read_sequence_numbers)?;
            }
            "EnqueuedTimeUtcArray" => {
                self.times = read_numbers(scanner, name, escaped::read_times, properties::read_times)?;
            }
            "SystemPropertiesArray" => self.read_system_properties(scanner)?,
            _ => {
                scanner.value()?;
            }
        }
        Ok(())
    }

    fn read_system_properties(&mut self, scanner: &mut Scanner<'a>) -> Result<(), BadJson> {
        scanner.peek();
        let start = scanner.at;
        self.identities = read_usual(scanner, escaped::read_identities);
        if self.identities.is_none() {
            self.system_properties_json = Some(array_json(scanner)?.into_owned());
        }
        self.system_properties_raw = Some(&scanner.text[start..scanner.at]);
        Ok(())
    }

    /// System properties, if the array is there; positions and times only when needed.
    pub(super) fn system_properties(
        &self,
        needs_positions: bool,
    ) -> Result<Vec<SystemProperties<'_>>, InvocationError> {
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

    pub(super) fn partition(&self) -> Result<Option<PartitionContext>, InvocationError> {
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

    pub(super) fn retry(&self) -> Result<Retry, InvocationError> {
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

/// Reads the array that comes next, if it has the host's usual form.
fn read_usual<'a, T>(
    scanner: &mut Scanner<'a>,
    read: impl FnOnce(&'a str, usize) -> Option<(T, usize)>,
) -> Option<T> {
    if scanner.peek() != Some(b'"') {
        return None;
    }
    let (elements, end) = read(scanner.text, scanner.at + 1)?;
    scanner.at = end;
    Some(elements)
}

/// Reads the array of numbers or times that comes next, in the usual or any form.
fn read_numbers<'a>(
    scanner: &mut Scanner<'a>,
    name: &str,
    usual: impl FnOnce(&'a str, usize) -> Option<(Vec<i64>, usize)>,
    any: impl FnOnce(&str) -> Result<Vec<Option<i64>>, serde_json::Error>,
) -> Result<Vec<Option<i64>>, InvocationError> {
    match read_usual(scanner, usual) {
        Some(numbers) => Ok(numbers.into_iter().map(Some).collect()),
        None => read_array(name, &array_json(scanner)?, any),
    }
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
    Ok(Cow::Owned(scanner.unescaped()?))
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
