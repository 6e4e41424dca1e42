//! What must hold for any bytes that are taken for a snapshot.

use sha2::{Digest, Sha256};
use wire::snapshot::Snapshot;

/// Reads bytes as they are, and with a checksum that fits, which no fuzzer finds by itself.
pub(crate) fn check(bytes: &[u8]) {
    read(bytes);
    let mut summed = bytes.to_vec();
    summed.extend_from_slice(&Sha256::digest(bytes));
    read(&summed);
}

fn read(bytes: &[u8]) {
    let Ok(snapshot) = Snapshot::read(bytes) else { return };
    let Ok(devices) = snapshot.devices() else { return };
    let n_bytes: usize = devices.iter().map(|(id, state)| 5 + id.len() + state.len()).sum();
    assert!(n_bytes <= bytes.len(), "{n_bytes} bytes of devices in {}", bytes.len());
}
