//! The frame of a snapshot: the states of all devices of a stream at one position.
//!
//! ```text
//! "TSNP" version:u8 header-length:u32 header:JSON { id-length:u8 id state-length:u32 state }* sha256:32
//! ```
//!
//! Numbers are little-endian. What a state's bytes mean is not known here.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

const MAGIC: &[u8; 4] = b"TSNP";
const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 32;

/// What a snapshot says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotHeader {
    /// Sequence number up to which everything is in it.
    pub position: i64,
    /// Newest enqueued time, in epoch milliseconds.
    pub enqueued_to: i64,
    /// How often the hub was rebuilt.
    pub epoch: u32,
    /// Term of its writer.
    pub term: u32,
    /// Groups of devices in the stream.
    pub n_buckets: u32,
}

/// Why bytes are no snapshot.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SnapshotError {
    /// Torn or altered.
    #[error("the snapshot is torn or altered: its checksum does not fit")]
    Checksum,
    /// Of another format.
    #[error("the snapshot has a format that this program does not know")]
    Format,
    /// The checksum fits, but the content does not.
    #[error("the snapshot's content ends in the middle of a device")]
    Truncated,
}

/// Puts a snapshot together.
#[derive(Debug)]
pub struct SnapshotWriter {
    bytes: Vec<u8>,
}

impl SnapshotWriter {
    /// Begins with the header.
    ///
    /// # Errors
    ///
    /// None that can happen: the header is numbers.
    pub fn new(header: &SnapshotHeader) -> Result<Self, serde_json::Error> {
        let header = serde_json::to_vec(header)?;
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        bytes.extend_from_slice(&u32::try_from(header.len()).unwrap_or(0).to_le_bytes());
        bytes.extend_from_slice(&header);
        Ok(Self { bytes })
    }

    /// Adds a device; an id is at most 255 bytes.
    pub fn add(&mut self, device_id: &str, write_state: impl FnOnce(&mut Vec<u8>)) {
        let Ok(length) = u8::try_from(device_id.len()) else { return };
        self.bytes.push(length);
        self.bytes.extend_from_slice(device_id.as_bytes());
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        write_state(&mut self.bytes);
        let n_bytes = u32::try_from(self.bytes.len() - at - 4).unwrap_or(0);
        self.bytes[at..at + 4].copy_from_slice(&n_bytes.to_le_bytes());
    }

    /// Ends with the checksum.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        let checksum = Sha256::digest(&self.bytes);
        self.bytes.extend_from_slice(&checksum);
        self.bytes
    }
}

/// A snapshot whose checksum fits.
#[derive(Debug)]
pub struct Snapshot<'a> {
    /// What it says of itself.
    pub header: SnapshotHeader,
    devices: &'a [u8],
}

impl<'a> Snapshot<'a> {
    /// Checks a snapshot's bytes.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] when they are none.
    pub fn read(bytes: &'a [u8]) -> Result<Self, SnapshotError> {
        let (content, checksum) = bytes
            .len()
            .checked_sub(CHECKSUM_BYTES)
            .map(|length| bytes.split_at(length))
            .ok_or(SnapshotError::Checksum)?;
        if Sha256::digest(content)[..] != *checksum {
            return Err(SnapshotError::Checksum);
        }
        let content = content.strip_prefix(MAGIC).ok_or(SnapshotError::Format)?;
        let (version, content) = content.split_first().ok_or(SnapshotError::Format)?;
        if *version != VERSION {
            return Err(SnapshotError::Format);
        }
        let (header, devices) = split_sized(content).ok_or(SnapshotError::Format)?;
        let header = serde_json::from_slice(header).map_err(|_| SnapshotError::Format)?;
        Ok(Self { header, devices })
    }

    /// The devices' ids and states.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Truncated`] where a device ends too early.
    pub fn devices(&self) -> Result<Vec<(&'a str, &'a [u8])>, SnapshotError> {
        let mut devices = Vec::new();
        let mut rest = self.devices;
        while !rest.is_empty() {
            let (device, after) = split_device(rest).ok_or(SnapshotError::Truncated)?;
            devices.push(device);
            rest = after;
        }
        Ok(devices)
    }
}

type Device<'a> = (&'a str, &'a [u8]);

fn split_device(bytes: &[u8]) -> Option<(Device<'_>, &[u8])> {
    let (length, bytes) = bytes.split_first()?;
    let (device_id, bytes) = bytes.split_at_checked(usize::from(*length))?;
    let (state, rest) = split_sized(bytes)?;
    Some(((std::str::from_utf8(device_id).ok()?, state), rest))
}

fn split_sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, bytes) = bytes.split_first_chunk()?;
    bytes.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header() -> SnapshotHeader {
        SnapshotHeader { position: 7, enqueued_to: 8, epoch: 1, term: 2, n_buckets: 16 }
    }

    fn written() -> Vec<u8> {
        let mut writer = SnapshotWriter::new(&header()).unwrap();
        writer.add("a", |out| out.extend_from_slice(b"state of a"));
        writer.add("b", |_| {});
        writer.finish()
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = written();
        let snapshot = Snapshot::read(&bytes).unwrap();
        assert_eq!(snapshot.header, header());
        assert_eq!(snapshot.devices().unwrap(), [("a", &b"state of a"[..]), ("b", &b""[..])]);
    }

    proptest! {
        #[test]
        fn a_torn_or_altered_one_is_refused(at in 0_usize..120, bit in 0_u8..8, cut in any::<bool>()) {
            let mut bytes = written();
            let at = at % bytes.len();
            if cut { bytes.truncate(at) } else { bytes[at] ^= 1 << bit }
            prop_assert_eq!(Snapshot::read(&bytes).unwrap_err(), SnapshotError::Checksum);
        }

        #[test]
        fn any_content_is_read_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            bytes.splice(0..0, [b'T', b'S', b'N', b'P', VERSION, 2, 0, 0, 0, b'{', b'}']);
            let checksum = Sha256::digest(&bytes);
            bytes.extend_from_slice(&checksum);
            let _ = Snapshot::read(&bytes).map(|snapshot| snapshot.devices().is_ok());
        }
    }
}
