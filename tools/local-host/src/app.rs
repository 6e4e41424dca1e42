//! The whole local host: options and settings enter, running services leave; [`LocalHost::run`] serves until it is told to stop.

use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::blob::BlobService;
use crate::by_hand::serve_admin_calls;
use crate::config::{Function, HostConfig, OutputKind, Settings, load_functions};
use crate::connections::lead_connections_here;
use crate::cosmos::{self, Account, ResourceNames};
use crate::event_hub::Ownership;
use crate::faults::{self, Faults};
use crate::figures::{self, Sources};
use crate::http_front::{self, Front, FrontParts};
use crate::instances::{Instances, Shared};
use crate::listeners::{Ears, listen};
use crate::options::Options;
use crate::outbox;
use crate::signalr::{self, Hubs};

/// Calls in flight may take so long when the host stops.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
/// The real host gives up on a handler that is not ready by then.
const READY_LIMIT: Duration = Duration::from_secs(120);
/// Admin calls that may wait to be started.
const ADMIN_QUEUE: usize = 64;
const DEFAULT_PARTITION_KEY: &str = "/bucket";

/// Addresses that were bound.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// HTTP front and ways into the event hub.
    pub http: SocketAddr,
    /// Cosmos DB account.
    pub cosmos: SocketAddr,
    /// SignalR service.
    pub signalr: SocketAddr,
}

/// A local host whose services run.
#[derive(Debug)]
pub struct LocalHost {
    addresses: Addresses,
    instances: Instances,
    blobs: Option<BlobService>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    /// Held as long as the data folder is in use.
    _data: File,
}

impl LocalHost {
    /// Binds the ports, opens the stores, starts the handler and the triggers.
    ///
    /// # Errors
    ///
    /// What cannot be read, opened or bound.
    pub async fn start(options: &Options, environment: Vec<(String, String)>) -> Result<Self> {
        let script_root = std::path::absolute(&options.script_root)?;
        let mut settings = Settings::load(&script_root, environment)?;
        let config = HostConfig::load(&script_root, &settings)?;
        let functions = functions(&script_root, &settings)?;

        let http = bind(options.port, "the HTTP front").await?;
        let cosmos = bind(options.cosmos_port, "the Cosmos DB account").await?;
        let signalr = bind(options.signalr_port, "the SignalR service").await?;
        let addresses = Addresses {
            http: http.local_addr()?,
            cosmos: cosmos.local_addr()?,
            signalr: signalr.local_addr()?,
        };
        let keys = lead_connections_here(&functions, &mut settings, addresses);

        let stop = watch::Sender::new(false);
        let data = claim(&options.data)?;
        let account = open_account(&functions, &options.data, addresses.cosmos).await?;
        let hubs = Arc::new(Hubs::default());
        let partitions = usize::from(options.partitions);
        let faults = Arc::new(Faults::new(Ownership::new(partitions, usize::from(options.instances))));
        faults.stand(&options.faults);
        let letters = outbox::lead_here(&options.data, &mut settings);
        let azurite = options.azurite.as_deref();
        let blobs = BlobService::start(azurite, &options.data, &mut settings, &faults.blob).await?;
        let instances = Instances::start(&Shared {
            options,
            script_root: &script_root,
            config: &config,
            settings: &settings,
            account: &account,
            hubs: &hubs,
            faults: &faults,
        })
        .await?;
        let mut listening = listen(
            &functions,
            &Ears {
                config: &config,
                settings: &settings,
                data: options.data.clone(),
                partitions,
                instances: &instances,
                faults: &faults,
                stop: stop.subscribe(),
            },
        )?;

        let (admin, inbox) = mpsc::channel(ADMIN_QUEUE);
        let first = instances.first();
        let timers = std::mem::take(&mut listening.timers);
        let mut tasks = listening.tasks;
        tasks.push(tokio::spawn(serve_admin_calls(inbox, Arc::clone(first), timers, stop.subscribe())));
        let front = Front::new(FrontParts {
            invoker: Arc::clone(first),
            functions,
            settings,
            route_prefix: config.json.extensions.http.route_prefix.clone(),
            forward: config.json.custom_handler.enable_forwarding_http_request,
            admin,
        });
        let mut routes = http_front::router(Arc::new(front)).merge(faults::router(Arc::clone(&faults)));
        let (ingest, backlog) = listening.event_hub.unzip();
        if let Some(ingest) = ingest {
            routes = routes.merge(ingest);
        }
        routes = routes.merge(figures::router(Sources { account: Arc::clone(&account), backlog }));
        routes = routes.merge(outbox::router(letters));
        tasks.push(tokio::spawn(serve(http, routes)));
        let routes = cosmos::router(Arc::clone(&account), Arc::clone(&faults.cosmos));
        tasks.push(tokio::spawn(faults::serve(cosmos, Arc::clone(&faults.cosmos.condition), routes)));
        let orders = Arc::clone(&faults.cosmos);
        tasks.push(tokio::spawn(async move { account.follow(&orders).await }));
        let routes = signalr::router(Arc::new(signalr::Service { hubs, keys, stop: stop.subscribe() }));
        tasks.push(tokio::spawn(faults::serve(signalr, Arc::clone(&faults.signalr), routes)));
        let kills = Arc::clone(&faults.kills);
        tasks.push(tokio::spawn(async move { kills.run().await }));
        Ok(Self { addresses, instances, blobs, stop, tasks, _data: data })
    }

    /// Where the services listen.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Waits until the handler has answered its probe.
    ///
    /// # Errors
    ///
    /// Why the handler is not there.
    pub async fn wait_ready(&self, limit: Duration) -> Result<()> {
        self.instances.wait_ready(limit).await.map_err(anyhow::Error::msg)
    }

    /// Says where the page is once the handler is ready, and serves until `interrupt` ends or the handler fails for the third time.
    ///
    /// # Errors
    ///
    /// The reason why the host stops by itself.
    pub async fn run(self, interrupt: impl Future<Output = ()>) -> Result<()> {
        let announced = async {
            if self.wait_ready(READY_LIMIT).await.is_ok() {
                let Addresses { http, cosmos, signalr } = self.addresses;
                tracing::info!(dashboard = %format!("http://{http}/"), %cosmos, %signalr, "ready");
            }
            std::future::pending().await
        };
        let reason = tokio::select! {
            () = interrupt => None,
            reason = self.instances.fatal() => Some(reason),
            reason = announced => reason,
        };
        self.stop().await;
        match reason {
            Some(reason) => bail!(reason),
            None => Ok(()),
        }
    }

    /// Takes no new work, waits for calls in flight, kills the handler.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if !self.instances.drained(DRAIN_LIMIT).await {
            tracing::warn!(
                limit_s = DRAIN_LIMIT.as_secs(),
                "calls are still in flight: the handler is killed all the same"
            );
        }
        self.instances.stop().await;
        for task in self.tasks {
            task.abort();
        }
        if let Some(blobs) = self.blobs {
            blobs.stop().await;
        }
    }
}

fn functions(script_root: &Path, settings: &Settings) -> Result<Vec<Arc<Function>>> {
    let load = load_functions(script_root, settings)
        .with_context(|| format!("cannot list {}", script_root.display()))?;
    for (name, reason) in &load.disabled {
        tracing::error!(function = name, reason, "a function is left out");
    }
    let functions: Vec<_> = load.functions.into_iter().map(Arc::new).collect();
    if functions.is_empty() {
        bail!("no function was found directly below {}", script_root.display());
    }
    Ok(functions)
}

/// Makes sure that no other local host writes to the folder.
fn claim(data: &Path) -> Result<File> {
    std::fs::create_dir_all(data).with_context(|| format!("`{}` cannot be created", data.display()))?;
    let lock = data.join("lock");
    let file = File::create(&lock).with_context(|| format!("`{}` cannot be created", lock.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!(
                "`{}` is in use by another local host: stop it, or choose another folder with --data",
                data.display()
            )
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("`{}` cannot be locked", lock.display()))
        }
    }
}

async fn open_account(functions: &[Arc<Function>], data: &Path, address: SocketAddr) -> Result<Arc<Account>> {
    let base = format!("http://{address}/").parse().context("the Cosmos DB account's address")?;
    let account = Account::open(base, &data.join("cosmos.jsonl")).await?;
    for output in functions.iter().flat_map(|function| &function.outputs) {
        let OutputKind::Cosmos { database: Ok(database), container: Ok(container), partition_key, .. } =
            &output.kind
        else {
            continue;
        };
        let names = ResourceNames { database: database.clone(), container: container.clone() };
        account.ensure_container(&names, partition_key.as_deref().unwrap_or(DEFAULT_PARTITION_KEY)).await?;
    }
    Ok(Arc::new(account))
}

async fn bind(port: u16, what: &str) -> Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port))
        .await
        .with_context(|| format!("cannot bind 127.0.0.1:{port} for {what}; choose another port"))
}

async fn serve(listener: TcpListener, routes: Router) {
    if let Err(error) = axum::serve(listener, routes).await {
        tracing::error!(error = %error, "a service has ended");
    }
}
