//! What must hold for any bytes that are taken for a device's state.

use detector::{Detector, Device, Policy, Prior, Reading};

/// Readings that a decoded state must be able to take: more than a window.
const N_READINGS: i64 = 40;

/// Decodes a state; one that is accepted encodes to itself and can be gone on with.
pub(crate) fn check(bytes: &[u8]) {
    let Ok((device, rest)) = Device::decode(bytes) else { return };
    assert!(rest.len() < bytes.len());
    let encoded = encode(&device);
    let (again, left) = Device::decode(&encoded).expect("what was encoded is a state");
    assert!(left.is_empty(), "{} bytes are left", left.len());
    assert_eq!(encode(&again), encoded);
    for policy in [Policy::Calibrated, Policy::Fixed { threshold: 0.01 }] {
        go_on(&device, policy);
    }
}

fn encode(device: &Device) -> Vec<u8> {
    let mut bytes = Vec::new();
    device.encode(&mut bytes);
    bytes
}

fn go_on(device: &Device, policy: Policy) {
    let detector = Detector { policy, prior: Prior { spread: 1.0, error_quantile: 0.1 } };
    let mut device = device.clone();
    let newest_ms = device.newest().map_or(0, |newest| newest.reading.timestamp_ms());
    let mut window = Vec::new();
    for n in 0..N_READINGS {
        let timestamp_ms = newest_ms.saturating_add(n * 60_000);
        let celsius = if n % 7 == 0 { -273.15 } else { 20.0 };
        let reading = Reading::new(timestamp_ms, celsius).expect("a temperature");
        window.clear();
        let seen = detector.observe(&mut device, reading, &mut window);
        let reconstruction: Vec<f32> = window.iter().map(|value| value * 0.5).collect();
        let fact = detector.decide(&mut device, &seen, &window, &reconstruction);
        let mut replayed = device.clone();
        detector.apply(&mut replayed, &fact);
    }
    let bytes = encode(&device);
    Device::decode(&bytes).expect("a state that went on is a state");
}
