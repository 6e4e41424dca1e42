//! The handler's process: it is started as the real host does it, probed, watched, restarted and in the end killed.
//!
//! Lines of its output enter the log at the levels of the real host; its readiness and the reason to stop the whole host leave.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::config::{HostConfig, Settings};

const PROBE_PAUSE: Duration = Duration::from_millis(25);
const STRIKES: usize = 3;
/// Strikes are forgotten when the newest comes so much later than the one before.
const STRIKE_MEMORY: Duration = Duration::from_secs(30 * 60);
/// A line of output longer than this is cut into several.
const LINE_LIMIT_BYTES: usize = 64 * 1024;

/// What is needed to start the handler.
#[derive(Debug, Clone)]
pub struct HandlerSpec {
    program: PathBuf,
    arguments: Vec<String>,
    working_directory: PathBuf,
    environment: Vec<(String, String)>,
    stderr_is_error: bool,
    initialization_timeout: Duration,
    port: u16,
    restart_on_exit_0: bool,
}

impl HandlerSpec {
    /// The handler of a script root, to listen on `port`.
    #[must_use]
    pub fn new(
        script_root: &Path,
        config: &HostConfig,
        settings: &Settings,
        port: u16,
        restart_on_exit_0: bool,
    ) -> Self {
        let executable = expand(&config.executable, settings);
        let in_root = script_root.join(&executable);
        let program = if in_root.is_file() { in_root } else { PathBuf::from(executable) };
        let worker_id = Uuid::new_v4().to_string();
        let mut environment: Vec<(String, String)> =
            settings.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        for (name, value) in [
            ("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string()),
            ("FUNCTIONS_HTTPWORKER_PORT", port.to_string()),
            ("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", worker_id.clone()),
            ("FUNCTIONS_HTTPWORKER_ID", worker_id),
            ("FUNCTIONS_APP_ROOT_PATH", script_root.display().to_string()),
        ] {
            environment.push((name.to_owned(), value));
        }
        // The host joins arguments without quoting, so one with a space becomes several.
        let arguments = config.arguments.iter().map(|argument| expand(argument, settings));
        let arguments =
            arguments.collect::<Vec<_>>().join(" ").split_whitespace().map(str::to_owned).collect();
        Self {
            program,
            arguments,
            working_directory: script_root.join(&config.working_directory),
            environment,
            stderr_is_error: config.stderr_is_error,
            initialization_timeout: config.initialization_timeout,
            port,
            restart_on_exit_0,
        }
    }
}

/// `%NAME%` is replaced, an unset one by nothing.
fn expand(text: &str, settings: &Settings) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        let Some((name, tail)) = after.split_once('%') else { break };
        expanded.push_str(before);
        expanded.push_str(settings.get(name).unwrap_or_default());
        rest = tail;
    }
    expanded.push_str(rest);
    expanded
}

/// State of the handler as calls see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    generation: u64,
    ready: bool,
}

#[derive(Debug)]
enum Order {
    RestartAfterTimeout(u64),
    Stop,
}

/// The supervised handler.
#[derive(Debug, Clone)]
pub struct Handler {
    state: watch::Receiver<State>,
    orders: mpsc::UnboundedSender<Order>,
    fatal: watch::Receiver<Option<String>>,
    raise: watch::Sender<Option<String>>,
}

impl Handler {
    /// Starts the handler and its supervision.
    #[must_use]
    pub fn start(spec: HandlerSpec) -> Self {
        let (state_sender, state) = watch::channel(State { generation: 0, ready: false });
        let (orders, inbox) = mpsc::unbounded_channel();
        let (raise, fatal) = watch::channel(None);
        let supervisor = Supervisor {
            spec,
            state: state_sender,
            inbox,
            fatal: raise.clone(),
            strikes: Strikes::default(),
        };
        tokio::spawn(supervisor.run());
        Self { state, orders, fatal, raise }
    }

    /// Number of the current process, up by one per start.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.state.borrow().generation
    }

    /// Waits until the handler has answered a probe; too long a wait stops the host.
    ///
    /// # Errors
    ///
    /// Why the handler is not there.
    pub async fn wait_ready(&self, limit: Duration) -> Result<(), String> {
        let mut state = self.state.clone();
        let ready = tokio::time::timeout(limit, state.wait_for(|state| state.ready)).await;
        match ready {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err("the handler has been stopped".to_owned()),
            Err(_) => {
                let reason = format!("the handler was not ready within {} s", limit.as_secs());
                self.raise.send_replace(Some(reason.clone()));
                Err(reason)
            }
        }
    }

    /// Kills and restarts the process of this generation; a later one is left alone.
    pub fn restart_after_timeout(&self, generation: u64) {
        // Fails only after a stop, when there is nothing to restart.
        let _ = self.orders.send(Order::RestartAfterTimeout(generation));
    }

    /// Kills the handler without a signal it could see, and waits for its end.
    pub async fn stop(&self) {
        let _ = self.orders.send(Order::Stop);
        self.orders.closed().await;
    }

    /// Waits for a reason to stop the whole host.
    pub async fn fatal(&self) -> String {
        let mut fatal = self.fatal.clone();
        let reason = fatal.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        match reason {
            Some(reason) => reason,
            None => std::future::pending().await,
        }
    }
}

/// Counted errors.
#[derive(Debug, Default)]
struct Strikes {
    at: Vec<Instant>,
}

impl Strikes {
    /// Counts one and says whether it was one too many.
    fn count(&mut self, now: Instant) -> bool {
        if self.at.last().is_some_and(|last| now.duration_since(*last) > STRIKE_MEMORY) {
            self.at.clear();
        }
        self.at.push(now);
        self.at.len() >= STRIKES
    }
}

/// How one process ended.
enum ProcessEnd {
    Stopped,
    KilledAfterTimeout,
    NotReady,
    NotStarted(String),
    Exited(ExitStatus),
}

struct Supervisor {
    spec: HandlerSpec,
    state: watch::Sender<State>,
    inbox: mpsc::UnboundedReceiver<Order>,
    fatal: watch::Sender<Option<String>>,
    strikes: Strikes,
}

impl Supervisor {
    async fn run(mut self) {
        let mut generation = 0;
        loop {
            generation += 1;
            self.state.send_replace(State { generation, ready: false });
            let end = self.one_process(generation).await;
            match end {
                ProcessEnd::Stopped => return,
                ProcessEnd::KilledAfterTimeout => {}
                ProcessEnd::Exited(status) if status.code() == Some(200) => {
                    tracing::info!("the handler asked for a restart (exit code 200)");
                }
                ProcessEnd::Exited(status) if status.success() => {
                    if !self.spec.restart_on_exit_0 {
                        tracing::error!(
                            "the handler exited with code 0: this host does not restart it, every call fails from now on"
                        );
                        self.state.send_replace(State { generation, ready: true });
                        self.until_stopped().await;
                        return;
                    }
                    tracing::warn!("the handler exited with code 0 and is restarted");
                }
                ProcessEnd::Exited(status) => {
                    if self.strike(&format!("the handler ended with {status}")) {
                        return self.until_stopped().await;
                    }
                }
                ProcessEnd::NotReady => {
                    if self.strike("the handler did not answer its probe in time") {
                        return self.until_stopped().await;
                    }
                }
                ProcessEnd::NotStarted(reason) => {
                    if self.strike(&reason) {
                        return self.until_stopped().await;
                    }
                }
            }
        }
    }

    fn strike(&mut self, what: &str) -> bool {
        let out = self.strikes.count(Instant::now());
        tracing::error!(strike = self.strikes.at.len(), of = STRIKES, "{what}");
        if out {
            let reason = format!("{what}; that was the third time, the host stops");
            self.fatal.send_replace(Some(reason));
        }
        out
    }

    async fn until_stopped(&mut self) {
        while let Some(order) = self.inbox.recv().await {
            if matches!(order, Order::Stop) {
                return;
            }
        }
    }

    async fn one_process(&mut self, generation: u64) -> ProcessEnd {
        let mut child = match spawn(&self.spec) {
            Ok(child) => child,
            Err(error) => {
                return ProcessEnd::NotStarted(format!(
                    "cannot start {}: {error}",
                    self.spec.program.display()
                ));
            }
        };
        let limit = tokio::time::sleep(self.spec.initialization_timeout);
        tokio::pin!(limit);
        let probe = probe_until_ready(self.spec.port);
        tokio::pin!(probe);
        let mut ready = false;
        loop {
            tokio::select! {
                status = child.wait() => {
                    return match status {
                        Ok(status) => ProcessEnd::Exited(status),
                        Err(error) => ProcessEnd::NotStarted(format!("cannot watch the handler: {error}")),
                    };
                }
                () = &mut probe, if !ready => {
                    ready = true;
                    tracing::info!(port = self.spec.port, generation, "the handler is ready");
                    self.state.send_replace(State { generation, ready: true });
                }
                () = &mut limit, if !ready => {
                    kill(&mut child).await;
                    return ProcessEnd::NotReady;
                }
                order = self.inbox.recv() => match order {
                    Some(Order::RestartAfterTimeout(stale)) if stale != generation => {}
                    Some(Order::RestartAfterTimeout(_)) => {
                        kill(&mut child).await;
                        return ProcessEnd::KilledAfterTimeout;
                    }
                    Some(Order::Stop) | None => {
                        kill(&mut child).await;
                        return ProcessEnd::Stopped;
                    }
                },
            }
        }
    }
}

fn spawn(spec: &HandlerSpec) -> std::io::Result<Child> {
    let mut child = Command::new(&spec.program)
        .args(&spec.arguments)
        .current_dir(&spec.working_directory)
        .envs(spec.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(stdout) = child.stdout.take() {
        tokio::spawn(relay(stdout, |line| tracing::info!(target: "handler", "{line}")));
    }
    if let Some(stderr) = child.stderr.take() {
        let strict = spec.stderr_is_error;
        tokio::spawn(relay(stderr, move |line| match stderr_level(line, strict) {
            tracing::Level::WARN => tracing::warn!(target: "handler", "{line}"),
            tracing::Level::ERROR => tracing::error!(target: "handler", "{line}"),
            _ => tracing::info!(target: "handler", "{line}"),
        }));
    }
    Ok(child)
}

/// The level of a stderr line, by the rules of the real host.
fn stderr_level(line: &str, stderr_is_error: bool) -> tracing::Level {
    let lower = line.to_lowercase();
    let alarming = ["error", "fail", "severe", "unhandled exception"].iter().any(|word| lower.contains(word));
    if lower.contains("warn") {
        tracing::Level::WARN
    } else if stderr_is_error || alarming {
        tracing::Level::ERROR
    } else {
        tracing::Level::INFO
    }
}

async fn relay(stream: impl AsyncRead + Unpin, log: impl Fn(&str)) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A limited read keeps one endless line from filling the memory.
        let mut limited = tokio::io::AsyncReadExt::take(&mut reader, LINE_LIMIT_BYTES as u64);
        match limited.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => log(String::from_utf8_lossy(&line).trim_end()),
        }
    }
}

/// Asks `GET /` until anything answers; only a refused connection means "not yet".
async fn probe_until_ready(port: u16) {
    while !answers(port).await {
        tokio::time::sleep(PROBE_PAUSE).await;
    }
}

async fn answers(port: u16) -> bool {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { return false };
    let request = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
    if stream.write_all(request.as_bytes()).await.is_err() {
        return false;
    }
    let mut first = [0; 1];
    matches!(stream.read(&mut first).await, Ok(count) if count > 0)
}

async fn kill(child: &mut Child) {
    if let Err(error) = child.kill().await {
        tracing::warn!(error = %error, "the handler could not be killed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_strike_counts_unless_long_ago() {
        let start = Instant::now();
        let mut strikes = Strikes::default();
        assert!(!strikes.count(start));
        assert!(!strikes.count(start + Duration::from_secs(60)));
        assert!(!strikes.count(start + Duration::from_secs(60) + STRIKE_MEMORY + Duration::from_secs(1)));
        let later = start + Duration::from_secs(70) + STRIKE_MEMORY;
        assert!(!strikes.count(later));
        assert!(strikes.count(later));
    }

    #[test]
    fn stderr_lines_have_the_hosts_levels() {
        for (line, strict, level) in [
            ("all is well", true, tracing::Level::ERROR),
            ("WARNING: low", true, tracing::Level::WARN),
            ("all is well", false, tracing::Level::INFO),
            ("it Failed", false, tracing::Level::ERROR),
        ] {
            assert_eq!(stderr_level(line, strict), level, "{line}");
        }
    }
}
