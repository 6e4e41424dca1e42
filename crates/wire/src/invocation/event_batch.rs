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

use super::batch_metadata::{Metadata, PartitionContext};
use super::batch_texts::Texts;
use super::scan::Scanner;
use super::{InvocationError, Retry, text_of};

/// A batch of events of one partition, unescaped once; the events borrow from it.
pub struct EventBatchRequest<'a> {
    texts: Texts,
    metadata: Metadata<'a>,
    partition: Option<PartitionContext>,
    retry: Retry,
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
