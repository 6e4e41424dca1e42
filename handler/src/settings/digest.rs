//! When the digest is due.

use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::reader::Reader;

/// When the digest is due, and the time zone of all that is sent.
#[derive(Debug, Clone)]
pub struct DigestSettings {
    /// The time of day; `DIGEST_AT`, 07:00; `None` for no digest.
    pub at: Option<Time>,
    /// The time zone of that, and of times in mail; `DIGEST_TIME_ZONE`, UTC.
    pub zone: TimeZone,
}

impl DigestSettings {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let seven = jiff::civil::time(7, 0, 0, 0);
        let at = match reader.text("DIGEST_AT") {
            None => Some(seven),
            Some(text) if text.eq_ignore_ascii_case("off") => None,
            Some(text) => match Time::strptime("%H:%M", &text) {
                Ok(at) => Some(at),
                Err(_) => {
                    reader.fault(format!(
                        "DIGEST_AT: expected a time of day such as 07:00, or off, got `{text}`"
                    ));
                    None
                }
            },
        };
        let zone = match reader.text("DIGEST_TIME_ZONE") {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(&name).unwrap_or_else(|_| {
                reader
                    .fault(format!("DIGEST_TIME_ZONE: expected a name such as Europe/Berlin, got `{name}`"));
                TimeZone::UTC
            }),
        };
        Self { at, zone }
    }
}
