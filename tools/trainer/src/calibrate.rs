//! Calibration: what errors the exported model makes on a fleet, measured as the handler will measure them.
//!
//! Windows and a loaded model enter, errors by family leave.

use anyhow::Result;
use autoencoder::Autoencoder;
use detector::{WINDOW_LENGTH, reconstruction_error};
use simulator::Family;

use crate::fleet::FleetWindows;

/// Share of errors below the quantile on which scores rest.
const USUAL: f64 = 0.99;

/// Reconstruction errors of a fleet's windows, in normalized units.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetErrors {
    /// Each family with the errors of its windows, in the order of the windows.
    pub families: Vec<(Family, Vec<f64>)>,
}

impl FleetErrors {
    /// Reconstructs all windows.
    ///
    /// # Errors
    ///
    /// When the model fails.
    pub fn measure(model: &mut Autoencoder, windows: &FleetWindows) -> Result<Self> {
        let mut families = Vec::new();
        for (family, windows) in &windows.families {
            let mut reconstructions = Vec::new();
            model.reconstruct(windows, &mut reconstructions)?;
            let pairs = windows.chunks(WINDOW_LENGTH).zip(reconstructions.chunks(WINDOW_LENGTH));
            families.push((
                *family,
                pairs.map(|(seen, expected)| reconstruction_error(seen, expected)).collect(),
            ));
        }
        Ok(Self { families })
    }

    /// The error that a hundredth of all windows exceed.
    #[must_use]
    pub fn usual(&self) -> f64 {
        let all: Vec<f64> = self.families.iter().flat_map(|(_, errors)| errors).copied().collect();
        quantile(&all, USUAL)
    }

    /// Mean of all errors.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let all = self.families.iter().flat_map(|(_, errors)| errors);
        let (sum, n) = all.fold((0.0, 0.0), |(sum, n), error| (sum + error, n + 1.0));
        sum / f64::max(n, 1.0)
    }
}

/// The value below which `share` of the others lie; 0 when there are none.
#[must_use]
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index"
    )]
    let index = (share.clamp(0.0, 1.0) * sorted.len() as f64) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_a_hundred() {
        let values: Vec<f64> = (0..100).rev().map(f64::from).collect();
        assert_eq!(quantile(&values, 0.0), 0.0);
        assert_eq!(quantile(&values, 0.5), 50.0);
        assert_eq!(quantile(&values, 0.99), 99.0);
        assert_eq!(quantile(&values, 1.0), 99.0);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
