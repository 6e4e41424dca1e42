//! Telemetry messages: readings as a device sends them.
//!
//! Samples of one device enter, message bodies leave; labels stay behind, for a device does not know its faults.

use crate::args::Timestamps;
use crate::time::rfc3339;
use anyhow::{Context, Result};
use serde::Serialize;
use simulator::Sample;

/// Bodies stay below IoT Hub's 256 KB with room for its properties.
const MOST_BYTES: usize = 200_000;

/// What one device sends at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) device_id: String,
    /// A reading, or an array of them, as JSON.
    pub(crate) body: Vec<u8>,
    pub(crate) n_readings: u64,
    /// Time of the first reading, epoch milliseconds.
    pub(crate) timestamp_ms: i64,
}

/// How readings are put into messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packing {
    pub(crate) readings_per_message: usize,
    pub(crate) timestamps: Timestamps,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reading<'a> {
    device_id: &'a str,
    temperature: f64,
    timestamp: Stamp,
    message_id: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Stamp {
    Text(String),
    Ms(i64),
}

impl Packing {
    /// Packs the readings of one device, in their order.
    ///
    /// # Errors
    ///
    /// When a reading cannot be written as JSON, which a finite temperature always can.
    pub(crate) fn pack(&self, device_id: &str, samples: &[Sample]) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        for chunk in samples.chunks(self.readings_per_message.max(1)) {
            self.pack_chunk(device_id, chunk, &mut messages)?;
        }
        Ok(messages)
    }

    /// Halves what is too large for one message; a single reading never is.
    fn pack_chunk(&self, device_id: &str, chunk: &[Sample], messages: &mut Vec<Message>) -> Result<()> {
        let Some(first) = chunk.first() else { return Ok(()) };
        let body = self.body(device_id, chunk)?;
        if body.len() > MOST_BYTES && chunk.len() > 1 {
            let (head, tail) = chunk.split_at(chunk.len() / 2);
            self.pack_chunk(device_id, head, messages)?;
            return self.pack_chunk(device_id, tail, messages);
        }
        messages.push(Message {
            device_id: device_id.to_owned(),
            body,
            n_readings: chunk.len() as u64,
            timestamp_ms: first.timestamp_ms,
        });
        Ok(())
    }

    fn body(&self, device_id: &str, chunk: &[Sample]) -> Result<Vec<u8>> {
        let readings: Vec<Reading<'_>> = chunk.iter().map(|sample| self.reading(device_id, sample)).collect();
        let body = match readings.as_slice() {
            [only] => serde_json::to_vec(only),
            several => serde_json::to_vec(several),
        };
        body.with_context(|| format!("readings of `{device_id}` could not be written as JSON"))
    }

    fn reading<'a>(&self, device_id: &'a str, sample: &Sample) -> Reading<'a> {
        let timestamp = match self.timestamps {
            Timestamps::Rfc3339 => Stamp::Text(rfc3339(sample.timestamp_ms)),
            Timestamps::EpochMs => Stamp::Ms(sample.timestamp_ms),
        };
        let message_id = format!("{device_id}-{}", sample.timestamp_ms);
        Reading { device_id, temperature: sample.celsius, timestamp, message_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use simulator::FaultKind;

    fn samples(n: u32) -> Vec<Sample> {
        (0..n)
            .map(|i| Sample {
                timestamp_ms: 1_767_323_045_000 + i64::from(i) * 1000,
                celsius: 21.5,
                fault: Some(FaultKind::Shift),
            })
            .collect()
    }

    fn packing(readings_per_message: usize, timestamps: Timestamps) -> Packing {
        Packing { readings_per_message, timestamps }
    }

    #[test]
    fn one_reading_is_an_object_without_its_label() {
        let messages = packing(1, Timestamps::Rfc3339).pack("d1", &samples(1)).unwrap();
        let body: Value = serde_json::from_slice(&messages[0].body).unwrap();
        let expected = json!({ "deviceId": "d1", "temperature": 21.5,
            "timestamp": "2026-01-02T03:04:05.000Z", "messageId": "d1-1767323045000" });
        assert_eq!(body, expected);
    }

    #[test]
    fn several_readings_are_an_array() {
        let messages = packing(20, Timestamps::EpochMs).pack("d1", &samples(45)).unwrap();
        assert_eq!(messages.iter().map(|message| message.n_readings).collect::<Vec<_>>(), [20, 20, 5]);
        let body: Value = serde_json::from_slice(&messages[1].body).unwrap();
        assert_eq!(body[0]["timestamp"], json!(1_767_323_065_000_i64));
        assert_eq!(body.as_array().unwrap().len(), 20);
    }

    #[test]
    fn no_message_is_too_large() {
        let long_id = "d".repeat(1000);
        let messages = packing(500, Timestamps::Rfc3339).pack(&long_id, &samples(500)).unwrap();
        assert!(messages.len() > 1);
        assert!(messages.iter().all(|message| message.body.len() <= MOST_BYTES));
        assert_eq!(messages.iter().map(|message| message.n_readings).sum::<u64>(), 500);
    }
}
