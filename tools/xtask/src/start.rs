//! Runs the staged app under Azure Functions Core Tools, with Azurite for its storage where the settings ask for it.

use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::children::Interruption;
use crate::stage::settings;
use crate::workspace::Workspace;
use crate::{azurite, command, ready, stage};

/// Where to get `func`.
pub(crate) const GET_FUNC: &str = "Azure Functions Core Tools (`func`) are not installed: run \
    `npm install --global azure-functions-core-tools@4`, or see https://aka.ms/func-install";

/// Options of `start`.
#[derive(Args)]
pub(crate) struct Options {
    /// Port of the page and the API.
    #[arg(long, default_value_t = 7071)]
    port: u16,
    /// Further arguments for `func start`, after `--`.
    #[arg(last = true)]
    func: Vec<String>,
}

/// Runs `start` until `func` ends.
///
/// # Errors
///
/// When `func` is missing, the app cannot be staged, Azurite does not start, or `func` fails.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let Some(func) = command::find("func") else { bail!(GET_FUNC) };
    ready::port_is_free(options.port, "stop it, or choose another port with --port")?;
    let staged = stage::stage(workspace, "release")?;
    let settings = settings::read(&staged.folder.join("local.settings.json"))?;
    let storage = std::env::var("AzureWebJobsStorage").ok();
    let storage = storage.as_ref().or_else(|| settings.get("AzureWebJobsStorage"));
    // Ctrl-C ends `func`, and then this program.
    let _interrupted = Interruption::listen()?;
    // Held until `func` has ended.
    let _azurite = match storage {
        Some(connection) if connection == azurite::CONNECTION => azurite::start(workspace)?,
        _ => None,
    };
    println!("Dashboard: http://127.0.0.1:{}/", options.port);
    let mut start = Command::new(func);
    // The folder is an option of `func` itself, not of `start`.
    start.arg("start").arg("--script-root").arg(&staged.folder).args(["--port", &options.port.to_string()]);
    command::run(start.args(&options.func)).context("`func` has not ended well")
}
