//! Orders to mute, read from what people send.

use jiff::Timestamp;
use wire::api::{MuteRequest, TimeText};
use wire::invocation::looks_like_date;
use wire::people::{Act, Mute};

use super::{Ended, Mutes};
use crate::reply::ApiError;

const MINUTE_MS: i64 = 60_000;
/// Minutes of a year with its leap day: how long a mute may last, and how far from now it may begin.
const MOST_MINUTES: i64 = 366 * 24 * 60;
/// An order that says `minutes` or `until` alone is the same act when it comes again within this time.
const REPEAT_MS: i64 = MINUTE_MS;
/// Bytes of a device's id, and of the sign behind what ids begin with.
const MAX_DEVICES_BYTES: usize = 129;

/// An order to mute that may be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    mute: Mute,
    /// Whether the begin is the moment of asking, and so differs when the same order comes again.
    begins_now: bool,
    /// Whether the end is given by a length.
    has_length: bool,
}

impl Order {
    /// Checks what somebody asks for.
    ///
    /// # Errors
    ///
    /// Names the field that is wrong.
    pub fn read(request: &MuteRequest, reason: &str, act: Act) -> Result<Self, ApiError> {
        check_devices(&request.devices)?;
        if reason.is_empty() {
            return Err(ApiError::parameter("reason", "is empty; say why, for those who wonder later"));
        }
        let now = act.at;
        let from = request.from.as_ref().map(|time| time_ms("from", time)).transpose()?.unwrap_or(now);
        let until = match (&request.until, request.minutes) {
            (Some(until), None) => time_ms("until", until)?,
            (None, Some(minutes)) if (1..=MOST_MINUTES).contains(&minutes) => from + minutes * MINUTE_MS,
            (None, Some(_)) => {
                return Err(ApiError::parameter("minutes", &format!("expected 1 to {MOST_MINUTES}")));
            }
            _ => return Err(ApiError::parameter("until", "give either `until` or `minutes`")),
        };
        check_span(from, until, now)?;
        Ok(Self {
            mute: Mute::new(&request.devices, (from, until), reason, act),
            begins_now: request.from.is_none(),
            has_length: request.minutes.is_some(),
        })
    }

    /// The mute that is there already because of this very order, if it comes a second time.
    #[must_use]
    pub fn earlier<'a>(&self, mutes: &'a Mutes) -> Option<&'a Ended> {
        mutes.iter().find(|known| known.ended.is_none() && self.is_of(&known.mute))
    }

    fn is_of(&self, known: &Mute) -> bool {
        let mute = &self.mute;
        let is_alike =
            known.devices == mute.devices && known.reason == mute.reason && known.act.by == mute.act.by;
        if is_alike && (known.from, known.until) == (mute.from, mute.until) {
            return true;
        }
        let is_recent = (0..REPEAT_MS).contains(&(mute.act.at - known.act.at));
        let began_when_asked = self.begins_now && known.from == known.act.at;
        let ends_alike = if self.has_length {
            known.until - known.from == mute.until - mute.from
        } else {
            known.until == mute.until
        };
        is_alike && is_recent && began_when_asked && ends_alike
    }

    /// The mute to be stored.
    #[must_use]
    pub fn into_mute(self) -> Mute {
        self.mute
    }
}

/// The pattern syntax of `LIMITS`.
fn check_devices(devices: &str) -> Result<(), ApiError> {
    let fault = if devices.is_empty() {
        "names no device; `*` stands for all"
    } else if devices.len() > MAX_DEVICES_BYTES || devices.chars().any(char::is_control) {
        "is no device's id of 1 to 128 bytes without control characters, nor the begin of one with `*` behind it"
    } else if looks_like_date(devices) {
        "looks like a date, and no device is called so"
    } else {
        return Ok(());
    };
    Err(ApiError::parameter("devices", fault))
}

fn check_span(from: i64, until: i64, now: i64) -> Result<(), ApiError> {
    let year = MOST_MINUTES * MINUTE_MS;
    if !(now - year..=now + year).contains(&from) {
        Err(ApiError::parameter("from", "is more than a year from now"))
    } else if until <= from || until <= now {
        Err(ApiError::parameter("until", "is not later than `from` and now"))
    } else if until - from > year {
        Err(ApiError::parameter("until", "is more than a year later than `from`"))
    } else {
        Ok(())
    }
}

fn time_ms(field: &str, time: &TimeText) -> Result<i64, ApiError> {
    let parsed = match time {
        TimeText::Milliseconds(ms) => Timestamp::from_millisecond(*ms),
        TimeText::Text(text) => match text.parse::<i64>() {
            Ok(ms) => Timestamp::from_millisecond(ms),
            Err(_) => text.parse::<Timestamp>(),
        },
    };
    let parsed = parsed.map_err(|_| ApiError::parameter(field, "expected RFC 3339 or epoch milliseconds"))?;
    Ok(parsed.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MuteDocument;
    use wire::people::Unmute;

    const NOW: i64 = 1_767_323_045_000;

    fn order(request: &str, at: i64) -> Result<Order, ApiError> {
        let request: MuteRequest = serde_json::from_str(request).unwrap();
        Order::read(&request, &request.reason, Act { by: "anna".to_owned(), at })
    }

    fn stored(documents: &[MuteDocument]) -> Mutes {
        documents.iter().cloned().collect()
    }

    #[test]
    fn times_in_every_form() {
        for (request, from, until) in [
            (r#"{"devices":"*","minutes":1,"reason":"x"}"#, NOW, NOW + MINUTE_MS),
            (
                r#"{"devices":"*","from":1767323000000,"until":1767330000000,"reason":"x"}"#,
                1_767_323_000_000,
                1_767_330_000_000,
            ),
            (
                r#"{"devices":"*","from":"2026-01-02T04:00:00Z","minutes":60,"reason":"x"}"#,
                1_767_326_400_000,
                1_767_330_000_000,
            ),
            (r#"{"devices":"*","until":"1767330000000","reason":"x"}"#, NOW, 1_767_330_000_000),
        ] {
            let mute = order(request, NOW).unwrap().into_mute();
            assert_eq!((mute.from, mute.until), (from, until), "{request}");
        }
    }

    #[test]
    fn every_complaint_names_its_field() {
        let long = "d".repeat(130);
        for (fields, name) in [
            (r#""devices":"","minutes":1"#, "devices"),
            (r#""devices":"2026-01-02T03:04:05Z","minutes":1"#, "devices"),
            (r#""devices":"a\nb","minutes":1"#, "devices"),
            (&format!(r#""devices":"{long}","minutes":1"#), "devices"),
            (r#""devices":"*""#, "until"),
            (r#""devices":"*","minutes":1,"until":1767330000000"#, "until"),
            (r#""devices":"*","until":1767323045000"#, "until"),
            (r#""devices":"*","from":1767340000000,"until":1767330000000"#, "until"),
            (r#""devices":"*","until":1999999999999"#, "until"),
            (r#""devices":"*","until":"tomorrow""#, "until"),
            (r#""devices":"*","until":99999999999999999"#, "until"),
            (r#""devices":"*","minutes":0"#, "minutes"),
            (r#""devices":"*","minutes":9223372036854775807"#, "minutes"),
            (r#""devices":"*","from":1,"minutes":1"#, "from"),
            (r#""devices":"*","from":1999999999999,"minutes":1"#, "from"),
        ] {
            let body = order(&format!(r#"{{{fields},"reason":"x"}}"#), NOW).expect_err(fields).body();
            assert!(body.contains(&format!("\"parameter\":\"{name}\"")), "{fields}: {body}");
        }
        let body = order(r#"{"devices":"*","minutes":1,"reason":""}"#, NOW).unwrap_err().body();
        assert!(body.contains("\"parameter\":\"reason\""));
    }

    #[test]
    fn a_repeat_is_the_same_act_and_a_later_order_is_not() {
        let request = r#"{"devices":"a*","minutes":60,"reason":"x"}"#;
        let first = order(request, NOW).unwrap().into_mute();
        let mutes = stored(&[MuteDocument::Mute(first.clone())]);
        assert!(order(request, NOW + 900).unwrap().earlier(&mutes).is_some());
        assert!(order(request, NOW + REPEAT_MS).unwrap().earlier(&mutes).is_none());
        assert!(order(&request.replace("60", "61"), NOW + 900).unwrap().earlier(&mutes).is_none());
        let exact = r#"{"devices":"a*","from":1767323045000,"minutes":60,"reason":"x"}"#;
        assert!(order(exact, NOW + 10 * REPEAT_MS).unwrap().earlier(&mutes).is_some());
    }

    #[test]
    fn what_was_ended_is_not_begun_again_but_ordered_anew() {
        let request = r#"{"devices":"a*","from":1767323045000,"minutes":60,"reason":"x"}"#;
        let first = order(request, NOW).unwrap().into_mute();
        let end = Unmute::new(&first, Act { by: "berta".to_owned(), at: NOW + 1 });
        let mutes = stored(&[MuteDocument::Mute(first.clone()), MuteDocument::Unmute(end)]);
        let again = order(request, NOW + 2).unwrap();
        assert!(again.earlier(&mutes).is_none());
        assert_ne!(again.into_mute().id, first.id);
    }
}
