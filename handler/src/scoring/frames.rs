//! Key frames: states of devices, written beside readings now and then, so that nobody needs all that came before.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use wire::documents::{Header, ResultsDocument};
use wire::stored::Precedence;

use super::device::Memory;

/// Key frames by device and by the position of the reading that they follow.
pub(super) type Frames<'a> = HashMap<(&'a str, i64, u32), &'a str>;

/// The key frames in a bucket's documents, those of overruled readings left out.
pub(super) fn frames<'a>(documents: &[&'a ResultsDocument]) -> Frames<'a> {
    let headers: Vec<&Header> = documents.iter().map(|document| &document.header).collect();
    let precedence = Precedence::of(&headers);
    let mut frames = Frames::new();
    for (n, document) in documents.iter().enumerate() {
        for (device_id, frame) in &document.states {
            let Some(row) = document.readings.get(device_id).and_then(|rows| rows.last()) else { continue };
            let sequence = document.header.first_sequence.saturating_add(row.sequence);
            if precedence.counts(n, sequence) {
                frames.insert((device_id, sequence, row.index), frame);
            }
        }
    }
    frames
}

/// A device's memory as a key frame holds it; `None` for one of an earlier version of the program.
pub(super) fn memory_of(device_id: &str, frame: &str) -> Option<Memory> {
    let read = || -> anyhow::Result<Memory> { Ok(Memory::decode(&STANDARD_NO_PAD.decode(frame)?)?.0) };
    read()
        .inspect_err(|error| {
            tracing::error!(
                device_id,
                error = format!("{error:#}"),
                "a stored state cannot be read: the device goes on with the readings that are stored"
            );
        })
        .ok()
}

/// A device's memory as it stands beside its newest reading.
#[must_use]
pub(super) fn frame_of(memory: &Memory) -> String {
    let mut bytes = Vec::with_capacity(512);
    memory.encode(&mut bytes);
    STANDARD_NO_PAD.encode(bytes)
}
