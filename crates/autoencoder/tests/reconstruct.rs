//! The committed model, run: reconstructions depend on their window alone, and a wrong model is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autoencoder::{Autoencoder, INPUT_NAME, LoadError, ReconstructError};

const MODEL: &[u8] = include_bytes!("../../../model/autoencoder.onnx");
const LENGTH: usize = 32;

fn model() -> Autoencoder {
    Autoencoder::load(MODEL, LENGTH).unwrap()
}

/// Windows with values of -8 to 8, most of them small, from a generator of fixed seed.
fn windows(n_rows: usize) -> Vec<f32> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let unit = f32::from(u16::try_from(state >> 48).unwrap()) / 32_768.0 - 1.0;
        8.0 * unit * unit * unit
    };
    (0..n_rows * LENGTH).map(|_| next()).collect()
}

fn reconstruct(model: &mut Autoencoder, windows: &[f32]) -> Vec<f32> {
    let mut out = Vec::new();
    model.reconstruct(windows, &mut out).unwrap();
    assert_eq!(out.len(), windows.len());
    out
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn a_reconstruction_depends_on_its_window_alone() {
    let mut model = model();
    let n_rows = 300;
    let windows = windows(n_rows);
    let together = reconstruct(&mut model, &windows);

    for (window, expected) in windows.chunks(LENGTH).zip(together.chunks(LENGTH)) {
        assert_eq!(bits(&reconstruct(&mut model, window)), bits(expected), "alone");
    }
    // 7 has no divisor in common with 300, so this visits every row once.
    let order: Vec<usize> = (0..n_rows).map(|n| n * 7 % n_rows).collect();
    let shuffled: Vec<f32> =
        order.iter().flat_map(|row| &windows[row * LENGTH..][..LENGTH]).copied().collect();
    let reconstructed = reconstruct(&mut model, &shuffled);
    for (row, found) in order.iter().zip(reconstructed.chunks(LENGTH)) {
        assert_eq!(bits(found), bits(&together[row * LENGTH..][..LENGTH]), "row {row}, in other company");
    }
}

#[test]
fn a_reconstruction_does_not_depend_on_its_row() {
    let mut model = model();
    let windows = windows(130);
    let wanted = &windows[..LENGTH];
    let expected = bits(&reconstruct(&mut model, wanted));
    for row in 0..130 {
        let mut company = windows.clone();
        company[row * LENGTH..][..LENGTH].copy_from_slice(wanted);
        for n_rows in [row + 1, 130] {
            let found = reconstruct(&mut model, &company[..n_rows * LENGTH]);
            assert_eq!(bits(&found[row * LENGTH..][..LENGTH]), expected, "row {row} of {n_rows}");
        }
    }
}

#[test]
fn a_window_that_is_not_finite_leaves_its_neighbors_alone() {
    let mut model = model();
    let mut windows = windows(5);
    let expected = reconstruct(&mut model, &windows);
    windows[2 * LENGTH + 3] = f32::NAN;
    let found = reconstruct(&mut model, &windows);
    for row in [0, 1, 3, 4] {
        assert_eq!(
            bits(&found[row * LENGTH..][..LENGTH]),
            bits(&expected[row * LENGTH..][..LENGTH]),
            "{row}"
        );
    }
}

#[test]
fn no_windows_give_no_reconstructions_and_others_are_appended() {
    let mut model = model();
    let mut out = vec![7.0];
    model.reconstruct(&[], &mut out).unwrap();
    assert_eq!(out, [7.0]);
    model.reconstruct(&[0.0; LENGTH], &mut out).unwrap();
    assert_eq!(out.len(), 1 + LENGTH);
    assert_eq!(out[0], 7.0);
}

#[test]
fn a_partial_window_is_refused_and_nothing_appended() {
    let mut out = vec![7.0];
    let error = model().reconstruct(&[0.0; LENGTH + 1], &mut out).unwrap_err();
    assert!(
        matches!(error, ReconstructError::PartialWindow { n_values: 33, window_length: LENGTH }),
        "{error}"
    );
    assert_eq!(out, [7.0]);
}

#[test]
fn a_session_can_move_to_another_thread() {
    let mut model = model();
    let windows = windows(3);
    let here = reconstruct(&mut model, &windows);
    let there = std::thread::spawn(move || reconstruct(&mut model, &windows)).join().unwrap();
    assert_eq!(bits(&here), bits(&there));
}

#[test]
fn many_sessions_live_side_by_side() {
    let windows = windows(3);
    let mut models: Vec<Autoencoder> = (0..4).map(|_| model()).collect();
    let first = reconstruct(&mut models[0], &windows);
    for model in &mut models {
        assert_eq!(bits(&reconstruct(model, &windows)), bits(&first));
    }
}

#[test]
fn a_wrong_model_is_refused_by_what_is_wrong() {
    let renamed: Vec<u8> = replaced(MODEL, INPUT_NAME.as_bytes(), b"widgets");
    for (onnx, window_length, says) in [
        (MODEL, 0, "window length is 0"),
        (MODEL, 16, "by 16"),
        (b"not a model".as_slice(), LENGTH, "11 bytes cannot be read"),
        (b"".as_slice(), LENGTH, "0 bytes cannot be read"),
        (&MODEL[..MODEL.len() / 2], LENGTH, "cannot be read"),
        (&renamed, LENGTH, "\"widgets\" where \"windows\" must be"),
    ] {
        let error: LoadError = Autoencoder::load(onnx, window_length).unwrap_err();
        assert!(error.to_string().contains(says), "{error} does not say {says:?}");
    }
}

/// Replaces all occurrences of `from` by `to`, which is as long.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut out = bytes.to_vec();
    for at in 0..out.len() - from.len() {
        if out[at..].starts_with(from) {
            out[at..at + to.len()].copy_from_slice(to);
        }
    }
    out
}
