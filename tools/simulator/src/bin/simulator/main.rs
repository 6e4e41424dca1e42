//! Plays a fleet of simulated devices, or recordings, to a hub.
//!
//! Arguments and connection strings enter here; counts and an exit code leave: 0 when all was sent, 1 when something
//! was not, 64 for a call that makes no sense.

mod args;
mod connection_string;
mod delivery;
mod feed;
mod http;
mod labels;
mod message;
mod play;
mod rejects;
mod replay;
mod report;
mod sas;
mod setup;
mod targets;
mod time;

use anyhow::{Context, Result};
use clap::Parser;
use std::process::ExitCode;

const USAGE: u8 = 64;

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let asked = !error.use_stderr();
            // Nothing can be said where even this fails.
            let _ = error.print();
            return if asked { ExitCode::SUCCESS } else { ExitCode::from(USAGE) };
        }
    };
    let secrets = setup::Secrets::read(|name| std::env::var(name).ok());
    let plan = match setup::Plan::new(args, &secrets) {
        Ok(plan) => plan,
        Err(error) => {
            eprintln!("simulator: {error:#}");
            return ExitCode::from(USAGE);
        }
    };
    let report = report::Report::new();
    let outcome = run(plan, &report);
    report.finish();
    match outcome {
        Ok(()) if report.failed() == 0 => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("simulator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs until all is played, a limit is reached, or someone asks to stop.
fn run(plan: setup::Plan, report: &report::Report) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the threads for sending could not be started")?;
    runtime.block_on(async {
        tokio::select! {
            outcome = play::play(plan, report) => outcome,
            stopped = stop_signal() => stopped,
        }
    })
}

/// Waits for SIGINT or SIGTERM.
async fn stop_signal() -> Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be listened for")?;
        tokio::select! {
            outcome = tokio::signal::ctrl_c() => outcome.context("SIGINT cannot be listened for"),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await.context("Ctrl-C cannot be listened for")
    }
}
