//! The referees: scripts that know the labels and print figures.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::TEMPERATURES;
use super::table::{Figures, NabScore};
use crate::command;

/// Where the scripts and what they need are.
pub(super) struct Referee<'a> {
    pub(super) python: &'a Path,
    pub(super) scripts: &'a Path,
    pub(super) data: &'a Path,
}

impl Referee<'_> {
    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(self.python);
        // The scripts' folder may not be ours to write to.
        command.env("PYTHONDONTWRITEBYTECODE", "1").arg(self.scripts.join(name));
        command
    }

    /// Writes series with injected faults: on synthetic devices, and on clean real ones.
    pub(super) fn inject(&self, seed: u64, [synthetic, real]: &[PathBuf; 2]) -> Result<()> {
        let seed = seed.to_string();
        for folder in [synthetic, real] {
            if folder.exists() {
                fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
            }
        }
        command::output(self.script("fault_bench.py").arg(synthetic).args(["--seed", &seed]))?;
        let mut real_bases = self.script("fault_bench.py");
        command::output(
            real_bases.arg(real).args(["--seed", &seed]).arg("--bases").arg(self.data.join("clean")),
        )?;
        Ok(())
    }

    /// Asks all referees about the alerts below `out`.
    pub(super) fn measure(&self, out: &Path, work: &Path) -> Result<Figures> {
        let mut files = nab_scores(&out.join("nab-temperatures"))?;
        files.extend(nab_scores(&out.join("nab-others"))?);
        let temperatures: Vec<&PathBuf> = files
            .iter()
            .filter(|file| TEMPERATURES.iter().any(|name| file.file_stem().is_some_and(|stem| stem == *name)))
            .collect();
        let alerts = |set: &str| out.join(set).join("alerts.csv");
        let mut clean = self.script("fault_score.py");
        let clean = command::output(clean.arg("--clean").arg(self.data.join("clean")).arg(alerts("clean")))?;
        let mut events = self.script("fault_score.py");
        events.arg("--events").arg(self.data.join("labels.json")).arg(self.data.join("lro"));
        let events = command::output(events.arg(alerts("lro")))?;
        let bench =
            |set: &str| command::output(self.script("fault_score.py").arg(work.join(set)).arg(alerts(set)));
        Ok(Figures {
            all: self.nab(&files.iter().collect::<Vec<_>>())?,
            temperatures: self.nab(&temperatures)?,
            clean: number_after(&clean, "false alarms per device-week: ")?,
            synthetic: number_after(&bench("faults-synthetic")?, "mean net recall over faults: ")?,
            real: number_after(&bench("faults-real")?, "mean net recall over faults: ")?,
            hard_events: text_after(&events, "hard events: ")?.to_owned(),
            event_alarms: number_after(&events, "(a day around an event apart): ")?,
        })
    }

    fn nab(&self, files: &[&PathBuf]) -> Result<NabScore> {
        let mut script = self.script("nab_score.py");
        script.arg("--labels").arg(self.data.join("nab/labels.json")).args(["--threshold", "0.5"]);
        NabScore::read(&command::output(script.args(files))?)
    }
}

/// Turns a backtest's rows into scores as NAB reads them: 1 on rows that open an alert.
fn nab_scores(folder: &Path) -> Result<Vec<PathBuf>> {
    let (from, to) = (folder.join("series"), folder.join("nab"));
    fs::create_dir_all(&to).with_context(|| format!("cannot create {}", to.display()))?;
    let mut written = Vec::new();
    for file in super::csv_files(&from)? {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut scores = "timestamp,score\n".to_owned();
        for line in text.lines().skip(1) {
            let timestamp = line.split(',').next().unwrap_or_default();
            let opens = if line.ends_with(',') { "0" } else { "1" };
            scores.extend([timestamp, ",", opens, "\n"]);
        }
        let path = to.join(file.file_name().unwrap_or_default());
        fs::write(&path, scores).with_context(|| format!("cannot write {}", path.display()))?;
        written.push(path);
    }
    Ok(written)
}

/// The rest of the line in which a text stands.
pub(super) fn text_after<'a>(printed: &'a str, text: &str) -> Result<&'a str> {
    let line = printed.lines().find_map(|line| Some(line.split_once(text)?.1));
    line.with_context(|| format!("a referee printed nothing after {text:?}"))
}

fn number_after(printed: &str, text: &str) -> Result<f64> {
    let rest = text_after(printed, text)?;
    let number = rest.split(' ').next().unwrap_or_default();
    number.parse().with_context(|| format!("a referee printed {number:?} after {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_in_what_referees_print() {
        let printed = "x\nfalse alarms per device-week: 0.250 over 13 series\nhard events: 4 of 5\n";
        assert_eq!(number_after(printed, "false alarms per device-week: ").unwrap(), 0.25);
        assert_eq!(text_after(printed, "hard events: ").unwrap(), "4 of 5");
        assert!(number_after(printed, "easy events: ").is_err());
    }
}
