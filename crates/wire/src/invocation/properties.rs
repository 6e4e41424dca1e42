//! What the host says about each event of a batch, beside its text.
//!
//! Enters: the unescaped `...Array` texts of `Metadata`, of which nine tenths is never asked for. Leaves: positions, times
//! and identities, in the order of the events. It refuses to build any value that nobody reads.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::epoch_ms;
use super::lenient::Scalar;

/// The system properties of one event that the handler has a use for.
#[derive(Debug, Default)]
pub(super) struct SystemProperties<'a> {
    pub(super) device_id: Option<Cow<'a, str>>,
    pub(super) message_source: Option<Cow<'a, str>>,
    pub(super) message_id: Option<Cow<'a, str>>,
    pub(super) sequence_number: Option<i64>,
    pub(super) enqueued_ms: Option<i64>,
}

/// Reads `SystemPropertiesArray`; positions and times only when `with_positions`, since they have arrays of their own.
pub(super) fn read_system_properties(
    json: &str,
    with_positions: bool,
) -> Result<Vec<SystemProperties<'_>>, sonic_rs::Error> {
    read(json, PropertiesSeed { with_positions })
}

/// Reads `SequenceNumberArray`; an element that is no sequence number is `None`.
pub(super) fn read_sequence_numbers(json: &str) -> Result<Vec<Option<i64>>, sonic_rs::Error> {
    read(json, SequenceNumberSeed)
}

/// Reads `EnqueuedTimeUtcArray`; an element that is no time is `None`.
pub(super) fn read_times(json: &str) -> Result<Vec<Option<i64>>, sonic_rs::Error> {
    read(json, TimeSeed)
}

/// .NET's smallest integer is what an admin call has for "no sequence number".
pub(super) fn sequence_number(value: &Scalar<'_>) -> Option<i64> {
    match value {
        Scalar::Integer(number) if *number != i64::MIN => Some(*number),
        _ => None,
    }
}

fn read<'a, S>(json: &'a str, seed: S) -> Result<Vec<S::Value>, sonic_rs::Error>
where
    S: DeserializeSeed<'a> + Copy,
{
    let mut deserializer = sonic_rs::Deserializer::from_str(json);
    let elements = (&mut deserializer).deserialize_seq(Elements(seed))?;
    deserializer.end()?;
    Ok(elements)
}

struct Elements<S>(S);

impl<'de, S: DeserializeSeed<'de> + Copy> Visitor<'de> for Elements<S> {
    type Value = Vec<S::Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array with an element for each event")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = sequence.next_element_seed(self.0)? {
            elements.push(element);
        }
        Ok(elements)
    }
}

#[derive(Clone, Copy)]
struct SequenceNumberSeed;

impl<'de> DeserializeSeed<'de> for SequenceNumberSeed {
    type Value = Option<i64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Ok(sequence_number(&Scalar::deserialize(deserializer)?))
    }
}

#[derive(Clone, Copy)]
struct TimeSeed;

impl<'de> DeserializeSeed<'de> for TimeSeed {
    type Value = Option<i64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Ok(epoch_ms::from_scalar(&Scalar::deserialize(deserializer)?))
    }
}

#[derive(Clone, Copy)]
struct PropertiesSeed {
    with_positions: bool,
}

impl<'de> DeserializeSeed<'de> for PropertiesSeed {
    type Value = SystemProperties<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// The keys that are read; see <https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-messages-construct>.
#[derive(serde::Deserialize)]
#[serde(field_identifier)]
enum Key {
    #[serde(rename = "iothub-connection-device-id")]
    DeviceId,
    #[serde(rename = "iothub-message-source")]
    MessageSource,
    #[serde(rename = "message-id")]
    MessageId,
    SequenceNumber,
    #[serde(rename = "x-opt-sequence-number")]
    AmqpSequenceNumber,
    EnqueuedTimeUtc,
    #[serde(rename = "x-opt-enqueued-time")]
    AmqpEnqueuedTime,
    #[serde(other)]
    Other,
}

impl<'de> Visitor<'de> for PropertiesSeed {
    type Value = SystemProperties<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the system properties of an event")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(SystemProperties::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut read = SystemProperties::default();
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::DeviceId => read.device_id = map.next_value::<Scalar<'de>>()?.into_text(),
                Key::MessageSource => read.message_source = map.next_value::<Scalar<'de>>()?.into_text(),
                Key::MessageId => read.message_id = map.next_value::<Scalar<'de>>()?.into_text(),
                Key::SequenceNumber | Key::AmqpSequenceNumber if self.with_positions => {
                    let value = map.next_value::<Scalar<'de>>()?;
                    read.sequence_number = sequence_number(&value).or(read.sequence_number);
                }
                Key::EnqueuedTimeUtc | Key::AmqpEnqueuedTime if self.with_positions => {
                    let value = map.next_value::<Scalar<'de>>()?;
                    read.enqueued_ms = epoch_ms::from_scalar(&value).or(read.enqueued_ms);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(read)
    }
}
