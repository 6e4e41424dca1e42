//! Who took note of which alert first.

use std::collections::{BTreeMap, HashMap};

use wire::api::{AcknowledgeOutcome, AcknowledgeResult, AcknowledgedView, AlertState, AlertView};
use wire::people::{Acknowledgement, Act, bucket_of_alert};

use crate::store::{Store, StoreError};

/// What counts of people's acts, by alert.
#[derive(Debug, Clone, Default)]
pub struct Acknowledgements(HashMap<String, Noted>);

/// What counts of an alert's acts.
#[derive(Debug, Clone)]
struct Noted {
    counts: Option<Acknowledgement>,
    /// When the newest act of all was, in epoch milliseconds.
    newest_at: i64,
}

/// What somebody decides about alerts.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    /// Takes note; `false` takes back.
    pub acknowledged: bool,
    /// What there is to say; may be empty.
    pub note: &'a str,
    /// Who and when.
    pub act: &'a Act,
}

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
        self.0.get(alert_id)?.counts.as_ref()
    }

    /// The moment of an act that is decided now, in epoch milliseconds: after all those that it was decided upon,
    /// whatever the clocks of their machines said.
    fn moment(&self, alert_id: &str, now: i64) -> i64 {
        self.0.get(alert_id).map_or(now, |noted| now.max(noted.newest_at.saturating_add(1)))
    }
}

impl FromIterator<Acknowledgement> for Acknowledgements {
    /// In any order, with any repeats: of those after the newest that takes back, the earliest of an alert counts.
    fn from_iter<I: IntoIterator<Item = Acknowledgement>>(documents: I) -> Self {
        let mut documents: Vec<Acknowledgement> = documents.into_iter().collect();
        // Of one moment's acts the one that takes back comes last.
        documents.sort_by(|left, right| {
            let key = |document: &Acknowledgement| (document.act.at, !document.acknowledged);
            key(left).cmp(&key(right)).then_with(|| left.id.cmp(&right.id))
        });
        let mut by_alert: HashMap<String, Noted> = HashMap::new();
        for document in documents {
            let newest_at = document.act.at;
            let noted =
                by_alert.entry(document.alert_id.clone()).or_insert(Noted { counts: None, newest_at });
            noted.newest_at = newest_at;
            noted.counts = match noted.counts.take() {
                _ if !document.acknowledged => None,
                Some(earlier) => Some(earlier),
                None => Some(document),
            };
        }
        Self(by_alert)
    }
}

/// What becomes of an alert about which somebody decides, and the document that makes it so.
///
/// Only what is open can be acknowledged, or taken back; what is so already stays as it is.
#[must_use]
pub fn decide(
    alert_id: &str,
    known: Option<&AlertView>,
    earlier: &Acknowledgements,
    statement: Statement<'_>,
) -> (AcknowledgeResult, Option<Acknowledgement>) {
    let Statement { acknowledged, note, act } = statement;
    let unchanged = |outcome| {
        let acknowledged = known.and_then(|known| known.acknowledged.clone());
        (AcknowledgeResult { alert_id: alert_id.to_owned(), result: outcome, acknowledged }, None)
    };
    let Some(view) = known else { return unchanged(AcknowledgeOutcome::Unknown) };
    let is_open = view.state == AlertState::Open;
    if view.acknowledged.is_some() == acknowledged && (is_open || acknowledged) {
        return unchanged(AcknowledgeOutcome::Unchanged);
    }
    if !is_open {
        return unchanged(AcknowledgeOutcome::Closed);
    }
    let act = Act { by: act.by.clone(), at: earlier.moment(alert_id, act.at) };
    let Some(document) = Acknowledgement::new(alert_id, acknowledged, note, act) else {
        return unchanged(AcknowledgeOutcome::Unknown);
    };
    let result = AcknowledgeResult {
        alert_id: alert_id.to_owned(),
        result: if acknowledged { AcknowledgeOutcome::Acknowledged } else { AcknowledgeOutcome::Withdrawn },
        acknowledged: acknowledged.then(|| acknowledged_view(&document)),
    };
    (result, Some(document))
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
        Acknowledgement::new(alert_id, true, "", Act { by: by.to_owned(), at }).unwrap()
    }

    #[test]
    fn what_was_taken_back_counts_no_more_and_what_comes_after_does() {
        let alert_id = "b.1.0.spike";
        let act = |at| Act { by: "carla".to_owned(), at };
        let taken_back = |at| Acknowledgement::new(alert_id, false, "", act(at)).unwrap();
        let counts = |documents: &[Acknowledgement]| {
            let mut documents = documents.to_vec();
            documents.reverse();
            let read: Acknowledgements = documents.into_iter().collect();
            (read.of(alert_id).map(|document| document.act.at), read.moment(alert_id, 5))
        };
        let (one, two) = (acknowledgement(alert_id, "anna", 10), acknowledgement(alert_id, "berta", 12));
        assert_eq!(counts(&[one.clone(), two.clone()]), (Some(10), 13));
        assert_eq!(counts(&[one.clone(), two.clone(), taken_back(12)]), (None, 13));
        assert_eq!(counts(&[one.clone(), taken_back(11), two]), (Some(12), 13));
        assert_eq!(counts(&[taken_back(11), one]), (None, 12));
        assert_eq!(counts(&[]), (None, 5));
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
