//! Whom nobody shall be notified of, and when.

use std::collections::{BTreeMap, HashMap};

use wire::api::{ActView, MuteState, MuteView};
use wire::people::{Act, Mute};

use crate::store::{MuteDocument, Store, StoreError};

/// Mutes with their ends.
#[derive(Debug, Clone, Default)]
pub struct Mutes(Vec<Ended>);

/// A mute, and who ended it before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The mute.
    pub mute: Mute,
    /// Who ended it first, and when; `None` when nobody did.
    pub ended: Option<Act>,
}

impl Mutes {
    /// Reads those that may cover an alert opened at `from` or later, in epoch milliseconds.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be read.
    pub async fn read(store: &Store, from: i64) -> Result<Self, StoreError> {
        Ok(store.mutes(from).await?.into_iter().collect())
    }

    /// The mute that covers a device at a time in epoch milliseconds; of several the one that lasts longest.
    #[must_use]
    pub fn covering(&self, device_id: &str, at: i64) -> Option<&Mute> {
        let covers = |ended: &&Ended| ended.mute.concerns(device_id) && ended.holds_at(at);
        self.0.iter().filter(covers).max_by_key(|ended| ended.end()).map(|ended| &ended.mute)
    }

    /// Whether all devices are muted at a time in epoch milliseconds.
    #[must_use]
    pub fn cover_all(&self, at: i64) -> bool {
        self.0.iter().any(|ended| ended.mute.devices == "*" && ended.holds_at(at))
    }

    /// All of them, in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Ended> {
        self.0.iter()
    }

    /// The mute of that id.
    #[must_use]
    pub fn find(&self, mute_id: &str) -> Option<&Ended> {
        self.0.iter().find(|ended| ended.mute.id == mute_id)
    }
}

impl FromIterator<MuteDocument> for Mutes {
    /// In any order, with any repeats; an end without its mute says nothing.
    fn from_iter<I: IntoIterator<Item = MuteDocument>>(documents: I) -> Self {
        let mut mutes: BTreeMap<String, Mute> = BTreeMap::new();
        let mut ends: HashMap<String, Act> = HashMap::new();
        for document in documents {
            match document {
                MuteDocument::Mute(mute) => {
                    mutes.insert(mute.id.clone(), mute);
                }
                MuteDocument::Unmute(unmute) => {
                    let known = ends.get(&unmute.mute_id);
                    if known.is_none_or(|known| (unmute.act.at, &unmute.act.by) < (known.at, &known.by)) {
                        ends.insert(unmute.mute_id, unmute.act);
                    }
                }
            }
        }
        Self(mutes.into_values().map(|mute| Ended { ended: ends.remove(&mute.id), mute }).collect())
    }
}

impl Ended {
    /// When it ends, or ended, in epoch milliseconds, exclusive.
    #[must_use]
    pub fn end(&self) -> i64 {
        self.ended.as_ref().map_or(self.mute.until, |act| act.at.min(self.mute.until))
    }

    /// As people see it at a time in epoch milliseconds.
    #[must_use]
    pub fn view(&self, now: i64) -> MuteView {
        let Mute { id, devices, from, until, reason, act, .. } = &self.mute;
        MuteView {
            mute_id: id.clone(),
            state: self.state(now),
            devices: devices.clone(),
            from: *from,
            until: *until,
            reason: reason.clone(),
            by: act.by.clone(),
            at: act.at,
            ended: self.ended.as_ref().map(|act| ActView { by: act.by.clone(), at: act.at }),
        }
    }

    fn state(&self, now: i64) -> MuteState {
        if self.ended.is_some() || self.end() <= now {
            MuteState::Past
        } else if now < self.mute.from {
            MuteState::Planned
        } else {
            MuteState::Active
        }
    }

    /// Whether it holds at a time in epoch milliseconds.
    #[must_use]
    pub fn holds_at(&self, at: i64) -> bool {
        self.mute.from <= at && at < self.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::people::Unmute;

    fn act(at: i64) -> Act {
        Act { by: "anna".to_owned(), at }
    }

    fn mute(devices: &str, from: i64, until: i64) -> Mute {
        Mute::new(devices, (from, until), "defrosting", act(from))
    }

    fn read(documents: &[MuteDocument]) -> Mutes {
        documents.iter().cloned().collect()
    }

    #[test]
    fn covers_openings_from_its_begin_up_to_its_end() {
        let mutes = read(&[MuteDocument::Mute(mute("freezer-*", 100, 200))]);
        for (device_id, at, covered) in [
            ("freezer-7", 100, true),
            ("freezer-7", 199, true),
            ("freezer-7", 99, false),
            ("freezer-7", 200, false),
            ("fridge-1", 150, false),
        ] {
            assert_eq!(mutes.covering(device_id, at).is_some(), covered, "{device_id} at {at}");
        }
    }

    #[test]
    fn an_end_counts_in_any_order_the_earliest_of_several_and_only_of_its_own_mute() {
        let long = mute("*", 100, 1000);
        let mut documents = vec![
            MuteDocument::Mute(long.clone()),
            MuteDocument::Unmute(Unmute::new(&long, act(300))),
            MuteDocument::Unmute(Unmute::new(&long, Act { by: "berta".to_owned(), at: 200 })),
            MuteDocument::Unmute(Unmute::new(&mute("x", 1, 2), act(1))),
        ];
        for _ in 0..2 {
            let mutes = read(&documents);
            assert_eq!(mutes.iter().count(), 1);
            assert!(mutes.covering("d", 199).is_some() && mutes.covering("d", 200).is_none());
            assert_eq!(mutes.find(&long.id).unwrap().ended.as_ref().unwrap().by, "berta");
            documents.reverse();
        }
    }

    #[test]
    fn an_end_after_its_time_changes_nothing() {
        let short = mute("*", 100, 200);
        let mutes =
            read(&[MuteDocument::Mute(short.clone()), MuteDocument::Unmute(Unmute::new(&short, act(900)))]);
        assert!(mutes.covering("d", 150).is_some() && mutes.covering("d", 500).is_none());
    }

    #[test]
    fn of_several_the_one_that_lasts_longest() {
        let mutes = read(&[MuteDocument::Mute(mute("*", 0, 500)), MuteDocument::Mute(mute("d", 0, 900))]);
        assert_eq!(mutes.covering("d", 10).unwrap().devices, "d");
        assert!(mutes.cover_all(499) && !mutes.cover_all(500));
    }
}
