//! Who took note of which alert first.

use std::collections::{BTreeMap, HashMap};

use wire::api::{AcknowledgeOutcome, AcknowledgeResult, AcknowledgedView, AlertState, AlertView};
use wire::people::{Acknowledgement, Act, bucket_of_alert};

use crate::store::{Store, StoreError};

/// The acknowledgement that counts, by alert.
#[derive(Debug, Clone, Default)]
pub struct Acknowledgements(HashMap<String, Acknowledgement>);

impl Acknowledgements {
    /// Reads those of some alerts: a question a bucket that these are in, however many are stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be read.
    pub async fn read<'a>(
        store: &Store,
        alert_ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, StoreError> {
        Ok(store.acknowledgements(by_bucket(alert_ids)).await?.into_iter().collect())
    }

    /// The one that counts for an alert.
    #[must_use]
    pub fn of(&self, alert_id: &str) -> Option<&Acknowledgement> {
        self.0.get(alert_id)
    }
}

impl FromIterator<Acknowledgement> for Acknowledgements {
    /// In any order, with any repeats: the earliest of an alert counts.
    fn from_iter<I: IntoIterator<Item = Acknowledgement>>(documents: I) -> Self {
        let mut earliest: HashMap<String, Acknowledgement> = HashMap::new();
        for document in documents {
            let known = earliest.get(&document.alert_id);
            if known.is_none_or(|known| (document.act.at, &document.id) < (known.act.at, &known.id)) {
                earliest.insert(document.alert_id.clone(), document);
            }
        }
        Self(earliest)
    }
}

/// What becomes of an alert that somebody takes note of, and the document that makes it so.
///
/// Only what is open can be acknowledged, and only once: a repeat changes nothing.
#[must_use]
pub fn take_note(
    alert_id: &str,
    known: Option<&AlertView>,
    note: &str,
    act: &Act,
) -> (AcknowledgeResult, Option<Acknowledgement>) {
    let (result, acknowledged, document) = match known {
        None => (AcknowledgeOutcome::Unknown, None, None),
        Some(AlertView { acknowledged: Some(earlier), .. }) => {
            (AcknowledgeOutcome::Unchanged, Some(earlier.clone()), None)
        }
        Some(AlertView { state: AlertState::Closed, .. }) => (AcknowledgeOutcome::Closed, None, None),
        Some(AlertView { state: AlertState::Open, .. }) => {
            match Acknowledgement::new(alert_id, note, act.clone()) {
                Some(new) => (AcknowledgeOutcome::Acknowledged, Some(acknowledged_view(&new)), Some(new)),
                None => (AcknowledgeOutcome::Unknown, None, None),
            }
        }
    };
    (AcknowledgeResult { alert_id: alert_id.to_owned(), result, acknowledged }, document)
}

/// An acknowledgement as people see it.
#[must_use]
pub fn acknowledged_view(document: &Acknowledgement) -> AcknowledgedView {
    AcknowledgedView { by: document.act.by.clone(), at: document.act.at, note: document.note.clone() }
}

/// Alerts in one question: Cosmos DB takes questions of up to 512 KB.
const ALERTS_PER_QUESTION: usize = 1000;

/// Alerts by the bucket that their documents are in, each once, and so many of a bucket together as fit in a question;
/// what is no alert's id is left out.
#[must_use]
pub fn by_bucket<'a>(alert_ids: impl IntoIterator<Item = &'a str>) -> Vec<(String, Vec<String>)> {
    let mut buckets: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for alert_id in alert_ids {
        let Some(bucket) = bucket_of_alert(alert_id) else { continue };
        buckets.entry(bucket).or_default().push(alert_id.to_owned());
    }
    let mut questions = Vec::new();
    for (bucket, mut ids) in buckets {
        ids.sort();
        ids.dedup();
        let parts = ids.chunks(ALERTS_PER_QUESTION);
        questions.extend(parts.map(|ids| (bucket.to_owned(), ids.to_vec())));
    }
    questions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acknowledgement(alert_id: &str, by: &str, at: i64) -> Acknowledgement {
        Acknowledgement::new(alert_id, "", Act { by: by.to_owned(), at }).unwrap()
    }

    #[test]
    fn the_earliest_counts_in_any_order() {
        let mut documents = [
            acknowledgement("b.1.0.spike", "late", 3000),
            acknowledgement("b.1.0.spike", "early", 1000),
            acknowledgement("b.2.0.spike", "other", 500),
        ];
        for _ in 0..2 {
            let read: Acknowledgements = documents.iter().cloned().collect();
            assert_eq!(read.of("b.1.0.spike").map(|document| document.act.by.as_str()), Some("early"));
            assert!(read.of("b.3.0.spike").is_none());
            documents.reverse();
        }
    }

    #[test]
    fn alerts_are_asked_for_once_in_their_bucket() {
        let asked = by_bucket(["b.1.0.spike", "a.1.0.spike", "b.1.0.spike", "nonsense", "b.0.0.drift"]);
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            asked,
            [("a".to_owned(), ids(&["a.1.0.spike"])), ("b".to_owned(), ids(&["b.0.0.drift", "b.1.0.spike"]))]
        );
        let many: Vec<String> = (0..2500).map(|n| format!("b.{n}.0.spike")).collect();
        let asked = by_bucket(many.iter().map(String::as_str));
        assert_eq!(asked.iter().map(|(_, ids)| ids.len()).collect::<Vec<_>>(), [1000, 1000, 500]);
    }
}
