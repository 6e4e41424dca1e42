//! Documents that people write: one an act, and never another act in the same document.
//!
//! Enters: what somebody did, and when. Leaves: documents with an id made of what was done, so that the same act sent
//! twice is one document. It refuses to know whether the alert or the device exists.

use serde::{Deserialize, Serialize};

use crate::documents::ALERT_TTL_S;
use crate::model_card::sha256_hex;

/// Partition key of mutes and their ends.
pub const PEOPLE_BUCKET: &str = "people";
/// Type of an [`Acknowledgement`].
pub const ACKNOWLEDGEMENT: &str = "acknowledgement";
/// Type of a [`Mute`].
pub const MUTE: &str = "mute";
/// Type of an [`Unmute`].
pub const UNMUTE: &str = "unmute";

/// Digits of a hash in an id.
const HASH_DIGITS: usize = 32;

/// Who acted, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// A name; proven only where the platform signed somebody in.
    pub by: String,
    /// In epoch milliseconds.
    pub at: i64,
}

/// Somebody takes note of an alert until it closes, or takes that back.
///
/// An alert may have several: of those after the newest that takes back, the one with the earliest `at` counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Acknowledgement {
    /// Hash of alert, person, moment and note.
    pub id: String,
    /// [`ACKNOWLEDGEMENT`].
    #[serde(rename = "type")]
    pub document_type: String,
    /// Partition key: the alert's own.
    pub bucket: String,
    /// [`ALERT_TTL_S`].
    pub ttl: i64,
    /// The alert.
    pub alert_id: String,
    /// `false` takes back what was acknowledged up to this moment.
    #[serde(default = "yes")]
    pub acknowledged: bool,
    /// Who and when.
    #[serde(flatten)]
    pub act: Act,
    /// What they had to say; may be empty.
    pub note: String,
}

/// An order to notify nobody about some devices for a time.
///
/// It covers the alerts that are opened in that time: they are stored and listed as muted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mute {
    /// Hash of devices, time, reason, person and moment.
    pub id: String,
    /// [`MUTE`].
    #[serde(rename = "type")]
    pub document_type: String,
    /// [`PEOPLE_BUCKET`].
    pub bucket: String,
    /// Seconds after which the document is deleted: as late as the newest alert that it may cover.
    pub ttl: i64,
    /// A device's id, what ids begin with before a `*`, or `*` for all.
    pub devices: String,
    /// Begin, in epoch milliseconds, inclusive.
    pub from: i64,
    /// End, in epoch milliseconds, exclusive.
    pub until: i64,
    /// Why.
    pub reason: String,
    /// Who and when.
    #[serde(flatten)]
    pub act: Act,
}

/// The end of a mute before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unmute {
    /// Hash of mute and person.
    pub id: String,
    /// [`UNMUTE`].
    #[serde(rename = "type")]
    pub document_type: String,
    /// [`PEOPLE_BUCKET`].
    pub bucket: String,
    /// As the mute's.
    pub ttl: i64,
    /// The mute.
    pub mute_id: String,
    /// When the mute would have ended, so that whoever reads a time's mutes finds their ends by the same condition.
    pub until: i64,
    /// Who and when.
    #[serde(flatten)]
    pub act: Act,
}

impl Acknowledgement {
    /// Of an alert; `None` when its id is none.
    #[must_use]
    pub fn new(alert_id: &str, acknowledged: bool, note: &str, act: Act) -> Option<Self> {
        let what = if acknowledged { "acknowledged" } else { "taken back" };
        Some(Self {
            id: id_of(ACKNOWLEDGEMENT, &[alert_id, what, &act.by, &act.at.to_string(), note]),
            document_type: ACKNOWLEDGEMENT.to_owned(),
            bucket: bucket_of_alert(alert_id)?.to_owned(),
            ttl: ALERT_TTL_S,
            alert_id: alert_id.to_owned(),
            acknowledged,
            act,
            note: note.to_owned(),
        })
    }
}

impl Mute {
    /// Of devices, from a time until another, in epoch milliseconds.
    #[must_use]
    pub fn new(devices: &str, (from, until): (i64, i64), reason: &str, act: Act) -> Self {
        Self {
            id: id_of(
                MUTE,
                &[devices, &from.to_string(), &until.to_string(), reason, &act.by, &act.at.to_string()],
            ),
            document_type: MUTE.to_owned(),
            bucket: PEOPLE_BUCKET.to_owned(),
            ttl: ttl_s(until, act.at),
            devices: devices.to_owned(),
            from,
            until,
            reason: reason.to_owned(),
            act,
        }
    }

    /// Whether the mute is about the device.
    #[must_use]
    pub fn concerns(&self, device_id: &str) -> bool {
        match self.devices.strip_suffix('*') {
            Some(prefix) => device_id.starts_with(prefix),
            None => self.devices == device_id,
        }
    }
}

impl Unmute {
    /// Of a mute.
    #[must_use]
    pub fn new(mute: &Mute, act: Act) -> Self {
        Self {
            id: id_of(UNMUTE, &[&mute.id, &act.by]),
            document_type: UNMUTE.to_owned(),
            bucket: PEOPLE_BUCKET.to_owned(),
            ttl: ttl_s(mute.until, act.at),
            mute_id: mute.id.clone(),
            until: mute.until,
            act,
        }
    }
}

/// The bucket in an alert's id; `None` when the text is no such id.
#[must_use]
pub fn bucket_of_alert(alert_id: &str) -> Option<&str> {
    let mut parts = alert_id.rsplitn(4, '.');
    let kind = parts.next()?;
    let is_kind = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase());
    parts.next()?.parse::<u32>().ok()?;
    parts.next()?.parse::<i64>().ok()?;
    let bucket = parts.next()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
    let is_bucket = (1..=64).contains(&bucket.len()) && bucket.bytes().all(is_plain);
    (is_kind && is_bucket).then_some(bucket)
}

/// An id made of what was done: its parts are kept apart by their lengths.
fn id_of(document_type: &str, parts: &[&str]) -> String {
    let text: String = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
    let mut hash = sha256_hex(text.as_bytes());
    hash.truncate(HASH_DIGITS);
    format!("{document_type}-{hash}")
}

/// What a document meant before acknowledgements could be taken back.
fn yes() -> bool {
    true
}

/// Seconds from an act to a year after a time, both in epoch milliseconds.
fn ttl_s(until: i64, at: i64) -> i64 {
    until.saturating_sub(at).max(0) / 1000 + ALERT_TTL_S
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::alert_id;
    use crate::invocation::RawObject;

    fn act(at: i64) -> Act {
        Act { by: "anna@example.org".to_owned(), at }
    }

    fn mute(devices: &str) -> Mute {
        Mute::new(devices, (1_767_323_000_000, 1_767_326_600_000), "defrosting", act(1_767_322_000_000))
    }

    #[test]
    fn documents() {
        let alert = alert_id("1a2b3c4d.0.3", 4711, 0, "spike");
        let acknowledgement =
            Acknowledgement::new(&alert, true, "on my way", act(1_767_323_045_000)).unwrap();
        let taken_back = Acknowledgement::new(&alert, false, "", act(1_767_323_046_000)).unwrap();
        let mute = mute("freezer-*");
        let unmute = Unmute::new(&mute, act(1_767_323_100_000));
        let json = |document: Result<RawObject, _>| document.unwrap().json().to_owned();
        insta::assert_snapshot!(
            [
                json(RawObject::of(&acknowledgement)),
                json(RawObject::of(&taken_back)),
                json(RawObject::of(&mute)),
                json(RawObject::of(&unmute)),
            ]
            .join("\n")
        );
    }

    #[test]
    fn the_same_act_is_one_document_and_another_act_another() {
        let (one, again) = (mute("a*"), mute("a*"));
        assert_eq!(one.id, again.id);
        assert_ne!(one.id, mute("a").id);
        let longer = Mute::new(&one.devices, (one.from, one.until + 1), &one.reason, act(1_767_322_000_000));
        assert_ne!(one.id, longer.id);
        let later = Mute::new(&one.devices, (one.from, one.until), &one.reason, act(1_767_322_000_001));
        assert_ne!(one.id, later.id);
        let alert = "b.1.0.spike";
        let note = |by: &str, note: &str| {
            Acknowledgement::new(alert, true, note, Act { by: by.to_owned(), at: 1 }).unwrap().id
        };
        assert_eq!(note("x", "y"), note("x", "y"));
        assert_ne!(note("x", "yz"), note("xy", "z"));
    }

    #[test]
    fn a_document_that_does_not_say_so_takes_nothing_back() {
        let taken_back = Acknowledgement::new("b.1.0.spike", false, "", act(1)).unwrap();
        let mut json = serde_json::to_value(&taken_back).unwrap();
        assert_eq!(json["acknowledged"], false);
        json.as_object_mut().unwrap().remove("acknowledged");
        assert!(serde_json::from_value::<Acknowledgement>(json).unwrap().acknowledged);
    }

    #[test]
    fn a_mute_concerns_a_device_a_prefix_or_all() {
        for (devices, concerned, others) in [
            ("freezer-7", vec!["freezer-7"], vec!["freezer-71", "freezer", ""]),
            ("freezer-*", vec!["freezer-7", "freezer-"], vec!["freezer", "Freezer-7"]),
            ("*", vec!["freezer-7", "*"], vec![]),
        ] {
            assert!(concerned.into_iter().all(|id| mute(devices).concerns(id)), "{devices}");
            assert!(!others.into_iter().any(|id| mute(devices).concerns(id)), "{devices}");
        }
    }

    #[test]
    fn an_alert_s_id_names_its_bucket_and_nothing_else_does() {
        assert_eq!(bucket_of_alert(&alert_id("1a2b3c4d.0.3", 4711, 2, "spike")), Some("1a2b3c4d.0.3"));
        assert_eq!(bucket_of_alert(&alert_id("manual", -1, 0, "other")), Some("manual"));
        for wrong in [
            "",
            "spike",
            "0.spike",
            "4711.0.spike",
            ".4711.0.spike",
            "b.x.0.spike",
            "b.1.-1.spike",
            "b.1.0.",
            "b.1.0.<x>",
            "b\n.1.0.spike",
        ] {
            assert_eq!(bucket_of_alert(wrong), None, "{wrong:?}");
        }
    }
}
