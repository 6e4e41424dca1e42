//! Runs the whole line on this machine: the staged app under the local host, fed by a simulated fleet or a recording.
//!
//! What enters is the repository; what leaves is a page in the browser. It waits by asking ports, never by reading
//! logs, and ends what it has started.

mod fleet;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::children::{Child, Interruption, POLL};
use crate::workspace::Workspace;
use crate::{azurite, command, ready, stage};

/// Longest time from starting the local host to its first page.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// The local host waits up to ten seconds for calls in flight before it ends.
const HOST_GRACE: Duration = Duration::from_secs(15);

/// The simulator only has to finish what it is sending.
const FLEET_GRACE: Duration = Duration::from_secs(5);

/// How many lines of a log are shown when its program has failed.
const LOG_LINES: usize = 20;

/// Options of `dev`.
#[derive(Args)]
pub(crate) struct Options {
    /// Port of the page and the API.
    #[arg(long, default_value_t = 7071)]
    port: u16,
    /// Port of the local stand-in for Cosmos DB.
    #[arg(long, default_value_t = 8081)]
    cosmos_port: u16,
    /// Port of the local stand-in for SignalR.
    #[arg(long, default_value_t = 8888)]
    signalr_port: u16,
    /// Forgets what earlier runs have stored.
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    fleet: fleet::Options,
}

impl Options {
    /// Every port that the local host listens on, by the option that moves it.
    fn ports(&self) -> [(&'static str, u16); 3] {
        [("--port", self.port), ("--cosmos-port", self.cosmos_port), ("--signalr-port", self.signalr_port)]
    }
}

/// Runs `dev` until it is interrupted.
///
/// # Errors
///
/// When a port or the data folder is taken, a build fails, or a program that is needed ends by itself.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let clock = Clock::start();
    let ports = options.ports();
    for (option, port) in ports {
        ready::port_is_free(port, &format!("stop it, or choose another port with {option}"))?;
    }
    options.fleet.check()?;
    let staged = stage::stage(workspace, "release")?;
    clock.step("the app is staged");
    let tools = ["build", "--release", "--package", "local-host", "--package", "simulator"];
    command::run(
        command::cargo(workspace, &tools).arg("--target-dir").arg(workspace.build()).args(command::locked()),
    )?;
    clock.step("the local host and the simulator are built");

    let data = workspace.path("target/local-host-data");
    check_unused(&data)?;
    if options.fresh && data.exists() {
        fs::remove_dir_all(&data).with_context(|| format!("`{}` cannot be removed", data.display()))?;
    }
    fs::create_dir_all(&data).with_context(|| format!("`{}` cannot be created", data.display()))?;
    let log = workspace.path("target/local-host.log");

    let mut host = Command::new(workspace.program("release", "local-host"));
    host.current_dir(workspace.root()).arg("--script-root").arg(&staged.folder).arg("--data").arg(&data);
    for (option, port) in ports {
        host.args([option, &port.to_string()]);
    }
    if let Some(azurite) = azurite::for_snapshots(workspace) {
        host.arg("--azurite").arg(azurite);
        clock.step("blob storage is installed");
    }
    Child::log_to(&mut host, &log)?;
    let interrupted = Interruption::listen()?;
    let mut host = Child::start("the local host", &mut host)?;
    let line = Line { workspace, options, interrupted: &interrupted, clock: &clock, data: &data, log: &log };
    let ran = line.run(&mut host);
    let stopped = host.stop(HOST_GRACE, &interrupted);
    if ran.is_err() {
        show_end(&log);
    }
    ran.and(stopped)
}

/// A run of the whole line, from the start of the local host on.
struct Line<'a> {
    workspace: &'a Workspace,
    options: &'a Options,
    interrupted: &'a Interruption,
    clock: &'a Clock,
    data: &'a Path,
    log: &'a Path,
}

impl Line<'_> {
    /// Waits for the local host, starts the fleet, and watches both until the interruption.
    fn run(&self, host: &mut Child) -> Result<()> {
        if !self.wait_until_ready(host)? {
            return Ok(());
        }
        self.clock.step("the local host and the handler are ready");
        let address = format!("http://127.0.0.1:{}/", self.options.port);
        println!(
            "\n  Dashboard  {address}\n  Log        {}\n  Ctrl-C ends everything.\n",
            self.log.display()
        );
        let mut fleet = self.options.fleet.start(self.workspace, &address, self.data)?;
        self.watch(host, &mut fleet)?;
        println!();
        self.clock.step("interrupted: ending");
        if fleet.ended()?.is_none() {
            fleet.stop(FLEET_GRACE, self.interrupted)?;
        }
        Ok(())
    }

    /// Whether the page is served; not, when it was interrupted before.
    fn wait_until_ready(&self, host: &mut Child) -> Result<bool> {
        let deadline = Instant::now() + READY_WITHIN;
        while ready::status(self.options.port, "/") != Some(200) {
            if let Some(status) = host.ended()? {
                bail!("{} has ended before it was ready: {status}", host.name());
            }
            if Instant::now() >= deadline {
                bail!("{} has not served the page within {} s", host.name(), READY_WITHIN.as_secs());
            }
            if self.interrupted.take() {
                return Ok(false);
            }
            thread::sleep(POLL);
        }
        Ok(true)
    }

    /// Returns when it is interrupted; a program that ends by itself is an error, but for a playback at its end.
    fn watch(&self, host: &mut Child, fleet: &mut Child) -> Result<()> {
        let mut sending = true;
        while !self.interrupted.take() {
            if let Some(status) = host.ended()? {
                bail!("{} has ended: {status}", host.name());
            }
            match fleet.ended()? {
                Some(status) if !status.success() => bail!("{} has ended: {status}", fleet.name()),
                Some(_) if sending => {
                    sending = false;
                    self.clock.step("all readings are sent; the page stays until Ctrl-C");
                }
                Some(_) => {}
                None => self.options.fleet.note_progress(self.data)?,
            }
            thread::sleep(POLL);
        }
        Ok(())
    }
}

/// Prints the end of a log that may say why its program has failed.
fn show_end(log: &Path) {
    let Ok(text) = fs::read_to_string(log) else { return };
    let lines: Vec<&str> = text.lines().collect();
    println!("the last lines of {}:", log.display());
    for line in &lines[lines.len().saturating_sub(LOG_LINES)..] {
        println!("  {line}");
    }
}

/// Prints what has been reached, with the seconds since the start.
struct Clock(Instant);

impl Clock {
    fn start() -> Self {
        Self(Instant::now())
    }

    fn step(&self, reached: &str) {
        println!("[{:6.1} s] {reached}", self.0.elapsed().as_secs_f64());
    }
}

/// Makes sure that no local host uses the data folder: it holds a lock on a file in it.
fn check_unused(data: &Path) -> Result<()> {
    let Ok(lock) = fs::File::open(data.join("lock")) else { return Ok(()) };
    if let Err(fs::TryLockError::WouldBlock) = lock.try_lock() {
        bail!("`{}` is in use by another `cargo xtask dev`: stop that one first", data.display());
    }
    Ok(())
}
