//! Calibration: what errors the exported model makes on a fleet, measured as the handler will measure them.
//!
//! Windows and a loaded model enter, errors by family leave.

use anyhow::Result;
use autoencoder::Autoencoder;
use detector::{WINDOW_LENGTH, newest_error};
use simulator::Family;

use crate::fleet::FleetWindows;

/// Share of a device's errors below the quantile on which its scores rest.
pub(crate) const USUAL: f64 = 0.99;
/// Share of devices whose usual error is no greater than what is assumed of an unknown one: a new device shall not
/// start with false alarms, and a few odd ones shall not make all new devices deaf.
pub(crate) const ASSUMED: f64 = 0.9;

/// Reconstruction errors of a fleet's windows, in normalized units.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetErrors {
    /// Each device's family with the errors of its windows, in the order of the windows.
    pub devices: Vec<(Family, Vec<f64>)>,
}

impl FleetErrors {
    /// Reconstructs all windows.
    ///
    /// # Errors
    ///
    /// When the model fails.
    pub fn measure(model: &mut Autoencoder, windows: &FleetWindows) -> Result<Self> {
        let mut devices = Vec::new();
        for (family, windows) in &windows.devices {
            let mut reconstructions = Vec::new();
            model.reconstruct(windows, &mut reconstructions)?;
            let pairs = windows.chunks(WINDOW_LENGTH).zip(reconstructions.chunks(WINDOW_LENGTH));
            devices.push((*family, pairs.map(|(seen, expected)| newest_error(seen, expected)).collect()));
        }
        Ok(Self { devices })
    }

    /// What is usual for a device that is not known yet: nine tenths of the devices have a 99 % quantile of errors
    /// no greater than this.
    #[must_use]
    pub fn usual(&self) -> f64 {
        quantile(&self.usual_of_devices(), ASSUMED)
    }

    /// The 99 % quantile of each device's errors.
    #[must_use]
    pub fn usual_of_devices(&self) -> Vec<f64> {
        self.devices.iter().map(|(_, errors)| quantile(errors, USUAL)).collect()
    }

    /// All errors, device after device.
    #[must_use]
    pub fn all(&self) -> Vec<f64> {
        self.devices.iter().flat_map(|(_, errors)| errors).copied().collect()
    }

    /// The errors of each family's windows.
    #[must_use]
    pub fn by_family(&self) -> Vec<(Family, Vec<f64>)> {
        let errors_of = |family| {
            let devices = self.devices.iter().filter(|(of, _)| *of == family);
            devices.flat_map(|(_, errors)| errors).copied().collect()
        };
        Family::ALL.into_iter().map(|family| (family, errors_of(family))).collect()
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

/// The value below which values of `share` of all weight lie; 0 when there are none.
#[must_use]
pub fn weighted_quantile(values: &[(f64, f64)], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut left = share.clamp(0.0, 1.0) * sorted.iter().map(|(_, weight)| weight).sum::<f64>();
    for (value, weight) in &sorted {
        left -= weight;
        if left < 0.0 {
            return *value;
        }
    }
    sorted.last().map_or(0.0, |(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_device_does_not_say_what_is_usual() {
        let mut devices: Vec<(Family, Vec<f64>)> = (0..20).map(|_| (Family::Lab, vec![0.5; 10])).collect();
        devices.push((Family::Machine, vec![9.0; 10]));
        let errors = FleetErrors { devices };
        assert_eq!(errors.usual(), 0.5);
        let families = errors.by_family();
        let of = |wanted| families.iter().find(|(family, _)| *family == wanted).unwrap().1.len();
        assert_eq!((of(Family::Lab), of(Family::Machine), of(Family::Room)), (200, 10, 0));
    }

    #[test]
    fn heavy_values_count_for_more() {
        let values = [(3.0, 0.5), (1.0, 0.1), (2.0, 0.4)];
        for (share, expected) in [(0.0, 1.0), (0.3, 2.0), (0.6, 3.0), (1.0, 3.0)] {
            assert_eq!(weighted_quantile(&values, share), expected, "{share}");
        }
        assert_eq!(weighted_quantile(&[], 0.5), 0.0);
    }

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
