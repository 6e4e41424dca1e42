//! What a reading's fields are worth.
//!
//! Enters: the fields of an object, and what the hub says of its event. Leaves: a reading, or the reason why it is none.
//! It refuses to know how the fields were written.

use std::borrow::Cow;

use jiff::Timestamp;

use super::json::{Object, Value};
use super::{MAX_CLOCK_AHEAD_MS, MAX_DEVICE_ID_BYTES, Origin, Reject, TelemetryReading};
use crate::epoch_ms;

/// The longest time whose form is looked at first: nanoseconds in UTC.
const MAX_PLAIN_TIME_BYTES: usize = 30;
/// The year 9999, in which a time's zone decides whether it can still be told.
const YEAR_9999_MS: i64 = 253_370_764_800_000;

/// Judges one object; `pack_id` names the device where the object does not.
pub(super) fn judge<'a>(
    object: Object<'a>,
    pack_id: Option<&Value<'a>>,
    origin: Origin<'a>,
) -> Result<TelemetryReading<'a>, Reject> {
    let Object { device_id, temperature, timestamp, readings } = object;
    if readings.is_some() {
        return Err(Reject::NotAnObject);
    }
    let claimed = match (device_id, pack_id) {
        (Value::Missing, Some(pack_id)) => pack_id.clone(),
        (own, _) => own,
    };
    let device_id = identify(claimed, origin.device_id)?;
    let celsius = celsius(&temperature)?;
    let timestamp_ms = timestamp_ms(&timestamp)?;
    if let Some(enqueued_ms) = origin.enqueued_ms {
        let ahead_ms = timestamp_ms.saturating_sub(enqueued_ms);
        if ahead_ms > MAX_CLOCK_AHEAD_MS {
            return Err(Reject::ClockAhead(ahead_ms));
        }
    }
    Ok(TelemetryReading { device_id, timestamp_ms, celsius })
}

/// The hub's word counts; a body that claims to be another device is spoofed.
fn identify<'a>(claimed: Value<'a>, authenticated: Option<&'a str>) -> Result<Cow<'a, str>, Reject> {
    match (claimed, authenticated) {
        (Value::Missing, Some(authenticated)) => valid_id(Cow::Borrowed(authenticated)),
        (Value::Missing, None) => Err(Reject::MissingDeviceId),
        (Value::Text(claimed), Some(authenticated)) if claimed == authenticated => {
            valid_id(Cow::Borrowed(authenticated))
        }
        (_, Some(_)) => Err(Reject::SpoofedDeviceId),
        (Value::Text(claimed), None) => valid_id(claimed),
        (_, None) => Err(Reject::InvalidDeviceId),
    }
}

fn valid_id(id: Cow<'_, str>) -> Result<Cow<'_, str>, Reject> {
    let has_length = (1..=MAX_DEVICE_ID_BYTES).contains(&id.len());
    if !has_length || has_control(&id) || crate::invocation::looks_like_date(&id) {
        return Err(Reject::InvalidDeviceId);
    }
    Ok(id)
}

fn has_control(id: &str) -> bool {
    if id.is_ascii() {
        id.bytes().any(|byte| byte.is_ascii_control())
    } else {
        id.chars().any(char::is_control)
    }
}

fn celsius(temperature: &Value<'_>) -> Result<f64, Reject> {
    match temperature {
        Value::Missing => Err(Reject::MissingTemperature),
        #[expect(clippy::cast_precision_loss, reason = "integers beyond 2^53 are no temperatures anyway")]
        Value::Integer(celsius) => Ok(*celsius as f64),
        Value::Float(celsius) => Ok(*celsius),
        Value::Text(_) | Value::Object(_) | Value::Array(_) | Value::Other => {
            Err(Reject::InvalidTemperature("field `temperature` is not a number".to_owned()))
        }
    }
}

fn timestamp_ms(timestamp: &Value<'_>) -> Result<i64, Reject> {
    let timestamp = match timestamp {
        Value::Missing => return Err(Reject::MissingTimestamp),
        Value::Text(text) => match plain_time_ms(text) {
            Some(ms) => return Ok(ms),
            None => text.parse::<Timestamp>(),
        },
        Value::Integer(ms) => Timestamp::from_millisecond(*ms),
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and then is out of range")]
        Value::Float(ms) => Timestamp::from_millisecond(ms.round() as i64),
        Value::Object(_) | Value::Array(_) | Value::Other => return Err(Reject::InvalidTimestamp),
    };
    timestamp.map(Timestamp::as_millisecond).map_err(|_| Reject::InvalidTimestamp)
}

/// A time in the form in which most are written, in UTC with a `Z`; what is `None` here may well be a time.
fn plain_time_ms(text: &str) -> Option<i64> {
    if text.len() > MAX_PLAIN_TIME_BYTES || !text.ends_with('Z') {
        return None;
    }
    epoch_ms::parse(text).filter(|ms| (0..YEAR_9999_MS).contains(ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_usual_times_are_read_without_asking() {
        for text in ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678Z", "1970-01-01T00:00:00.123456789Z"] {
            assert!(plain_time_ms(text).is_some(), "{text}");
        }
        for text in [
            "1969-12-31T23:59:59.999Z",
            "2026-01-02T03:04:05",
            "2026-01-02T03:04:60Z",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(plain_time_ms(text), None, "{text}");
        }
    }

    #[test]
    fn control_characters_of_every_kind() {
        for (id, expected) in [("a", false), ("é", false), ("a\u{7f}", true), ("é\u{85}", true), ("\n", true)]
        {
            assert_eq!(has_control(id), expected, "{id:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn a_plain_time_is_what_jiff_reads(
            year in prop_oneof![1960..2040_u32, 0..10_000_u32], month in 0..14_u32, day in 0..33_u32,
            hour in 0..26_u32, minute in 0..62_u32, second in 0..62_u32, fraction in "(\\.[0-9]{0,11})?",
        ) {
            let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z");
            if let Some(ms) = plain_time_ms(&text) {
                prop_assert_eq!(text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond), Some(ms), "{}", text);
            }
        }
    }
}
