//! The table: what was measured, what must be reached, and what others reach.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result};

/// What the referees found of one detector.
pub(super) struct Figures {
    /// All 58 files of NAB.
    pub(super) all: NabScore,
    /// Its two files of temperatures.
    pub(super) temperatures: NabScore,
    /// False alarms per device and week on clean real devices.
    pub(super) clean: f64,
    /// Net recall of injected faults on synthetic devices.
    pub(super) synthetic: f64,
    /// Net recall of injected faults on clean real devices.
    pub(super) real: f64,
    /// Hard events found, and of how many.
    pub(super) hard_events: String,
    /// False alarms per device and week beside the events.
    pub(super) event_alarms: f64,
}

/// NAB's three profiles over some files.
pub(super) struct NabScore {
    standard: f64,
    low_fp: f64,
    low_fn: f64,
    hits: String,
}

impl NabScore {
    /// Reads what the referee prints.
    ///
    /// # Errors
    ///
    /// When a profile lacks.
    pub(super) fn read(printed: &str) -> Result<Self> {
        let mut profiles = BTreeMap::new();
        let (mut windows, mut hits) = (0.0, 0.0);
        for line in printed.lines() {
            let cells: Vec<&str> = line.split_whitespace().collect();
            let number = |at: usize| cells.get(at).and_then(|cell| cell.parse::<f64>().ok());
            match cells[..] {
                [profile, "ALL", ..] => drop(profiles.insert(profile, number(4))),
                ["standard", _, ..] => {
                    windows += number(7).unwrap_or(0.0);
                    hits += number(8).unwrap_or(0.0);
                }
                _ => {}
            }
        }
        let of = |name: &str| {
            let score = profiles.get(name).copied().flatten();
            score.with_context(|| format!("the NAB referee printed no score for {name}"))
        };
        Ok(Self {
            standard: of("standard")?,
            low_fp: of("reward_low_FP_rate")?,
            low_fn: of("reward_low_FN_rate")?,
            hits: format!("{hits} of {windows}"),
        })
    }

    fn text(&self) -> String {
        format!("{:.1} / {:.1} / {:.1}, {}", self.standard, self.low_fp, self.low_fn, self.hits)
    }
}

/// What others reach, by row: figures that were published or measured once, not computed here.
const PUBLISHED: [&str; 6] =
    ["HTM 70.1, RCF 51.7, ARTime 74.9", "ARTime 85.1 / 75.6, HTM 55.0 / 54.7", "1.3 to 3.6", "", "", ""];

/// Writes the table in Markdown.
pub(super) fn render(shipped: &Figures, forest: Option<&Figures>) -> String {
    let rows = |figures: &Figures| {
        [
            figures.all.text(),
            figures.temperatures.text(),
            format!("{:.2}", figures.clean),
            format!("{:.3}", figures.synthetic),
            format!("{:.3}", figures.real),
            format!("{}, {:.2}", figures.hard_events, figures.event_alarms),
        ]
    };
    let gates = [
        ("NAB 58: standard / low-FP / low-FN, windows", "62 / 52", "70 / 63"),
        ("NAB temperature: the same", "85 / 76 / 90, 6 of 6", "90 / 85 / 93"),
        ("clean real devices: false alarms a week", "below 1", "below 0.5"),
        ("faults on synthetic devices: net recall", ".65", ".80"),
        ("faults on real devices: net recall", ".40", ".50"),
        ("LRO: hard events, false alarms a week", "4 of 5, 0.25", "5 of 5, 0.1"),
    ];
    let mut text =
        "| Gate | Must | Aim | Shipped | Random cut forest | Published |\n|---|---|---|---|---|---|\n"
            .to_owned();
    let baseline = forest.map(rows);
    for (n, ((gate, must, aim), shipped)) in gates.into_iter().zip(rows(shipped)).enumerate() {
        let forest = baseline.as_ref().map_or("", |rows| &rows[n]);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {gate} | {must} | {aim} | {shipped} | {forest} | {} |", PUBLISHED[n]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_read_profile_by_profile() {
        let printed = "profile file threshold raw normalised rows fp_rows windows windows_hit\n\
                       standard one 0.5 1.0 60.0 100 1 4 3\n\
                       standard ALL 0.5 1.0 60.0 NaN NaN NaN NaN\n\
                       reward_low_FP_rate ALL 0.5 1.0 50.0 NaN NaN NaN NaN\n\
                       reward_low_FN_rate ALL 0.5 1.0 70.0 NaN NaN NaN NaN\n";
        let score = NabScore::read(printed).unwrap();
        assert_eq!(score.text(), "60.0 / 50.0 / 70.0, 3 of 4");
        assert!(NabScore::read("").is_err());
    }
}
