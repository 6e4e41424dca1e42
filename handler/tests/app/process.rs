//! The program itself: its port, the signals it gets, and what `check` says of a script root.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::script_root;

/// Logged when all is loaded, before the port is bound: these script roots have no page.
const LOADED: &str = "no dashboard";

/// A running handler; it is killed at the end of its test.
struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
    port: u16,
    _script_root: tempfile::TempDir,
}

impl Process {
    fn start(port: u16) -> Self {
        let script_root = script_root::with_model();
        let mut child = command(script_root.path())
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout, port, _script_root: script_root }
    }

    /// Reads the log up to a line that says this.
    fn wait_for_log(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(self.stdout.read_line(&mut line).unwrap(), 0, "the handler ended without `{text}`");
        }
    }

    /// Asks until there is an answer, as the host does.
    fn wait_until_ready(&mut self) {
        while self.probe().is_none() {
            assert!(self.child.try_wait().unwrap().is_none(), "the handler ended");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The first line of the answer to the readiness probe.
    fn probe(&self) -> Option<String> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        socket.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).ok()?;
        answer.lines().next().map(str::to_owned)
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(script_root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handler"));
    command
        .env_clear()
        .env("FUNCTIONS_APP_ROOT_PATH", script_root)
        .env("CosmosDBConnection", "AccountEndpoint=http://127.0.0.1:1/;AccountKey=a2V5;");
    command
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_busy_port_is_waited_for() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut handler = Process::start(other.local_addr().unwrap().port());
    handler.wait_for_log(LOADED);
    // Time for a few tries; the test passes without them, too.
    std::thread::sleep(Duration::from_millis(300));
    assert!(handler.child.try_wait().unwrap().is_none(), "a busy port ended the handler");
    drop(other);
    handler.wait_until_ready();
    assert_eq!(handler.probe().as_deref(), Some("HTTP/1.1 200 OK"));
}

#[test]
fn a_port_that_stays_busy_is_said_and_waited_for() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut handler = Process::start(other.local_addr().unwrap().port());
    handler.wait_for_log("another process listens on this port");
    assert!(handler.child.try_wait().unwrap().is_none(), "it waits");
    drop(other);
    handler.wait_until_ready();
}

/// The host does that when several calls run into its timeout at once.
#[test]
fn of_several_handlers_on_one_port_one_serves_and_the_next_takes_over() {
    let port = free_port();
    let mut handlers: Vec<Process> = (0..3).map(|_| Process::start(port)).collect();
    handlers.iter_mut().for_each(|handler| handler.wait_for_log(LOADED));
    while let Some(mut handler) = handlers.pop() {
        // Whichever it is that answers.
        handler.wait_until_ready();
        let all_run = handlers.iter_mut().all(|other| other.child.try_wait().unwrap().is_none());
        assert!(all_run, "those that wait have not ended");
    }
}

#[test]
fn the_first_signal_leaves_time_for_answers_and_the_second_ends() {
    for (first, second) in [(Signal::INT, Signal::TERM), (Signal::TERM, Signal::INT)] {
        let mut handler = Process::start(free_port());
        handler.wait_until_ready();
        handler.signal(first);
        handler.wait_for_log("told to end");
        assert_eq!(handler.probe().as_deref(), Some("HTTP/1.1 200 OK"), "after the first signal");
        handler.signal(second);
        // 0 would tell older hosts that all is well, and they would not start another one.
        assert_eq!(handler.child.wait().unwrap().code(), Some(1));
    }
}

fn run(script_root: &Path, argument: &str) -> Output {
    command(script_root).arg(argument).output().unwrap()
}

#[test]
fn check_says_what_is_good() {
    let root = script_root::with_model();
    let output = run(root.path(), "check");
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("settings: good") && said.contains("model: good"), "{said}");
    assert!(said.contains("warning: nobody may look"), "{said}");
}

#[test]
fn check_says_all_that_is_wrong() {
    let root = script_root::with_model();
    std::fs::write(root.path().join("host.json"), "{\"functionTimeout\": \"00:00:00\"}").unwrap();
    std::fs::write(root.path().join("model/autoencoder.onnx"), "damaged").unwrap();
    let output = command(root.path())
        .arg("check")
        .env("CosmosDBConnection", "AccountEndpoint=nowhere;AccountKey=a2V5;")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(64), "{said}");
    for fault in ["host.json: functionTimeout", "CosmosDBConnection", "autoencoder.onnx"] {
        assert!(said.contains(fault), "{fault} is missing in:\n{said}");
    }
}

#[test]
fn other_arguments_are_refused() {
    let root = script_root::with_model();
    let output = run(root.path(), "--help");
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8(output.stderr).unwrap().contains("`--help`"));
}
