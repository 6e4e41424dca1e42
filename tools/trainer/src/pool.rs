//! What a network is fitted on and stopped by: windows of simulated devices, and of measured series at a share.
//!
//! Windows and a share enter, one pool leaves, as large as the simulated one alone: training takes as long however
//! much was measured.

use detector::WINDOW_LENGTH;
use simulator::random::{Draws, member_seed};

use crate::fleet::is_within_range;
use crate::measured::SeriesWindows;

/// Streams of random numbers.
const PURPOSE: u64 = 0x706f_6f6c;
const DEALING: u64 = 0x6465_616c;
/// Folds of measured series, as long as there are as many series.
const N_FOLDS: usize = 5;
/// How often one window of a measured series is in a pool at most: few readings must not be learned by heart.
const MOST_COPIES: f64 = 4.0;

/// Which fold each series belongs to: a series is in one fold with all its windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    /// Fold of each series, counted from 0.
    pub of_series: Vec<usize>,
    /// How many there are; 1 when there are no series.
    pub n_folds: usize,
}

impl Folds {
    /// Deals series out at random.
    #[must_use]
    pub fn deal(seed: u64, n_series: usize) -> Self {
        let n_folds = N_FOLDS.min(n_series).max(1);
        let mut draws = Draws::new(seed, DEALING);
        let mut order: Vec<usize> = (0..n_series).collect();
        for left in (2..=n_series).rev() {
            let chosen = usize::try_from(draws.bits() % left as u64).unwrap_or(0);
            order.swap(left - 1, chosen);
        }
        let mut of_series = vec![0; n_series];
        for (place, series) in order.into_iter().enumerate() {
            of_series[series] = place % n_folds;
        }
        Self { of_series, n_folds }
    }
}

/// Windows of each of `n_series` that make up a share of a pool of `n_windows`.
#[must_use]
pub fn quota(share: f64, n_windows: usize, n_series: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of windows")]
    let quota = share * n_windows as f64 / n_series.max(1) as f64;
    quota
}

/// Puts windows of measured series in the place of a share of a fleet's.
///
/// Each series counts alike, however long it is.
/// A short one has each of its windows up to four times, so that the share may come out less.
#[must_use]
pub fn mix(fleet: Vec<f32>, series: &[&SeriesWindows], share: f64, seed: u64) -> Vec<f32> {
    if series.is_empty() {
        return fleet;
    }
    let mut draws = Draws::new(member_seed(seed, PURPOSE), PURPOSE);
    let quota = quota(share, fleet.len() / WINDOW_LENGTH, series.len());
    let mut pool = Vec::with_capacity(fleet.len());
    for window in fleet.chunks(WINDOW_LENGTH) {
        if !draws.chance(share) {
            pool.extend_from_slice(window);
        }
    }
    for windows in series {
        let usable: Vec<_> = windows.usual.iter().filter(|window| is_within_range(&window.values)).collect();
        #[expect(clippy::cast_precision_loss, reason = "counts of windows")]
        let copies = (quota / usable.len().max(1) as f64).min(MOST_COPIES);
        for window in usable {
            let mut left = copies;
            while left > 0.0 {
                if left >= 1.0 || draws.chance(left) {
                    pool.extend_from_slice(&window.values);
                }
                left -= 1.0;
            }
        }
    }
    pool
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measured::Window;
    use detector::Scale;

    fn series(n_windows: usize, value: f32) -> SeriesWindows {
        let scale = Scale { mean: 20.0, spread: 1.0 };
        let window = Window { values: [value; WINDOW_LENGTH], scale, newest_ms: 0 };
        SeriesWindows { usual: vec![window; n_windows], ..SeriesWindows::default() }
    }

    fn count(pool: &[f32], value: f32) -> usize {
        pool.iter().filter(|found| **found == value).count() / WINDOW_LENGTH
    }

    #[test]
    fn series_count_alike_and_have_their_share_together() {
        let fleet = vec![0.0; 4000 * WINDOW_LENGTH];
        let pool = mix(fleet, &[&series(10_000, 1.0), &series(500, 2.0)], 0.5, 1);
        for (value, expected) in [(0.0, 2000), (1.0, 1000), (2.0, 1000)] {
            let n = count(&pool, value);
            assert!(n.abs_diff(expected) < 150, "{n} windows of {value}");
        }
    }

    #[test]
    fn a_short_series_is_not_learned_by_heart() {
        let pool = mix(vec![0.0; 4000 * WINDOW_LENGTH], &[&series(10, 1.0)], 0.5, 1);
        assert_eq!(count(&pool, 1.0), 40);
    }

    #[test]
    fn without_series_the_fleet_stays_as_it_is() {
        let fleet: Vec<f32> = [[1.0; WINDOW_LENGTH], [2.0; WINDOW_LENGTH]].concat();
        assert_eq!(mix(fleet.clone(), &[], 0.5, 1), fleet);
    }

    #[test]
    fn windows_far_out_of_range_are_in_no_pool() {
        assert_eq!(count(&mix(vec![0.0; 400], &[&series(100, 3.5)], 1.0, 1), 3.5), 0);
    }

    #[test]
    fn folds_share_all_series_out() {
        let folds = Folds::deal(7, 13);
        let counts: Vec<usize> =
            (0..5).map(|fold| folds.of_series.iter().filter(|of| **of == fold).count()).collect();
        assert_eq!(counts, [3, 3, 3, 2, 2]);
        assert_ne!(folds, Folds::deal(8, 13));
        assert_eq!(Folds::deal(7, 3).n_folds, 3);
        assert_eq!(Folds::deal(7, 0), Folds { of_series: Vec::new(), n_folds: 1 });
    }
}
