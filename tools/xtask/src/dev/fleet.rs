//! What feeds the local host: a simulated fleet with a past, or recordings played back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::children::Child;
use crate::workspace::Workspace;

/// The past that a new fleet brings along: more than a device takes to learn.
const HISTORY: Duration = Duration::from_secs(3 * 24 * 3600);

/// Faults, one device after the other, so that there is something to see whenever the page is opened.
const N_INJECTIONS: u32 = 24;
/// When the first of them begins after devices send live, in seconds.
const FIRST_INJECTION_S: u32 = 20;
/// Time from one to the next, in seconds; each lasts ten minutes.
const INJECTION_INTERVAL_S: u32 = 10 * 60;

/// How far the noted progress may lag behind what was sent.
const NOTE_EVERY: Duration = Duration::from_secs(10);

/// What feeds the local host.
#[derive(Args)]
pub(super) struct Options {
    /// Number of simulated devices.
    #[arg(long, default_value_t = 20)]
    devices: u32,
    /// Seconds between two readings of a simulated device once it sends live.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    every: u32,
    /// Plays a CSV file (timestamp,value) back in place of a simulated fleet; may be repeated.
    #[arg(long, value_name = "FILE")]
    replay: Vec<PathBuf>,
    /// Unit of the values that are played back: celsius or fahrenheit.
    #[arg(long, requires = "replay")]
    unit: Option<String>,
    /// How many times faster than recorded to play back, or `max`.
    #[arg(long, requires = "replay")]
    speed: Option<String>,
    /// Further arguments for the simulator, after `--`.
    #[arg(last = true)]
    simulator: Vec<String>,
}

impl Options {
    /// Refuses what would fail only after the builds.
    ///
    /// # Errors
    ///
    /// When a file to play back does not exist.
    pub(super) fn check(&self) -> Result<()> {
        for file in &self.replay {
            if !file.is_file() {
                bail!("`{}`, to be played back, is no file", file.display());
            }
        }
        Ok(())
    }

    /// Starts the simulator on a local host.
    ///
    /// # Errors
    ///
    /// When the simulator cannot be started, or the noted progress not be read.
    pub(super) fn start(&self, workspace: &Workspace, address: &str, data: &Path) -> Result<Child> {
        let mut simulator = Command::new(workspace.program("release", "simulator"));
        simulator.args(["--target", "local", "--url", address.trim_end_matches('/')]);
        for file in &self.replay {
            simulator.arg("--replay").arg(file);
        }
        for (name, value) in [("--unit", &self.unit), ("--speed", &self.speed)] {
            if let Some(value) = value {
                simulator.args([name, value]);
            }
        }
        if self.replay.is_empty() {
            let history = missing_history(&self.progress(data), SystemTime::now());
            simulator.args(["--devices", &self.devices.to_string(), "--every", &format!("{}s", self.every)]);
            simulator.args(["--history", &format!("{}s", history.as_secs())]);
            for n in 0..N_INJECTIONS {
                let device = n % self.devices.max(1) + 1;
                let at_s = FIRST_INJECTION_S + n * INJECTION_INTERVAL_S;
                simulator.args(["--inject", &format!("{device}:burst:{at_s}s:10m")]);
            }
        }
        simulator.args(&self.simulator);
        Child::start("the simulator", &mut simulator)
    }

    /// Notes from time to time that the fleet has sent its readings up to now.
    ///
    /// # Errors
    ///
    /// When the note cannot be written.
    pub(super) fn note_progress(&self, data: &Path) -> Result<()> {
        let note = self.progress(data);
        let age = age(&note, SystemTime::now());
        if !self.replay.is_empty() || age.is_some_and(|age| age < NOTE_EVERY) {
            return Ok(());
        }
        fs::write(&note, "").with_context(|| format!("`{}` cannot be written", note.display()))
    }

    /// The note; a fleet of another size has its own, because its new devices have no past yet.
    fn progress(&self, data: &Path) -> PathBuf {
        data.join(format!("fleet-of-{}-sent", self.devices))
    }
}

/// The part of the past that an earlier run has not sent already.
fn missing_history(note: &Path, now: SystemTime) -> Duration {
    age(note, now).map_or(HISTORY, |age| age.min(HISTORY))
}

/// Time since a file was written, unless there is none.
fn age(file: &Path, now: SystemTime) -> Option<Duration> {
    let written = fs::metadata(file).and_then(|file| file.modified()).ok()?;
    Some(now.duration_since(written).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_fleet_has_its_whole_past_to_send_and_an_old_one_what_it_has_missed() {
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("sent");
        assert_eq!(missing_history(&note, SystemTime::now()), HISTORY);
        fs::write(&note, "").unwrap();
        let written = fs::metadata(&note).unwrap().modified().unwrap();
        assert_eq!(missing_history(&note, written + Duration::from_secs(60)), Duration::from_secs(60));
        assert_eq!(missing_history(&note, written + 2 * HISTORY), HISTORY);
        assert_eq!(missing_history(&note, written - HISTORY), Duration::ZERO);
    }
}
