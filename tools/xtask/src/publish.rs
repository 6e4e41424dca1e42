//! Publishes the staged app to a function app, after checking that its program can run there.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::workspace::Workspace;
use crate::{command, glibc, stage, start};

/// Options of `func` that would send the local settings, or nothing but settings.
const REFUSED: [&str; 4] = ["-i", "--publish-local-settings", "-o", "--publish-settings-only"];

/// Options of `publish`.
#[derive(Args)]
pub(crate) struct Options {
    /// Name of the function app.
    name: String,
    /// Further arguments for `func azure functionapp publish`, such as `--slot`, after `--`.
    #[arg(last = true)]
    func: Vec<String>,
}

/// Stages, checks and publishes. Local settings stay here: the app in Azure has its own.
///
/// # Errors
///
/// When `func` or the dashboard is missing, the handler cannot run on Azure's Linux, or publishing fails.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if let Some(option) = options.func.iter().find(|option| is_refused(option)) {
        bail!("`{option}` would send the local settings: set the app's settings in Azure");
    }
    let Some(func) = command::find("func") else { bail!(start::GET_FUNC) };
    let staged = stage::stage(workspace, "release")?;
    if let Some(reason) = staged.dashboard_missing {
        bail!("an app without its dashboard is not published: {reason}");
    }
    let handler = staged.folder.join("handler");
    let program = fs::read(&handler).with_context(|| format!("`{}` cannot be read", handler.display()))?;
    glibc::check(&program).with_context(|| format!("`{}` cannot run in Azure", handler.display()))?;
    println!("`{}` is an x86-64 program that Azure's Linux can load", handler.display());
    let mut publish = Command::new(func);
    publish.args(["azure", "functionapp", "publish", &options.name, "--script-root"]).arg(&staged.folder);
    command::run(publish.args(&options.func))
}

fn is_refused(option: &str) -> bool {
    let name = option.split('=').next().unwrap_or(option);
    REFUSED.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_send_local_settings_are_refused() {
        assert!(is_refused("-i"));
        assert!(is_refused("--publish-local-settings=true"));
        assert!(!is_refused("--slot"));
    }
}
