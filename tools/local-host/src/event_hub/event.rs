//! One event: as it is sent, and as the log numbers and stores it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An event that has no place in a partition yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Body.
    pub body: Vec<u8>,
    /// Partition key, if the sender gave one.
    pub partition_key: Option<String>,
    /// Application properties, in order.
    pub properties: Vec<(String, Value)>,
    /// Message properties and annotations that the service stamped, in order.
    pub system: Vec<(String, Value)>,
}

/// An event in its partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Sequence number, up by one per event.
    #[serde(rename = "n")]
    pub sequence_number: i64,
    /// Position in the partition's file, in bytes.
    #[serde(rename = "o")]
    pub offset: u64,
    /// Time of arrival.
    #[serde(rename = "t", with = "millis")]
    pub enqueued: Timestamp,
    /// Partition key, if the sender gave one.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub partition_key: Option<String>,
    /// Application properties, in order.
    #[serde(rename = "p", default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<(String, Value)>,
    /// Message properties and annotations that the service stamped, in order.
    #[serde(rename = "s", default, skip_serializing_if = "Vec::is_empty")]
    pub system: Vec<(String, Value)>,
    /// Body.
    #[serde(rename = "b", with = "base64_text")]
    pub body: Vec<u8>,
}

/// A time as .NET's JSON writer gives it, without zone and without trailing zeros.
#[must_use]
pub fn dotnet_time(time: Timestamp) -> String {
    let civil = jiff::tz::Offset::UTC.to_datetime(time);
    let ticks = civil.subsec_nanosecond() / 100;
    let whole = civil.strftime("%Y-%m-%dT%H:%M:%S");
    if ticks == 0 {
        return whole.to_string();
    }
    format!("{whole}.{}", format!("{ticks:07}").trim_end_matches('0'))
}

mod millis {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(time.as_millisecond())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let millis = i64::deserialize(deserializer)?;
        Timestamp::from_millisecond(millis).map_err(D::Error::custom)
    }
}

mod base64_text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(body: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(body))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}
