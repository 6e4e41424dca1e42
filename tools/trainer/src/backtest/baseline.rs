//! Random cut forest as a baseline: what a well-kept detector of others makes of the same series.
//!
//! A series enters, alerts leave under the same cool-down as the shipped detector's.

use std::collections::VecDeque;

use anyhow::{Context, Result};
use detector::{Episode, Moment};
use krcf::{RandomCutForest, RandomCutForestOptions};

use super::replay::{Judged, JudgedRow};
use crate::series::Series;

/// Readings in a point.
const SHINGLE: usize = 8;
/// The forest's score that opens an alert: the best on those NAB files that are no temperatures, under the cool-down.
const THRESHOLD: f64 = 2.0;

/// Judges a series by a forest that learns from it as it goes.
///
/// # Errors
///
/// When the forest fails.
pub(super) fn judge(series: &Series) -> Result<Judged> {
    let mut forest = RandomCutForest::new(RandomCutForestOptions {
        dimensions: SHINGLE,
        shingle_size: 1,
        num_trees: Some(50),
        sample_size: Some(256),
        random_seed: Some(1),
        parallel_execution_enabled: Some(false),
        ..RandomCutForestOptions::default()
    })
    .context("no forest can be made")?;
    let mut episode = Episode::default();
    let mut judged = Judged::default();
    let mut point = VecDeque::with_capacity(SHINGLE);
    for row in &series.rows {
        let mut score = None;
        if row.value.is_finite() {
            if point.len() == SHINGLE {
                point.pop_front();
            }
            #[expect(clippy::cast_possible_truncation, reason = "the forest is f32")]
            point.push_back(row.value as f32);
        }
        if point.len() == SHINGLE {
            let point = point.make_contiguous();
            score = Some(forest.score(point).context("the forest gives no score")? / THRESHOLD);
            forest.update(point).context("the forest takes no point")?;
        }
        judged.rows.push(JudgedRow { expected: None, score, alert: None });
        if let Some(score) = score {
            let at_ms = row.timestamp_ms;
            let moment = Moment { at_ms, silent_ms: None, score, channel: None };
            let step = episode.decide(moment);
            episode.enter(moment, step);
            judged.note(at_ms, score, step, episode.newest());
        }
    }
    Ok(judged)
}
