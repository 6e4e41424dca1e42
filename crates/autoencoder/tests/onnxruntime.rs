//! The committed model in another runtime: Microsoft's gives the same reconstructions.
//!
//! It needs a Python with the package `onnxruntime`, which `PYTHON` names (`python3` otherwise), and says so where
//! there is none.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::process::{Command, Stdio};

use autoencoder::{Autoencoder, INPUT_NAME, OUTPUT_NAME};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../model/autoencoder.onnx");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/run_onnx.py");
const LENGTH: usize = 32;
/// The greatest difference between the two, as a share of values above 1.
const TOLERANCE: f32 = 1e-5;

/// Windows as devices make them, and such as none does: flat, cut on both sides, alternating, tiny, huge, single
/// spikes at every place, and noise of all sizes.
fn windows() -> Vec<f32> {
    let mut windows = Vec::new();
    for level in [0.0, 1.0, -1.0, 4.0, -4.0, 16.0, -16.0, 1e-30, -1e-38, 1e4] {
        windows.extend([level; LENGTH]);
        windows.extend((0_u8..32).map(|n| if n % 2 == 0 { level } else { -level }));
        windows.extend((0_u8..32).map(|n| level * f32::from(n) / 31.0));
    }
    for place in 0..LENGTH {
        windows.extend((0..LENGTH).map(|n| if n == place { 16.0 } else { 0.25 }));
    }
    for period in 2_u8..40 {
        windows.extend(
            (0_u8..32).map(|n| 2.0 * (std::f32::consts::TAU * f32::from(n) / f32::from(period)).sin()),
        );
    }
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f32::from(u16::try_from(state >> 48).unwrap()) / 32_768.0 - 1.0
    };
    for size in 0_u8..200 {
        windows.extend((0..LENGTH).map(|_| noise() * f32::from(size) / 12.0));
    }
    windows
}

/// Asks Microsoft's runtime; `None` where no Python has it.
fn reconstruct_elsewhere(windows: &[f32]) -> Option<Vec<f32>> {
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let has_it = Command::new(&python).args(["-c", "import numpy, onnxruntime"]).output();
    if !has_it.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let mut child = Command::new(&python)
        .args([SCRIPT, MODEL, INPUT_NAME, OUTPUT_NAME, &LENGTH.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let bytes: Vec<u8> = windows.iter().flat_map(|value| value.to_le_bytes()).collect();
    // The script answers after it has read everything, so that neither side waits for the other.
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the script failed: {}", output.status);
    let values = output.stdout.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
    Some(values.collect())
}

#[test]
fn another_runtime_reconstructs_the_same() {
    let windows = windows();
    let Some(theirs) = reconstruct_elsewhere(&windows) else {
        eprintln!("skipped: no Python with onnxruntime; PYTHON names one");
        return;
    };
    let mut model = Autoencoder::load(&std::fs::read(MODEL).unwrap(), LENGTH).unwrap();
    let mut ours = Vec::new();
    model.reconstruct(&windows, &mut ours).unwrap();
    assert_eq!(ours.len(), theirs.len());
    let mut greatest = 0.0_f32;
    for (n, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        let difference = (ours - theirs).abs() / theirs.abs().max(1.0);
        assert!(difference <= TOLERANCE, "window {}: {ours} here, {theirs} there", n / LENGTH);
        greatest = greatest.max(difference);
    }
    eprintln!("{} windows, greatest difference {greatest:e}", windows.len() / LENGTH);
}
