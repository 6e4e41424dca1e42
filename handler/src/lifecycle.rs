//! The life of the process: bind last, serve, and end when the host is gone.
//!
//! The host kills its handler without a signal, and leaves it behind when it is killed itself; Ctrl-C in a terminal
//! reaches both at once.

use std::future::Future;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, getppid};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::App;
use crate::router::router;

/// After how long a busy port is complained about: the host may start a handler before the last one's socket is gone.
const BUSY_LIMIT: Duration = Duration::from_secs(10);
/// Time between tries to bind.
const BIND_INTERVAL: Duration = Duration::from_millis(50);
/// Time between looks at the parent process.
const PARENT_INTERVAL: Duration = Duration::from_millis(500);
/// How long calls in flight may go on after the first signal: as long as the host waits for them.
const GRACE: Duration = Duration::from_secs(10);

/// Runs the process's future on all cores.
///
/// # Errors
///
/// The future's, or that threads cannot be started.
pub fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let result = runtime.block_on(future);
    // Blocking work that outlived its deadline must not hold up the end.
    runtime.shutdown_background();
    result
}

/// The process that started this one.
#[derive(Debug, Clone, Copy)]
pub struct Parent(Option<Pid>);

impl Parent {
    /// Asks first thing, so that a host that ends while the model is loaded is missed.
    #[must_use]
    pub fn at_start() -> Self {
        Self(getppid())
    }
}

/// Serves until the parent is gone or a signal says so.
///
/// # Errors
///
/// That the port cannot be bound or the socket fails.
pub async fn serve(app: App, parent: Parent) -> anyhow::Result<()> {
    watch(parent)?;
    let listener = bind(app.settings.port).await?;
    tracing::info!(
        port = listener.local_addr()?.port(),
        policy = app.settings.policy_name(),
        "handler ready"
    );
    let server = axum::serve(listener, router(Arc::new(app)));
    tokio::select! {
        result = server => result.context("the socket failed"),
        result = told_to_end() => result,
    }
}

/// Waits for the port as long as it takes: when several calls time out together, the host starts several handlers on
/// one port, and takes three that end for a program that cannot run. One serves, the others stand by.
async fn bind(port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let started = Instant::now();
    let mut is_said = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                if !is_said && started.elapsed() >= BUSY_LIMIT {
                    is_said = true;
                    tracing::error!(%address, "another process listens on this port; waiting until it is free");
                }
                tokio::time::sleep(BIND_INTERVAL).await;
            }
            Err(error) => return Err(error).with_context(|| format!("cannot listen on {address}")),
        }
    }
}

/// Ends the process when its parent is gone. In a thread of its own: scoring may keep all others busy for a while.
fn watch(Parent(parent): Parent) -> anyhow::Result<()> {
    let watching = move || {
        while getppid() == parent {
            std::thread::sleep(PARENT_INTERVAL);
        }
        // Nothing is logged: who read that is gone, and writing to a closed pipe could end this thread alone.
        std::process::exit(1);
    };
    std::thread::Builder::new().name("parent".to_owned()).spawn(watching).context("cannot start a thread")?;
    Ok(())
}

/// The first signal is meant for the host, which still waits for our answers; the second is meant for us.
async fn told_to_end() -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    tracing::info!(grace_s = GRACE.as_secs(), "told to end; calls in flight are answered first");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = tokio::time::sleep(GRACE) => {}
    }
    Ok(())
}
