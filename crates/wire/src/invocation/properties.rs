//! What the host says about each event of a batch, beside its text.
//!
//! Enters: the `...Array` texts of `Metadata`, unescaped, in any form of JSON. Leaves: positions, times and identities, in
//! the order of the events. It refuses to build any value that nobody reads.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::lenient::Scalar;
use crate::epoch_ms;

/// The system properties of one event that the handler has a use for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SystemProperties<'a> {
    pub(super) device_id: Option<Cow<'a, str>>,
    pub(super) message_source: Option<Cow<'a, str>>,
    pub(super) message_id: Option<Cow<'a, str>>,
    pub(super) sequence_number: Option<i64>,
    pub(super) enqueued_ms: Option<i64>,
}

/// Reads `SystemPropertiesArray`.
pub(super) fn read_system_properties(json: &str) -> Result<Vec<SystemProperties<'_>>, serde_json::Error> {
    serde_json::from_str(json)
}

/// Reads `SequenceNumberArray`; an element that is no sequence number is `None`.
pub(super) fn read_sequence_numbers(json: &str) -> Result<Vec<Option<i64>>, serde_json::Error> {
    Ok(owned::<SequenceNumber>(json)?.into_iter().map(|number| number.0).collect())
}

/// Reads `EnqueuedTimeUtcArray`; an element that is no time is `None`.
pub(super) fn read_times(json: &str) -> Result<Vec<Option<i64>>, serde_json::Error> {
    Ok(owned::<Time>(json)?.into_iter().map(|time| time.0).collect())
}

/// .NET's smallest integer is what an admin call has for "no sequence number".
fn valid_sequence_number(number: i64) -> Option<i64> {
    if number == i64::MIN { None } else { Some(number) }
}

fn owned<T: DeserializeOwned>(json: &str) -> Result<Vec<T>, serde_json::Error> {
    serde_json::from_str(json)
}

struct SequenceNumber(Option<i64>);

impl<'de> Deserialize<'de> for SequenceNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Scalar::deserialize(deserializer)? {
            Scalar::Integer(number) => valid_sequence_number(number),
            Scalar::Text(_) | Scalar::Other => None,
        }))
    }
}

struct Time(Option<i64>);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) => epoch_ms::parse(&text),
            Scalar::Integer(epoch_ms) => Some(epoch_ms),
            Scalar::Other => None,
        }))
    }
}

/// The keys that are read; see <https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-messages-construct>.
#[derive(Deserialize)]
#[serde(field_identifier)]
enum Key {
    #[serde(rename = "iothub-connection-device-id")]
    DeviceId,
    #[serde(rename = "iothub-message-source")]
    MessageSource,
    #[serde(rename = "message-id")]
    MessageId,
    #[serde(alias = "x-opt-sequence-number")]
    SequenceNumber,
    #[serde(rename = "EnqueuedTimeUtc", alias = "x-opt-enqueued-time")]
    EnqueuedTime,
    #[serde(other)]
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for SystemProperties<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PropertiesVisitor)
    }
}

struct PropertiesVisitor;

impl<'de> Visitor<'de> for PropertiesVisitor {
    type Value = SystemProperties<'de>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
                Key::SequenceNumber => {
                    read.sequence_number = map.next_value::<SequenceNumber>()?.0.or(read.sequence_number);
                }
                Key::EnqueuedTime => read.enqueued_ms = map.next_value::<Time>()?.0.or(read.enqueued_ms),
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(read)
    }
}
