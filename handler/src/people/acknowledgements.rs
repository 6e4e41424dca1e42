//! Who took note of which alert first.

use std::collections::{BTreeMap, HashMap};

use wire::people::{Acknowledgement, bucket_of_alert};

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

/// Alerts by the bucket that their documents are in, each once; what is no alert's id is left out.
#[must_use]
pub fn by_bucket<'a>(alert_ids: impl IntoIterator<Item = &'a str>) -> Vec<(String, Vec<String>)> {
    let mut buckets: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for alert_id in alert_ids {
        let Some(bucket) = bucket_of_alert(alert_id) else { continue };
        buckets.entry(bucket).or_default().push(alert_id.to_owned());
    }
    let once = |(bucket, mut ids): (&str, Vec<String>)| {
        ids.sort();
        ids.dedup();
        (bucket.to_owned(), ids)
    };
    buckets.into_iter().map(once).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::people::Act;

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
    }
}
