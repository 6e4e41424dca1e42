//! Where an event lies in the stream, and where what is known of it is stored.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use xxhash_rust::xxh64::xxh64;

/// The group of rejects and skips.
pub const REJECT_GROUP: &str = "x";

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
    /// What the names of this stream's buckets begin with; the number of a group of devices follows, or
    /// [`REJECT_GROUP`].
    ///
    /// Namespace, hub and epoch are in it as a hash, so that it is safe in ids and queries.
    #[must_use]
    pub fn bucket_prefix(&self) -> String {
        let log = short_hash(&[&self.namespace, &self.hub, &self.epoch.to_string()]);
        format!("{log}.{}.", self.partition)
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
        assert!(stream.bucket_prefix().chars().all(|c| c.is_ascii_alphanumeric() || c == '.'));
        assert_ne!(stream.bucket_prefix(), Stream { epoch: 1, ..stream.clone() }.bucket_prefix());
        assert_ne!(short_hash(&["a", "bc"]), short_hash(&["ab", "c"]));
    }
}
