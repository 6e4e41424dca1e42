//! Where an event lies in the stream, and where what is known of it is stored.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use xxhash_rust::xxh64::xxh64;

/// One partition of one event hub in one epoch: the stream whose order everything else rests on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stream {
    /// Fully qualified namespace of the hub.
    pub namespace: String,
    /// Name of the hub.
    pub hub: String,
    /// Number of the partition, as the hub writes it.
    pub partition: String,
    /// How often the hub was rebuilt: sequence numbers are comparable within an epoch alone.
    pub epoch: u32,
}

impl Stream {
    /// A short name for namespace, hub and epoch that is safe in ids.
    #[must_use]
    pub fn log(&self) -> String {
        short_hash(&[&self.namespace, &self.hub, &self.epoch.to_string()])
    }

    /// The bucket of the n-th group of devices: the partition key of their documents.
    #[must_use]
    pub fn bucket(&self, n: u32) -> String {
        format!("{}.{}.{n}", self.log(), self.partition)
    }

    /// The bucket of rejects and skips.
    #[must_use]
    pub fn reject_bucket(&self) -> String {
        format!("{}.{}.x", self.log(), self.partition)
    }
}

/// The group of a device among `n_buckets`: XXH64 of its id with seed 0, modulo their number.
///
/// Stored documents depend on it, so it never changes.
#[must_use]
pub fn bucket_of(device_id: &str, n_buckets: u32) -> u32 {
    let group = xxh64(device_id.as_bytes(), 0) % u64::from(n_buckets.max(1));
    u32::try_from(group).unwrap_or(0)
}

/// The first eight hexadecimal digits of the SHA-256 of all parts.
#[must_use]
pub fn short_hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hasher.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_never_change() {
        assert_eq!(bucket_of("d1", 16), 15);
        assert_eq!(bucket_of("d1", 1), 0);
        assert_eq!(bucket_of("", 0), 0);
    }

    #[test]
    fn names_are_safe_in_ids_whatever_the_hub_is_called() {
        let stream = Stream { namespace: "a/b?#\\".into(), hub: "c".into(), partition: "0".into(), epoch: 0 };
        assert!(stream.bucket(3).chars().all(|c| c.is_ascii_alphanumeric() || c == '.'));
        assert_ne!(stream.log(), Stream { epoch: 1, ..stream.clone() }.log());
        assert_ne!(short_hash(&["a", "bc"]), short_hash(&["ab", "c"]));
    }
}
