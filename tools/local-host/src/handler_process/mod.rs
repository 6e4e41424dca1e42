//! The handler's process: it is started as the real host does it, probed, watched, restarted and in the end killed.
//!
//! Lines of its output enter the log at the levels of the real host; its readiness and the reason to stop the whole host leave.

mod process;
mod spec;

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};

pub use spec::HandlerSpec;

use process::{kill, probe_until_ready, spawn};

const STRIKES: usize = 3;
/// Strikes are forgotten when the newest comes so much later than the one before.
const STRIKE_MEMORY: Duration = Duration::from_secs(30 * 60);

/// State of the handler as calls see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    generation: u64,
    ready: bool,
}

#[derive(Debug)]
enum Order {
    RestartAfterTimeout(u64),
    /// Kill the process, whichever it is, and say when it is dead.
    Kill(oneshot::Sender<()>),
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

    /// Kills the process and waits for its end; it is started again, and no strike is counted.
    pub async fn kill(&self) {
        let (dead, waiting) = oneshot::channel();
        // Both fail only after a stop, when there is nothing to kill.
        let _ = self.orders.send(Order::Kill(dead));
        let _ = waiting.await;
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
    Killed,
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
                ProcessEnd::Killed => {}
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
                        return ProcessEnd::Killed;
                    }
                    Some(Order::Kill(dead)) => {
                        kill(&mut child).await;
                        // Nobody waits any more if this fails.
                        let _ = dead.send(());
                        return ProcessEnd::Killed;
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
}
