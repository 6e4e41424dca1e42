//! Runs the program and collects what it says.

use std::process::{Command, Output};

/// What a run left behind.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program with these arguments and variables, and no others of its own.
pub(crate) fn run(args: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simulator"));
    for name in ["IOTHUB_DEVICE_CONNECTION_STRING", "IOTHUB_CONNECTION_STRING", "EVENTHUB_CONNECTION_STRING"]
    {
        command.env_remove(name);
    }
    let Output { status, stdout, stderr } =
        command.args(args).envs(variables.iter().copied()).output().expect("the program starts");
    Run {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8(stdout).expect("stdout is UTF-8"),
        stderr: String::from_utf8(stderr).expect("stderr is UTF-8"),
    }
}

impl Run {
    /// The run, which must have ended well.
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// Lines of stdout as JSON.
    pub(crate) fn lines(&self) -> Vec<serde_json::Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }
}
