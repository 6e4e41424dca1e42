//! From a window and its reconstruction to a number, and from that to a verdict.

/// What a score means for one reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As the device's own history makes likely.
    Normal,
    /// Not so.
    Anomaly,
}

impl Verdict {
    /// Judges a score: above 1 is an anomaly, whatever it was computed from.
    #[must_use]
    pub fn of(score: f64) -> Self {
        if score > 1.0 { Self::Anomaly } else { Self::Normal }
    }
}

/// Lanes summed side by side: a fixed order of additions that compilers can still vectorize.
const LANES: usize = 8;

/// Mean squared difference between a window and its reconstruction, in normalized units.
///
/// Additions happen in one fixed order, so the result is the same on every machine.
#[must_use]
pub fn reconstruction_error(window: &[f32], reconstruction: &[f32]) -> f64 {
    let mut lanes = [0.0_f32; LANES];
    for (seen, expected) in window.chunks(LANES).zip(reconstruction.chunks(LANES)) {
        for ((lane, seen), expected) in lanes.iter_mut().zip(seen).zip(expected) {
            let difference = seen - expected;
            *lane += difference * difference;
        }
    }
    let sum: f64 = lanes.iter().map(|lane| f64::from(*lane)).sum();
    #[expect(clippy::cast_precision_loss, reason = "a window's length is small")]
    let length = window.len().max(1) as f64;
    sum / length
}

/// The binary logarithm, exact to a hundredth: the exponent, and a parabola for the rest.
///
/// Arithmetic that IEEE 754 defines exactly is used alone. What has no logarithm gets that of the smallest number.
pub(crate) fn log2(value: f64) -> f64 {
    if !value.is_finite() || value < f64::MIN_POSITIVE {
        return if value == f64::INFINITY { 1024.0 } else { -1022.0 };
    }
    let bits = value.to_bits();
    let exponent = u32::try_from(bits >> 52).map_or(0.0, |biased| f64::from(biased) - 1023.0);
    let rest = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 1.0_f64.to_bits()) - 1.0;
    exponent + rest + 0.346 * rest * (1.0 - rest)
}

/// Powers of ten that `f64` holds exactly.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// Rounds to four significant decimal digits, but to no more than twelve places: the form in which errors and scores
/// are stored, and therefore the form in which they enter a device's state.
///
/// Exactly defined arithmetic alone is used, so that what is computed live equals what is read back.
/// Values that are not finite come out as zero: a score that is none must not decide anything.
#[must_use]
pub fn round_significant(value: f64) -> f64 {
    if !value.is_finite() {
        return 0.0;
    }
    let magnitude = value.abs();
    if magnitude >= 1000.0 {
        return value.round();
    }
    for (places, power) in POWERS_OF_TEN.iter().enumerate().take(13) {
        if magnitude * power >= 1000.0 || places == 12 {
            return (value * power).round() / power;
        }
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn error_of_equal_windows_is_zero() {
        assert_eq!(reconstruction_error(&[1.0; 32], &[1.0; 32]), 0.0);
    }

    #[test]
    fn error_is_the_mean_square() {
        assert_eq!(reconstruction_error(&[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 3.0, 0.0]), 4.0);
        let window: Vec<f32> = (0_u8..32).map(f32::from).collect();
        assert_eq!(reconstruction_error(&window, &[0.0; 32]), 325.5);
    }

    #[test]
    fn rounds_to_four_digits() {
        for (value, rounded) in [
            (0.0, 0.0),
            (1.234_56, 1.235),
            (-1.234_56, -1.235),
            (0.001_234_56, 0.001_235),
            (999.96, 1000.0),
            (123_456.7, 123_457.0),
            (1e-15, 0.0),
            (f64::NAN, 0.0),
            (f64::INFINITY, 0.0),
        ] {
            assert_eq!(round_significant(value), rounded, "{value}");
        }
    }

    #[test]
    fn the_boundary_itself_is_normal() {
        assert_eq!(Verdict::of(1.0), Verdict::Normal);
        assert_eq!(Verdict::of(1.001), Verdict::Anomaly);
    }

    proptest! {
        #[test]
        fn a_logarithm_turns_products_into_sums(one in 1e-9_f64..1e9, other in 1e-9_f64..1e9) {
            prop_assert!((log2(one * other) - log2(one) - log2(other)).abs() < 0.03);
            prop_assert!((log2(2.0 * one) - log2(one) - 1.0).abs() < 1e-9);
        }

        #[test]
        fn a_logarithm_grows(one in 1e-9_f64..1e9, other in 1e-9_f64..1e9) {
            prop_assert!(one > other || log2(one) <= log2(other));
        }

        #[test]
        fn everything_has_a_logarithm(value in prop::num::f64::ANY) {
            prop_assert!(log2(value).is_finite());
        }

        #[test]
        fn rounding_is_idempotent_and_survives_text(value in -1e6_f64..1e6) {
            let once = round_significant(value);
            prop_assert_eq!(round_significant(once), once);
            prop_assert_eq!(once.to_string().parse::<f64>().unwrap(), once);
            prop_assert!((once - value).abs() <= value.abs() * 6e-4 + 1e-12);
        }
    }
}
