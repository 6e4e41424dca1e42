//! What devices send: one reading, an array of readings, or `{"deviceId": ..., "readings": [...]}`.
//!
//! The text of an event enters; readings and rejects leave, side by side and in order.
//! Nothing a device can write makes this module fail: what is no reading is a [`Reject`] that says why.

mod bounded;

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

pub use bounded::bound_rejects;

/// Readings accepted in one event.
pub const MAX_READINGS_PER_EVENT: usize = 500;
/// Rejects that one event may leave.
pub const MAX_REJECTS_PER_EVENT: usize = 16;
/// Longest device id, in bytes: IoT Hub's own limit.
pub const MAX_DEVICE_ID_BYTES: usize = 128;
/// Deepest nesting accepted; readings have three levels.
pub const MAX_DEPTH: usize = 32;
/// How far a device's clock may run ahead of the hub's, in milliseconds.
pub const MAX_CLOCK_AHEAD_MS: i64 = 5 * 60 * 1000;

/// Bytes of a parser's complaint that are kept.
const MAX_COMPLAINT_BYTES: usize = 200;
/// Texts up to this length are parsed as they are: their brackets cannot exhaust the stack.
const SHALLOW_BYTES: usize = 256;

/// A decoded telemetry reading whose numbers are not judged yet.
#[derive(Debug, Clone, PartialEq)]
pub struct TelemetryReading<'a> {
    /// Who sent it: the hub's word where it gave one, else the body's.
    pub device_id: Cow<'a, str>,
    /// When it was measured, in epoch milliseconds.
    pub timestamp_ms: i64,
    /// Degrees Celsius; finite, since JSON knows nothing else.
    pub celsius: f64,
}

/// Why an event, or one element of it, is no reading.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Reject {
    /// The text is not JSON.
    #[error("malformed: {0}")]
    Malformed(String),
    /// An element is no JSON object.
    #[error("not-an-object: a reading is a JSON object")]
    NotAnObject,
    /// No readings at all.
    #[error("empty: the event holds no reading")]
    Empty,
    /// More readings than one event may hold.
    #[error("too-many-readings: {0} readings, at most 500 are accepted in one event")]
    TooManyReadings(usize),
    /// What is left of the event's rejects when each has its own entry up to [`MAX_REJECTS_PER_EVENT`].
    #[error(
        "too-many-rejects: {n_parts} further parts of the event are no readings; the first of them: {first}"
    )]
    TooManyRejects {
        /// Parts of the event that this stands for.
        n_parts: usize,
        /// What is wrong with the first of them.
        first: String,
    },
    /// Neither the hub nor the body names the device.
    #[error("missing-device-id: neither the hub nor the body names the device")]
    MissingDeviceId,
    /// The id is empty, too long, not text, holds control characters, or looks like a date, which the host rewrites.
    #[error("invalid-device-id: an id is text of 1 to 128 bytes without control characters, and no date")]
    InvalidDeviceId,
    /// The body claims to be another device than the hub authenticated.
    #[error("spoofed-device-id: the hub authenticated another device")]
    SpoofedDeviceId,
    /// There is no temperature.
    #[error("missing-temperature: field `temperature` is absent or null")]
    MissingTemperature,
    /// The temperature is no number, or none that a thermometer can say.
    #[error("invalid-temperature: {0}")]
    InvalidTemperature(String),
    /// There is no timestamp.
    #[error("missing-timestamp: field `timestamp` is absent or null")]
    MissingTimestamp,
    /// The timestamp is neither RFC 3339 nor epoch milliseconds.
    #[error("invalid-timestamp: expected RFC 3339 or epoch milliseconds")]
    InvalidTimestamp,
    /// The device's clock is ahead of the hub's.
    #[error("clock-ahead: {0} ms ahead of the hub's clock, at most 300000 are accepted")]
    ClockAhead(i64),
    /// Scoring it makes the program fail.
    #[error("poison: {0}")]
    Poison(String),
}

impl Reject {
    /// The reason in one word, as stored and counted.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::NotAnObject => "not-an-object",
            Self::Empty => "empty",
            Self::TooManyReadings(_) => "too-many-readings",
            Self::TooManyRejects { .. } => "too-many-rejects",
            Self::MissingDeviceId => "missing-device-id",
            Self::InvalidDeviceId => "invalid-device-id",
            Self::SpoofedDeviceId => "spoofed-device-id",
            Self::MissingTemperature => "missing-temperature",
            Self::InvalidTemperature(_) => "invalid-temperature",
            Self::MissingTimestamp => "missing-timestamp",
            Self::InvalidTimestamp => "invalid-timestamp",
            Self::ClockAhead(_) => "clock-ahead",
            Self::Poison(_) => "poison",
        }
    }
}

/// What the hub says of an event, beside its text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    /// The device that the hub authenticated.
    pub device_id: Option<&'a str>,
    /// When the hub took the event in, in epoch milliseconds.
    pub enqueued_ms: Option<i64>,
}

/// Decodes the text of an event into readings and rejects, in order; at least one of either, and few rejects.
pub fn decode<'a>(text: &'a str, origin: Origin<'a>, out: &mut Vec<Result<TelemetryReading<'a>, Reject>>) {
    let from = out.len();
    decode_parts(text, origin, out);
    bound_rejects(out, from);
}

fn decode_parts<'a>(text: &'a str, origin: Origin<'a>, out: &mut Vec<Result<TelemetryReading<'a>, Reject>>) {
    let json = text.trim_start_matches('\u{feff}').trim_start();
    if json.len() > SHALLOW_BYTES && is_too_deep(json) {
        out.push(Err(Reject::Malformed(format!("nested deeper than {MAX_DEPTH} levels"))));
        return;
    }
    if json.starts_with('[') {
        match sonic_rs::from_str::<Elements<'a>>(json) {
            Ok(Elements { n_elements, .. }) if n_elements > MAX_READINGS_PER_EVENT => {
                out.push(Err(Reject::TooManyReadings(n_elements)));
            }
            Ok(Elements { n_elements: 0, .. }) => out.push(Err(Reject::Empty)),
            Ok(Elements { elements, .. }) => {
                out.extend(elements.into_iter().map(|element| element.into_reading(None, origin)));
            }
            Err(error) => out.push(Err(malformed(&error))),
        }
        return;
    }
    match sonic_rs::from_str::<Element<'a>>(json) {
        Ok(Element::Pack { device_id, readings }) => decode_pack(&device_id, readings, origin, out),
        Ok(element) => out.push(element.into_reading(None, origin)),
        Err(error) => out.push(Err(malformed(&error))),
    }
}

/// Whether brackets outside strings nest too deep for a parser that calls itself.
fn is_too_deep(json: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

fn decode_pack<'a>(
    device_id: &Field<'a>,
    readings: Elements<'a>,
    origin: Origin<'a>,
    out: &mut Vec<Result<TelemetryReading<'a>, Reject>>,
) {
    if readings.n_elements > MAX_READINGS_PER_EVENT {
        out.push(Err(Reject::TooManyReadings(readings.n_elements)));
    } else if readings.n_elements == 0 {
        out.push(Err(Reject::Empty));
    } else {
        out.extend(
            readings.elements.into_iter().map(|element| element.into_reading(Some(device_id), origin)),
        );
    }
}

/// Names the parser's complaint without the excerpt of the text that it would add.
///
/// A complaint of a wrong type repeats the value, however long it is.
fn malformed(error: &sonic_rs::Error) -> Reject {
    let message = error.to_string();
    let line = message.lines().next().unwrap_or("not JSON").trim();
    Reject::Malformed(line[..line.floor_char_boundary(MAX_COMPLAINT_BYTES)].to_owned())
}

/// A field that may hold anything, since devices may write anything.
#[derive(Debug, Clone, Default, PartialEq)]
enum Field<'a> {
    #[default]
    Missing,
    Integer(i64),
    Float(f64),
    Text(Cow<'a, str>),
    Other,
}

/// One element of an event.
enum Element<'a> {
    Reading { device_id: Field<'a>, temperature: Field<'a>, timestamp: Field<'a> },
    Pack { device_id: Field<'a>, readings: Elements<'a> },
    NotAnObject,
}

/// The elements of an array, kept up to the limit and counted beyond it.
#[derive(Default)]
struct Elements<'a> {
    elements: Vec<Element<'a>>,
    n_elements: usize,
}

impl<'a> Element<'a> {
    fn into_reading(
        self,
        pack_id: Option<&Field<'a>>,
        origin: Origin<'a>,
    ) -> Result<TelemetryReading<'a>, Reject> {
        let Self::Reading { device_id, temperature, timestamp } = self else {
            return Err(Reject::NotAnObject);
        };
        let claimed = match (device_id, pack_id) {
            (Field::Missing, Some(pack_id)) => pack_id.clone(),
            (own, _) => own,
        };
        let device_id = identify(claimed, origin.device_id)?;
        let celsius = match temperature {
            Field::Missing => return Err(Reject::MissingTemperature),
            #[expect(clippy::cast_precision_loss, reason = "integers beyond 2^53 are no temperatures anyway")]
            Field::Integer(celsius) => celsius as f64,
            Field::Float(celsius) => celsius,
            Field::Text(_) | Field::Other => {
                return Err(Reject::InvalidTemperature("field `temperature` is not a number".to_owned()));
            }
        };
        let timestamp_ms = epoch_ms(&timestamp)?;
        if let Some(enqueued_ms) = origin.enqueued_ms {
            let ahead_ms = timestamp_ms.saturating_sub(enqueued_ms);
            if ahead_ms > MAX_CLOCK_AHEAD_MS {
                return Err(Reject::ClockAhead(ahead_ms));
            }
        }
        Ok(TelemetryReading { device_id, timestamp_ms, celsius })
    }
}

/// The hub's word counts; a body that claims to be another device is spoofed.
fn identify<'a>(claimed: Field<'a>, authenticated: Option<&'a str>) -> Result<Cow<'a, str>, Reject> {
    match (claimed, authenticated) {
        (Field::Missing, Some(authenticated)) => valid_id(Cow::Borrowed(authenticated)),
        (Field::Missing, None) => Err(Reject::MissingDeviceId),
        (Field::Text(claimed), Some(authenticated)) if claimed == authenticated => {
            valid_id(Cow::Borrowed(authenticated))
        }
        (_, Some(_)) => Err(Reject::SpoofedDeviceId),
        (Field::Text(claimed), None) => valid_id(claimed),
        (_, None) => Err(Reject::InvalidDeviceId),
    }
}

fn valid_id(id: Cow<'_, str>) -> Result<Cow<'_, str>, Reject> {
    let damaged = crate::invocation::looks_like_date(&id);
    if id.is_empty() || id.len() > MAX_DEVICE_ID_BYTES || id.chars().any(char::is_control) || damaged {
        return Err(Reject::InvalidDeviceId);
    }
    Ok(id)
}

fn epoch_ms(timestamp: &Field<'_>) -> Result<i64, Reject> {
    let timestamp = match timestamp {
        Field::Missing => return Err(Reject::MissingTimestamp),
        Field::Text(text) => text.parse::<Timestamp>(),
        Field::Integer(ms) => Timestamp::from_millisecond(*ms),
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and then is out of range")]
        Field::Float(ms) => Timestamp::from_millisecond(ms.round() as i64),
        Field::Other => return Err(Reject::InvalidTimestamp),
    };
    timestamp.map(Timestamp::as_millisecond).map_err(|_| Reject::InvalidTimestamp)
}

impl<'de> Deserialize<'de> for Field<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;
        impl<'de> Visitor<'de> for Anything {
            type Value = Field<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("any JSON value")
            }

            fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Field::Integer(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
                #[expect(clippy::cast_precision_loss, reason = "too large for every field in either form")]
                Ok(i64::try_from(value).map_or(Field::Float(value as f64), Field::Integer))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
                Ok(Field::Float(value))
            }

            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
                Ok(Field::Text(Cow::Borrowed(value)))
            }

            fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
                Ok(Field::Text(Cow::Owned(value.to_owned())))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Field::Other)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Field::Missing)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Field::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Field::Other)
            }
        }
        deserializer.deserialize_any(Anything)
    }
}

impl<'de> Deserialize<'de> for Element<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;
        impl<'de> Visitor<'de> for Anything {
            type Value = Element<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a reading")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut device_id, mut temperature, mut timestamp) =
                    (Field::Missing, Field::Missing, Field::Missing);
                let mut readings = None;
                while let Some(key) = map.next_key::<Field<'de>>()? {
                    let Field::Text(key) = key else { continue };
                    match &*key {
                        "deviceId" => device_id = map.next_value()?,
                        "temperature" => temperature = map.next_value()?,
                        "timestamp" => timestamp = map.next_value()?,
                        "readings" => readings = Some(map.next_value()?),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(match readings {
                    Some(readings) => Element::Pack { device_id, readings },
                    None => Element::Reading { device_id, temperature, timestamp },
                })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Element::NotAnObject)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Element::NotAnObject)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Element::NotAnObject)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Element::NotAnObject)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Element::NotAnObject)
            }

            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(Element::NotAnObject)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Element::NotAnObject)
            }
        }
        deserializer.deserialize_any(Anything)
    }
}

impl<'de> Deserialize<'de> for Elements<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Array;
        impl<'de> Visitor<'de> for Array {
            type Value = Elements<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array of readings")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut found = Elements::default();
                while found.n_elements < MAX_READINGS_PER_EVENT {
                    // A pack inside an array is no reading: packs do not nest.
                    let Some(element) = seq.next_element::<Element<'de>>()? else { return Ok(found) };
                    found.elements.push(element);
                    found.n_elements += 1;
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    found.n_elements += 1;
                }
                Ok(found)
            }
        }
        deserializer.deserialize_seq(Array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ORIGIN: Origin<'_> = Origin { device_id: Some("d1"), enqueued_ms: Some(1_767_323_045_000) };
    const NOBODY: Origin<'_> = Origin { device_id: None, enqueued_ms: None };

    fn decoded<'a>(text: &'a str, origin: Origin<'a>) -> Vec<Result<TelemetryReading<'a>, Reject>> {
        let mut out = Vec::new();
        decode(text, origin, &mut out);
        out
    }

    fn reading(device_id: &str, timestamp_ms: i64, celsius: f64) -> Result<TelemetryReading<'_>, Reject> {
        Ok(TelemetryReading { device_id: Cow::Borrowed(device_id), timestamp_ms, celsius })
    }

    fn reasons(text: &str, origin: Origin<'_>) -> Vec<&'static str> {
        decoded(text, origin).iter().map(|r| r.as_ref().map_or_else(Reject::reason, |_| "reading")).collect()
    }

    #[test]
    fn one_reading() {
        for text in [
            r#"{"deviceId":"d1","temperature":21.5,"timestamp":1767323045000}"#,
            r#"{"deviceId":"d1","temperature":21.5,"timestamp":"2026-01-02T03:04:05Z","messageId":"m","humidity":{"a":[1]}}"#,
            r#"{"temperature":21.5,"timestamp":"2026-01-02T04:04:05.000+01:00"}"#,
            "\u{feff} {\"temperature\":2.15e1,\"timestamp\":1767323045000.0}",
        ] {
            assert_eq!(decoded(text, ORIGIN), [reading("d1", 1_767_323_045_000, 21.5)], "{text}");
        }
    }

    #[test]
    fn arrays_and_packs() {
        let array = r#"[{"deviceId":"a","temperature":1,"timestamp":1},{"deviceId":"b","temperature":-2,"timestamp":2}]"#;
        assert_eq!(decoded(array, NOBODY), [reading("a", 1, 1.0), reading("b", 2, -2.0)]);
        let pack = r#"{"readings":[{"temperature":1,"timestamp":1},{"temperature":2,"timestamp":2}],"deviceId":"a"}"#;
        assert_eq!(decoded(pack, NOBODY), [reading("a", 1, 1.0), reading("a", 2, 2.0)]);
    }

    #[test]
    fn a_bad_element_does_not_spoil_its_neighbors() {
        let text = r#"[{"temperature":1,"timestamp":1},{"temperature":"x","timestamp":1},7,{"temperature":null},{"temperature":2,"timestamp":2}]"#;
        assert_eq!(
            reasons(text, ORIGIN),
            ["reading", "invalid-temperature", "not-an-object", "missing-temperature", "reading"]
        );
    }

    #[test]
    fn every_fault_has_its_reason() {
        for (text, reason) in [
            ("", "malformed"),
            ("not json", "malformed"),
            ("{\"temperature\":NaN,\"timestamp\":1}", "malformed"),
            ("{\"temperature\":1,\"timestamp\":1} trailing", "malformed"),
            ("42", "not-an-object"),
            ("null", "not-an-object"),
            ("\"text\"", "not-an-object"),
            ("[]", "empty"),
            ("{\"readings\":[]}", "empty"),
            ("[[]]", "not-an-object"),
            ("[{\"readings\":[]}]", "not-an-object"),
            ("{}", "missing-temperature"),
            ("{\"temperature\":[[1]],\"timestamp\":1}", "invalid-temperature"),
            ("{\"temperature\":true,\"timestamp\":1}", "invalid-temperature"),
            ("{\"temperature\":1}", "missing-timestamp"),
            ("{\"temperature\":1,\"timestamp\":\"yesterday\"}", "invalid-timestamp"),
            ("{\"temperature\":1,\"timestamp\":\"2026-01-02T03:04:05\"}", "invalid-timestamp"),
            ("{\"temperature\":1,\"timestamp\":1e300}", "invalid-timestamp"),
            ("{\"temperature\":1,\"timestamp\":{}}", "invalid-timestamp"),
            ("{\"temperature\":1,\"timestamp\":1767323345001}", "clock-ahead"),
            ("{\"deviceId\":\"d2\",\"temperature\":1,\"timestamp\":1}", "spoofed-device-id"),
            ("{\"deviceId\":7,\"temperature\":1,\"timestamp\":1}", "spoofed-device-id"),
        ] {
            assert_eq!(reasons(text, ORIGIN), [reason], "{text}");
        }
        for (text, reason) in [
            ("{\"temperature\":1,\"timestamp\":1}", "missing-device-id"),
            ("{\"deviceId\":\"\",\"temperature\":1,\"timestamp\":1}", "invalid-device-id"),
            ("{\"deviceId\":\"a\\u0000b\",\"temperature\":1,\"timestamp\":1}", "invalid-device-id"),
            ("{\"deviceId\":{},\"temperature\":1,\"timestamp\":1}", "invalid-device-id"),
        ] {
            assert_eq!(reasons(text, NOBODY), [reason], "{text}");
        }
    }

    #[test]
    fn too_many_readings_are_one_reject() {
        let many = format!("[{}]", vec!["{}"; 501].join(","));
        assert_eq!(decoded(&many, ORIGIN), [Err(Reject::TooManyReadings(501))]);
    }

    #[test]
    fn deep_nesting_is_harmless() {
        for deep in [
            "[".repeat(100_000),
            format!("{{\"x\":{}", "{\"x\":".repeat(100_000)),
            format!("{{\"temperature\":{}", "[".repeat(100_000)),
        ] {
            assert_eq!(reasons(&deep, ORIGIN), ["malformed"]);
        }
        let closed = format!(
            "{{\"temperature\":1,\"timestamp\":1,\"x\":{}{}}}",
            "[".repeat(50_000),
            "]".repeat(50_000)
        );
        assert_eq!(reasons(&closed, ORIGIN), ["malformed"]);
        let brackets_in_text =
            format!("{{\"temperature\":1,\"timestamp\":1,\"x\":\"{}\"}}", "[".repeat(1000));
        assert_eq!(reasons(&brackets_in_text, ORIGIN), ["reading"]);
    }

    proptest! {
        #[test]
        fn any_text_is_decoded_to_something(text in "\\PC*") {
            prop_assert!(!decoded(&text, ORIGIN).is_empty());
        }

        #[test]
        fn numbers_arrive_exactly(celsius in -273.0_f64..10_000.0, timestamp_ms in 0_i64..1_767_323_045_000) {
            let text = format!("{{\"temperature\":{celsius},\"timestamp\":{timestamp_ms}}}");
            prop_assert_eq!(decoded(&text, ORIGIN), [reading("d1", timestamp_ms, celsius)]);
        }
    }
}
