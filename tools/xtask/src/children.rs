//! Programs that run beside this one, and none of which outlives it.
//!
//! Each child leads a process group of its own: Ctrl-C in a terminal reaches this program alone, which then ends its
//! children in order. Whatever a child has started goes with it.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child as Process, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How often children and signals are looked at.
pub(crate) const POLL: Duration = Duration::from_millis(100);

/// A running program, killed with its descendants when this value goes out of scope.
pub(crate) struct Child {
    name: &'static str,
    process: Process,
    ended: Option<ExitStatus>,
}

impl Child {
    /// Starts a program in a process group of its own, without input.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub(crate) fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let process = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        Ok(Self { name, process, ended: None })
    }

    /// Sends a program's output to a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be created.
    pub(crate) fn log_to(command: &mut Command, file: &Path) -> Result<()> {
        let log = File::create(file).with_context(|| format!("`{}` cannot be written", file.display()))?;
        let errors = log.try_clone().with_context(|| format!("`{}` cannot be written", file.display()))?;
        command.stdout(log).stderr(errors);
        Ok(())
    }

    /// What the program is called here.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// How the program has ended, if it has.
    ///
    /// # Errors
    ///
    /// When the system does not say.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended =
                self.process.try_wait().with_context(|| format!("{} cannot be watched", self.name))?;
        }
        Ok(self.ended)
    }

    /// Asks the program to end and waits for it, but kills it after the grace or at a second interruption.
    ///
    /// # Errors
    ///
    /// When the program can be neither asked nor watched.
    pub(crate) fn stop(&mut self, grace: Duration, interrupted: &Interruption) -> Result<()> {
        self.signal(Signal::TERM).with_context(|| format!("{} cannot be asked to end", self.name))?;
        let deadline = Instant::now() + grace;
        while self.ended()?.is_none() {
            if Instant::now() >= deadline || interrupted.take() {
                println!("{} is killed", self.name);
                break;
            }
            thread::sleep(POLL);
        }
        self.kill();
        Ok(())
    }

    /// Signals the program and what it has started; none left to signal is fine.
    fn signal(&self, signal: Signal) -> io::Result<()> {
        let group = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        let Some(group) = group else { return Err(ErrorKind::InvalidInput.into()) };
        match kill_process_group(group, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn kill(&mut self) {
        // Nothing better can be done about a failure here, where all is over.
        let _ = self.signal(Signal::KILL);
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Set by Ctrl-C, by a closed terminal and by a polite `kill`.
pub(crate) struct Interruption(Arc<AtomicBool>);

impl Interruption {
    /// From now on these signals set the flag and do nothing else.
    ///
    /// # Errors
    ///
    /// When the system refuses the signal handlers.
    pub(crate) fn listen() -> Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&flag))
                .context("signals cannot be listened to")?;
        }
        Ok(Self(flag))
    }

    /// Whether a signal has come since the last call.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never() -> Interruption {
        Interruption(Arc::new(AtomicBool::new(false)))
    }

    fn shell(script: &str) -> Child {
        Child::start("shell", Command::new("sh").args(["-c", script])).unwrap()
    }

    /// Waits until a file appears.
    fn appears(file: &Path) {
        while !file.exists() {
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_child_that_obeys_is_not_killed() {
        let folder = tempfile::tempdir().unwrap();
        let ready = folder.path().join("ready");
        let mut child =
            shell(&format!("trap 'exit 7' TERM; touch {}; while :; do sleep 0.01; done", ready.display()));
        appears(&ready);
        child.stop(Duration::from_secs(60), &never()).unwrap();
        assert_eq!(child.ended().unwrap().unwrap().code(), Some(7));
    }

    #[test]
    fn a_child_that_does_not_obey_is_killed_at_a_second_interruption() {
        let folder = tempfile::tempdir().unwrap();
        let ready = folder.path().join("ready");
        let mut child =
            shell(&format!("trap '' TERM; touch {}; while :; do sleep 0.01; done", ready.display()));
        appears(&ready);
        child.stop(Duration::from_secs(600), &Interruption(Arc::new(AtomicBool::new(true)))).unwrap();
        assert!(child.process.try_wait().unwrap().is_some());
    }

    #[test]
    fn what_a_child_has_started_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let child = shell(&format!("sleep 600 & echo $! > {0}.new; mv {0}.new {0}; wait", pid.display()));
        appears(&pid);
        let grandchild = std::fs::read_to_string(&pid).unwrap();
        let grandchild = Pid::from_raw(grandchild.trim().parse().unwrap()).unwrap();
        drop(child);
        // Adopted by init once killed, it may stay a zombie for a moment: then its memory is gone all the same.
        let status = format!("/proc/{}/status", grandchild.as_raw_nonzero());
        while std::fs::read_to_string(&status).is_ok_and(|text| !text.contains("State:\tZ")) {
            thread::sleep(Duration::from_millis(5));
        }
    }
}
