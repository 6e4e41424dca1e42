//! Documents that expire: the changes of the journal enter, those documents leave that have a time to live, with their age. Pure.

use std::collections::HashMap;

use super::account::ResourceNames;
use super::journal::{Entry, partition_key};

/// A document with a time to live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mortal {
    /// Where it is.
    pub(super) names: ResourceNames,
    /// Its partition key, as JSON text of an array.
    pub(super) partition_key: String,
    /// Its id.
    pub(super) id: String,
    /// When it was written, in seconds since 1970.
    pub(super) written_s: i64,
    /// Its `ttl`, in seconds.
    pub(super) ttl_s: i64,
}

/// The documents with a `ttl` above 0; containers here have no default that would end others.
pub(super) fn mortals(entries: &[Entry]) -> Vec<Mortal> {
    let mut paths: HashMap<&ResourceNames, &str> = HashMap::new();
    let mut mortals = Vec::new();
    for entry in entries {
        match entry {
            Entry::Container { names, partition_key_path } => {
                paths.insert(names, partition_key_path);
            }
            Entry::Put { names, document, at } => {
                let ttl = document["ttl"].as_i64().filter(|ttl| *ttl > 0);
                if let (Some(ttl_s), Some(id)) = (ttl, document["id"].as_str()) {
                    let path = paths.get(names).copied().unwrap_or_default();
                    mortals.push(Mortal {
                        names: names.clone(),
                        partition_key: partition_key(document, path),
                        id: id.to_owned(),
                        written_s: *at,
                        ttl_s,
                    });
                }
            }
            Entry::Delete { .. } => {}
        }
    }
    mortals
}

impl Mortal {
    /// The change that ends it.
    pub(super) fn end(self) -> Entry {
        Entry::Delete { names: self.names, partition_key: self.partition_key, id: self.id }
    }

    /// Whether its time is over.
    pub(super) fn is_over(&self, now_s: i64) -> bool {
        self.written_s.saturating_add(self.ttl_s) <= now_s
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_a_time_to_live_ends_a_document() {
        let names = ResourceNames { database: "d".to_owned(), container: "c".to_owned() };
        let put = |document: Value| Entry::Put { names: names.clone(), document, at: 1000 };
        let entries = [
            Entry::Container { names: names.clone(), partition_key_path: "/bucket".to_owned() },
            put(json!({ "id": "a", "bucket": "b", "ttl": 60 })),
            put(json!({ "id": "for ever", "bucket": "b", "ttl": -1 })),
            put(json!({ "id": "unsaid", "bucket": "b" })),
        ];
        let found = mortals(&entries);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].id.as_str(), found[0].partition_key.as_str()), ("a", "[\"b\"]"));
        assert!(!found[0].is_over(1059) && found[0].is_over(1060));
    }
}
