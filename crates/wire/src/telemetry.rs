//! What devices send: one reading, an array of readings, or `{"deviceId": ..., "readings": [...]}`.
//!
//! The text of an event enters; readings and rejects leave, side by side and in order.
//! Nothing a device can write makes this module fail: what is no reading is a [`Reject`] that says why.

mod bounded;
mod flat;
mod json;
mod judge;

use std::borrow::Cow;

use thiserror::Error;

pub use bounded::bound_rejects;
use json::{Elements, Event, Value};
use judge::judge;

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
    if let Some(object) = flat::read(text) {
        out.push(judge(object, None, origin));
        return;
    }
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
    match sonic_rs::from_str::<Event<'a>>(json) {
        Ok(Event(Value::Array(elements))) => judge_all(elements, None, origin, out),
        Ok(Event(Value::Object(mut object))) => match object.readings.take() {
            None => out.push(judge(*object, None, origin)),
            Some(Value::Array(elements)) => judge_all(elements, Some(&object.device_id), origin, out),
            Some(_) => out.push(Err(Reject::Malformed("field `readings` is not an array".to_owned()))),
        },
        Ok(_) => out.push(Err(Reject::NotAnObject)),
        Err(error) => out.push(Err(malformed(&error))),
    }
}

fn judge_all<'a>(
    Elements { elements, n_elements }: Elements<'a>,
    pack_id: Option<&Value<'a>>,
    origin: Origin<'a>,
    out: &mut Vec<Result<TelemetryReading<'a>, Reject>>,
) {
    match n_elements {
        0 => out.push(Err(Reject::Empty)),
        1..=MAX_READINGS_PER_EVENT => out.extend(elements.into_iter().map(|element| match element {
            Value::Object(object) => judge(*object, pack_id, origin),
            _ => Err(Reject::NotAnObject),
        })),
        _ => out.push(Err(Reject::TooManyReadings(n_elements))),
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

/// Names the parser's complaint without the excerpt of the text that it would add.
///
/// A complaint of a wrong type repeats the value, however long it is.
fn malformed(error: &sonic_rs::Error) -> Reject {
    let message = error.to_string();
    let line = message.lines().next().unwrap_or("not JSON").trim();
    Reject::Malformed(line[..line.floor_char_boundary(MAX_COMPLAINT_BYTES)].to_owned())
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
