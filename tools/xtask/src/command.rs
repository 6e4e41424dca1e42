//! Runs other programs: prints what is run, turns every bad end into an error that names the command line.

use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// How often a running program is asked whether it has ended.
const POLL: Duration = Duration::from_millis(50);

/// `cargo SUBCOMMAND ...` at the repository's root; in CI it refuses to change `Cargo.lock`.
pub(crate) fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    // Cargo names itself to the programs it runs.
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(workspace.root());
    // What `cargo run` set for this program is not meant for a build that it starts.
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            command.env_remove(name);
        }
    }
    command
}

/// `--locked` where nobody would see a changed `Cargo.lock`.
pub(crate) fn locked() -> &'static [&'static str] {
    if in_ci() { &["--locked"] } else { &[] }
}

/// Whether a CI system runs this.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// Runs a program to its end, in sight of the user.
///
/// # Errors
///
/// When it cannot be started or does not exit with 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    println!("$ {line}");
    let status = command.status().with_context(|| format!("`{line}` cannot be started"))?;
    succeeded(&line, status)
}

/// Runs a program to its end, but kills it at the deadline.
///
/// # Errors
///
/// When it cannot be started, does not exit with 0, or takes longer.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    let line = line(command);
    println!("$ {line}");
    let mut child = command.spawn().with_context(|| format!("`{line}` cannot be started"))?;
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().with_context(|| format!("`{line}` cannot be watched"))? {
            return succeeded(&line, status);
        }
        if Instant::now() >= deadline {
            child.kill().with_context(|| format!("`{line}` cannot be killed"))?;
            child.wait().with_context(|| format!("`{line}` cannot be watched"))?;
            bail!("`{line}` took longer than {} s and was killed", limit.as_secs());
        }
        thread::sleep(POLL);
    }
}

/// Runs a program to its end and returns what it wrote to stdout.
///
/// # Errors
///
/// When it cannot be started, does not exit with 0, or writes something that is not UTF-8.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("`{line}` cannot be started"))?;
    succeeded(&line, output.status)?;
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` wrote something that is not UTF-8"))
}

/// The first program of that name on `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let names = [program.to_owned(), format!("{program}.exe"), format!("{program}.cmd")];
    env::split_paths(&path)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|candidate| candidate.is_file())
}

fn succeeded(line: &str, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{line}` failed: {status}");
    }
    Ok(())
}

/// The command as one would type it, without the folder of the program.
fn line(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let mut line = match program.file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => program.to_string_lossy().into_owned(),
    };
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command_line() {
        let error = run(Command::new("false").arg("--why")).unwrap_err();
        assert!(error.to_string().starts_with("`false --why` failed"), "{error}");
    }

    #[test]
    fn a_program_that_never_ends_is_killed_at_its_limit() {
        let error = run_within(Command::new("sleep").arg("600"), Duration::from_millis(100)).unwrap_err();
        assert!(error.to_string().contains("was killed"), "{error}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program-anywhere")).unwrap_err();
        assert_eq!(error.to_string(), "`no-such-program-anywhere` cannot be started");
        assert_eq!(find("no-such-program-anywhere"), None);
    }
}
