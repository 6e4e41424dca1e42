//! What of a rejected event is sent again: all of it, or those parts that were no readings.
//!
//! Parts that were readings are stored already; sent again, they would be late or doubled.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::list::Event;
use crate::message::Message;

/// The reason under which an event's further rejects are put together.
const REST: &str = "too-many-rejects";
/// Reasons that no correction of the app cures: the device claimed to be another.
const SPOOFED: &str = "spoofed-device-id";

/// Why an event is not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Skipped {
    OtherReason,
    Cut,
    Spoofed,
    NoDevice,
    Mixed,
}

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::OtherReason => "rejected for another reason than --reject-reason",
            Self::Cut => "cut when it was stored, so its end is lost",
            Self::Spoofed => "claims to be another device than the hub authenticated",
            Self::NoDevice => "neither the hub nor the text names a device",
            Self::Mixed => "has readings that are stored among rejects that cannot be told apart from them",
        })
    }
}

/// Readings of one device.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pack<'a> {
    #[serde(borrow)]
    device_id: Option<&'a RawValue>,
    #[serde(borrow)]
    readings: Vec<&'a RawValue>,
}

/// Who sent it, where the hub does not say.
#[derive(Deserialize)]
#[serde(untagged)]
enum Claims {
    Many(Vec<Claim>),
    One(Claim),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claim {
    device_id: Option<String>,
}

/// The message that brings what was rejected again.
pub(super) fn message(event: &Event, reason: Option<&str>) -> Result<Message, Skipped> {
    let is_wanted = |why: &str| reason.is_none_or(|reason| reason == why);
    if !event.parts.iter().any(|(_, why)| is_wanted(why)) {
        return Err(Skipped::OtherReason);
    }
    if event.is_cut {
        return Err(Skipped::Cut);
    }
    let is_curable = |why: &str| why != SPOOFED;
    if !event.parts.iter().any(|(_, why)| is_curable(why)) {
        return Err(Skipped::Spoofed);
    }
    let device_id = event.device_id.clone().or_else(|| claimed_id(&event.text)).ok_or(Skipped::NoDevice)?;
    let wanted = event.parts.iter().filter(|(_, why)| is_wanted(why) && is_curable(why));
    let wanted: BTreeSet<usize> = wanted.map(|(index, _)| *index).collect();
    let body = if wanted.len() == event.n_facts {
        event.text.clone()
    } else if event.parts.iter().any(|(_, why)| why == REST) {
        return Err(Skipped::Mixed);
    } else {
        some_of(&event.text, &wanted).ok_or(Skipped::Mixed)?
    };
    Ok(Message {
        device_id,
        body: body.into_bytes(),
        n_readings: wanted.len() as u64,
        timestamp_ms: event.enqueued_at,
    })
}

/// The text again, with these parts alone and each as it was written.
fn some_of(text: &str, wanted: &BTreeSet<usize>) -> Option<String> {
    let json = text.trim_start_matches('\u{feff}');
    let (device_id, readings) = match serde_json::from_str::<Vec<&RawValue>>(json) {
        Ok(readings) => (None, readings),
        Err(_) => {
            let Pack { device_id, readings } = serde_json::from_str(json).ok()?;
            (device_id, readings)
        }
    };
    let parts: Option<Vec<&str>> = wanted.iter().map(|index| Some(readings.get(*index)?.get())).collect();
    let array = format!("[{}]", parts?.join(","));
    Some(match device_id {
        Some(id) => format!("{{\"deviceId\":{},\"readings\":{array}}}", id.get()),
        None => array,
    })
}

fn claimed_id(text: &str) -> Option<String> {
    let claim = match serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()? {
        Claims::Many(claims) => claims.into_iter().next()?,
        Claims::One(claim) => claim,
    };
    claim.device_id.filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str, n_facts: usize, parts: &[(usize, &str)]) -> Event {
        Event {
            device_id: Some("d1".to_owned()),
            enqueued_at: 1,
            sequence: 1,
            n_facts,
            text: text.to_owned(),
            is_cut: false,
            parts: parts.iter().map(|(index, why)| (*index, (*why).to_owned())).collect(),
        }
    }

    fn body(event: &Event, reason: Option<&str>) -> Result<String, Skipped> {
        message(event, reason).map(|message| String::from_utf8(message.body).unwrap())
    }

    #[test]
    fn what_was_rejected_whole_is_sent_as_it_was() {
        for text in ["{\"temperature\":", " [1, 2] "] {
            let n = if text.contains('[') { 2 } else { 1 };
            let parts: Vec<_> = (0..n).map(|index| (index, "malformed")).collect();
            assert_eq!(body(&event(text, n, &parts), None), Ok(text.to_owned()));
        }
    }

    #[test]
    fn of_a_mixed_event_only_the_rejects_are_sent() {
        let array = "[{\"temperature\": 1.50},5,{\"temperature\":2}]";
        assert_eq!(body(&event(array, 3, &[(1, "not-an-object")]), None), Ok("[5]".to_owned()));
        let both = event(array, 3, &[(0, "missing-timestamp"), (1, "not-an-object")]);
        assert_eq!(body(&both, None), Ok("[{\"temperature\": 1.50},5]".to_owned()));
        assert_eq!(body(&both, Some("not-an-object")), Ok("[5]".to_owned()));
        let pack = "{\"deviceId\":\"d1\",\"readings\":[1,2]}";
        let expected = "{\"deviceId\":\"d1\",\"readings\":[2]}";
        assert_eq!(body(&event(pack, 2, &[(1, "not-an-object")]), None), Ok(expected.to_owned()));
    }

    #[test]
    fn what_cannot_be_told_apart_is_left_alone() {
        let mixed = event("[1,2,3]", 3, &[(0, "not-an-object"), (2, REST)]);
        assert_eq!(body(&mixed, None), Err(Skipped::Mixed));
        assert_eq!(body(&event("[1", 2, &[(0, "malformed")]), None), Err(Skipped::Mixed));
        assert_eq!(body(&event("[1]", 5, &[(3, "malformed")]), None), Err(Skipped::Mixed));
    }

    #[test]
    fn what_cannot_be_cured_is_skipped() {
        let cut = Event { is_cut: true, ..event("[", 1, &[(0, "malformed")]) };
        assert_eq!(body(&cut, None), Err(Skipped::Cut));
        assert_eq!(body(&event("{}", 1, &[(0, SPOOFED)]), None), Err(Skipped::Spoofed));
        assert_eq!(body(&event("{}", 1, &[(0, "empty")]), Some("malformed")), Err(Skipped::OtherReason));
        let nobody = Event { device_id: None, ..event("nonsense", 1, &[(0, "malformed")]) };
        assert_eq!(body(&nobody, None), Err(Skipped::NoDevice));
    }

    #[test]
    fn a_device_that_only_the_text_names_is_taken_from_it() {
        for text in
            ["{\"deviceId\":\"d2\"}", "[{\"deviceId\":\"d2\"},{}]", "{\"deviceId\":\"d2\",\"readings\":[]}"]
        {
            let unnamed = Event { device_id: None, ..event(text, 1, &[(0, "empty")]) };
            assert_eq!(message(&unnamed, None).map(|message| message.device_id), Ok("d2".to_owned()));
        }
    }
}
