//! Instances of the host: each has a handler process on a port of its own and clients of its own for outputs.
//!
//! HTTP calls, timers and calls by hand go to the first; partitions of the event hub go to their owner.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::{join_all, select_all};
use tokio::net::TcpListener;

use crate::config::{HostConfig, Settings};
use crate::cosmos::{self, Account};
use crate::faults::Faults;
use crate::handler_process::{Handler, HandlerSpec};
use crate::invoke::{HandlerClient, Invoker, InvokerParts, Services};
use crate::options::Options;
use crate::signalr::{self, Hubs};

/// What all instances share.
pub(crate) struct Shared<'a> {
    pub(crate) options: &'a Options,
    pub(crate) script_root: &'a Path,
    pub(crate) config: &'a HostConfig,
    pub(crate) settings: &'a Settings,
    pub(crate) account: &'a Arc<Account>,
    pub(crate) hubs: &'a Arc<Hubs>,
    pub(crate) faults: &'a Arc<Faults>,
}

/// All instances; there is at least one.
#[derive(Debug)]
pub(crate) struct Instances {
    first: Arc<Invoker>,
    others: Vec<Arc<Invoker>>,
}

impl Instances {
    /// Starts the handlers.
    ///
    /// # Errors
    ///
    /// When there is no free port.
    pub(crate) async fn start(shared: &Shared<'_>) -> Result<Self> {
        let first = start_one(shared).await?;
        let mut others = Vec::new();
        for _ in 1..shared.options.instances {
            others.push(start_one(shared).await?);
        }
        Ok(Self { first, others })
    }

    /// The one that does all but event hubs.
    pub(crate) fn first(&self) -> &Arc<Invoker> {
        &self.first
    }

    /// All, by number.
    pub(crate) fn all(&self) -> Vec<Arc<Invoker>> {
        std::iter::once(&self.first).chain(&self.others).cloned().collect()
    }

    /// Waits until every handler has answered its probe.
    ///
    /// # Errors
    ///
    /// Why one is not there.
    pub(crate) async fn wait_ready(&self, limit: Duration) -> Result<(), String> {
        for instance in self.all() {
            instance.handler().wait_ready(limit).await?;
        }
        Ok(())
    }

    /// Waits for a reason of any instance to stop the host.
    pub(crate) async fn fatal(&self) -> String {
        let handlers: Vec<Handler> = self.all().iter().map(|instance| instance.handler().clone()).collect();
        select_all(handlers.iter().map(|handler| Box::pin(handler.fatal()))).await.0
    }

    /// Waits until no call is in flight, at most `limit` long; says whether that was so.
    pub(crate) async fn drained(&self, limit: Duration) -> bool {
        let all = self.all();
        join_all(all.iter().map(|instance| instance.in_flight().drained(limit)))
            .await
            .into_iter()
            .all(|drained| drained)
    }

    /// Kills all handlers and waits for their end.
    pub(crate) async fn stop(&self) {
        let all = self.all();
        join_all(all.iter().map(|instance| instance.handler().stop())).await;
    }
}

async fn start_one(shared: &Shared<'_>) -> Result<Arc<Invoker>> {
    let Shared { options, script_root, config, settings, account, hubs, faults } = shared;
    let port = free_port().await?;
    let handler =
        Handler::start(HandlerSpec::new(script_root, config, settings, port, options.restart_on_exit_0));
    faults.kills.register(handler.clone());
    Ok(Arc::new(Invoker::new(InvokerParts {
        handler,
        client: HandlerClient::new(port),
        services: Services {
            cosmos: Arc::new(cosmos::OutputClient::new(Arc::clone(account), Arc::clone(&faults.cosmos))),
            signalr: Arc::new(signalr::OutputClient::new(Arc::clone(hubs), Arc::clone(&faults.signalr))),
        },
        calls: Arc::clone(&faults.calls),
        timeout: config.function_timeout,
        chunked: !options.content_length,
    })))
}

/// A port that was free a moment ago; a handler keeps it over all its restarts.
async fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no free port for the handler")?;
    Ok(listener.local_addr()?.port())
}
