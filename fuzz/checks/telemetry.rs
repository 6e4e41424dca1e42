//! What must hold for any text that a device sends.

use wire::telemetry::{
    MAX_CLOCK_AHEAD_MS, MAX_DEVICE_ID_BYTES, MAX_READINGS_PER_EVENT, MAX_REJECTS_PER_EVENT, Origin, decode,
};

/// Decodes what the host makes of the bytes, with and without a device that the hub authenticated.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    check_text(&text, Some("d1"), Some(1_767_323_045_000));
    check_text(&text, None, None);
}

/// Decodes, and holds what comes out against what is promised.
pub(crate) fn check_text(text: &str, device_id: Option<&str>, enqueued_ms: Option<i64>) {
    let mut parts = Vec::new();
    decode(text, Origin { device_id, enqueued_ms }, &mut parts);
    assert!((1..=MAX_READINGS_PER_EVENT).contains(&parts.len()), "{} parts", parts.len());
    let n_rejects = parts.iter().filter(|part| part.is_err()).count();
    assert!(n_rejects <= MAX_REJECTS_PER_EVENT, "{n_rejects} rejects");
    for part in &parts {
        match part {
            Ok(reading) => {
                let id = reading.device_id.as_ref();
                assert!((1..=MAX_DEVICE_ID_BYTES).contains(&id.len()) && !id.chars().any(char::is_control));
                assert!(device_id.is_none_or(|device_id| device_id == id), "spoofed: {id}");
                assert!(reading.celsius.is_finite());
                let ahead_ms =
                    enqueued_ms.map(|enqueued_ms| reading.timestamp_ms.saturating_sub(enqueued_ms));
                assert!(ahead_ms.is_none_or(|ahead_ms| ahead_ms <= MAX_CLOCK_AHEAD_MS));
            }
            Err(reject) => {
                let detail = reject.to_string();
                assert!(detail.starts_with(reject.reason()) && detail.len() < 1000, "{detail}");
            }
        }
    }
}
