//! The whole local host: options and settings enter, running services leave; [`LocalHost::run`] serves until it is told to stop.

use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::Router;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::config::{Function, HostConfig, OutputKind, Settings, Trigger, load_functions};
use crate::connections::{lead_connections_here, namespace};
use crate::cosmos::{self, Account, ResourceNames};
use crate::event_hub::{self, Checkpoints, EventHubListener, Hub, Ingest};
use crate::faults::{self, Faults};
use crate::handler_process::{Handler, HandlerSpec};
use crate::http_front::{self, AdminCall, Front, FrontParts};
use crate::invoke::{HandlerClient, Invoker, InvokerParts, Series, Services, event_hub_admin};
use crate::options::Options;
use crate::signalr::{self, Hubs};
use crate::timer::{Schedule, TimerListener, TimerStore};

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
    invoker: Arc<Invoker>,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
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
        let functions = functions(&script_root, &settings, &config)?;

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
        let faults = Arc::new(Faults::default());
        faults.stand(&options.faults);
        let service = Arc::new(signalr::Service { hubs: Arc::clone(&hubs), keys, stop: stop.subscribe() });
        let handler_port = free_port().await?;
        let spec =
            HandlerSpec::new(&script_root, &config, &settings, handler_port, options.restart_on_exit_0);
        let invoker = Arc::new(Invoker::new(InvokerParts {
            handler: Handler::start(spec),
            client: HandlerClient::new(handler_port),
            services: Services {
                cosmos: Arc::new(cosmos::OutputClient::new(Arc::clone(&account), Arc::clone(&faults.cosmos))),
                signalr: Arc::new(signalr::OutputClient::new(hubs, Arc::clone(&faults.signalr))),
            },
            timeout: config.function_timeout,
            chunked: !options.content_length,
        }));

        let mut builder = Builder {
            config,
            data: options.data.clone(),
            partitions: usize::from(options.partitions),
            invoker: Arc::clone(&invoker),
            stop: stop.clone(),
            listeners: Vec::new(),
            timers: Vec::new(),
            ingest: Vec::new(),
        };
        for function in &functions {
            builder.listen(function, &settings)?;
        }
        let (admin, inbox) = mpsc::channel(ADMIN_QUEUE);
        builder.listeners.push(tokio::spawn(serve_admin_calls(
            inbox,
            Arc::clone(&invoker),
            builder.timers.clone(),
            stop.subscribe(),
        )));
        let front = Arc::new(Front::new(FrontParts {
            invoker: Arc::clone(&invoker),
            functions,
            settings,
            route_prefix: builder.config.route_prefix.clone(),
            forward: builder.config.forward_http,
            admin,
        }));
        let mut routes = http_front::router(front).merge(faults::router(Arc::clone(&faults)));
        for ingest in builder.ingest {
            routes = routes.merge(ingest);
        }
        let mut listeners = builder.listeners;
        listeners.push(tokio::spawn(serve(http, routes)));
        let routes = cosmos::router(account, Arc::clone(&faults.cosmos));
        listeners.push(tokio::spawn(faults::serve(cosmos, Arc::clone(&faults.cosmos.condition), routes)));
        let routes = signalr::router(service);
        listeners.push(tokio::spawn(faults::serve(signalr, Arc::clone(&faults.signalr), routes)));
        Ok(Self { addresses, invoker, stop, listeners, _data: data })
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
        self.invoker.handler().wait_ready(limit).await.map_err(anyhow::Error::msg)
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
            reason = self.invoker.handler().fatal() => Some(reason),
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
        if !self.invoker.drained(DRAIN_LIMIT).await {
            tracing::warn!(
                limit_s = DRAIN_LIMIT.as_secs(),
                "calls are still in flight: the handler is killed all the same"
            );
        }
        self.invoker.handler().stop().await;
        for listener in self.listeners {
            listener.abort();
        }
    }
}

/// Collects what the functions' triggers need.
struct Builder {
    config: HostConfig,
    data: PathBuf,
    partitions: usize,
    invoker: Arc<Invoker>,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
    timers: Vec<TimerListener>,
    ingest: Vec<Router>,
}

impl Builder {
    fn listen(&mut self, function: &Arc<Function>, settings: &Settings) -> Result<()> {
        match &function.trigger {
            Trigger::Http(_) => {}
            Trigger::Timer(trigger) => {
                let schedule = Schedule::parse(&trigger.schedule)
                    .with_context(|| format!("function `{}`", function.name))?;
                let listener = TimerListener {
                    invoker: Arc::clone(&self.invoker),
                    function: Arc::clone(function),
                    trigger: trigger.clone(),
                    schedule,
                    store: TimerStore::new(&self.data.join("timers")),
                    stop: self.stop.subscribe(),
                };
                self.listeners.push(tokio::spawn(listener.clone().run()));
                self.timers.push(listener);
            }
            Trigger::EventHub(trigger) => {
                if !self.ingest.is_empty() {
                    bail!("function `{}`: only one Event Hubs function is imitated here", function.name);
                }
                let folder = self.data.join("event_hub");
                let hub = Arc::new(Hub::open(&folder, &trigger.hub, self.partitions)?);
                let ingest = Arc::new(Ingest::new(Arc::clone(&hub), Timestamp::now));
                self.ingest.push(event_hub::router(ingest));
                let listener = EventHubListener {
                    invoker: Arc::clone(&self.invoker),
                    function: Arc::clone(function),
                    trigger: trigger.clone(),
                    checkpoints: Checkpoints::new(&folder, &trigger.hub, &trigger.consumer_group),
                    hub,
                    namespace: namespace(settings),
                    max_batch: self.config.max_event_batch_size,
                    checkpoint_frequency: self.config.batch_checkpoint_frequency,
                    initial_offset: self.config.initial_offset,
                    stop: self.stop.subscribe(),
                };
                self.listeners.extend(listener.start());
            }
        }
        Ok(())
    }
}

fn functions(script_root: &Path, settings: &Settings, config: &HostConfig) -> Result<Vec<Arc<Function>>> {
    let load = load_functions(script_root, settings, config.retry.as_ref())
        .with_context(|| format!("cannot list {}", script_root.display()))?;
    for (name, reason) in &load.disabled {
        tracing::error!(function = name, reason, "a function is left out");
    }
    let wanted = |function: &Function| {
        config.functions.is_empty()
            || config.functions.iter().any(|name| name.eq_ignore_ascii_case(&function.name))
    };
    let functions: Vec<_> = load.functions.into_iter().filter(wanted).map(Arc::new).collect();
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

async fn serve_admin_calls(
    mut inbox: mpsc::Receiver<AdminCall>,
    invoker: Arc<Invoker>,
    timers: Vec<TimerListener>,
    stop: watch::Receiver<bool>,
) {
    while let Some(call) = inbox.recv().await {
        let invoker = Arc::clone(&invoker);
        let timers = timers.clone();
        let stop = stop.clone();
        tokio::spawn(async move { admin_call(&call, &invoker, &timers, stop).await });
    }
}

async fn admin_call(
    call: &AdminCall,
    invoker: &Invoker,
    timers: &[TimerListener],
    stop: watch::Receiver<bool>,
) {
    let function = &call.function;
    let Some(input) = call.input.as_deref() else {
        tracing::error!(function = function.name, "an admin call without `input` fails in the background");
        return;
    };
    tracing::info!(function = function.name, "called by hand");
    match &function.trigger {
        Trigger::Http(_) => {
            tracing::error!(function = function.name, "an HTTP function is called by its route, not by hand");
        }
        Trigger::Timer(_) => {
            if let Some(timer) = timers.iter().find(|timer| timer.function.name == function.name) {
                timer.call_by_hand(input).await;
            }
        }
        Trigger::EventHub(trigger) => {
            let series = Series { invoker, function, fresh_ids: true, stop };
            series
                .run(|attempt| {
                    event_hub_admin(trigger, &function.trigger_name, input, attempt)
                        .map_err(|error| error.to_string())
                })
                .await;
        }
    }
}

async fn bind(port: u16, what: &str) -> Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port))
        .await
        .with_context(|| format!("cannot bind 127.0.0.1:{port} for {what}; choose another port"))
}

/// A port that was free a moment ago; the handler keeps it over all its restarts.
async fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no free port for the handler")?;
    Ok(listener.local_addr()?.port())
}

async fn serve(listener: TcpListener, routes: Router) {
    if let Err(error) = axum::serve(listener, routes).await {
        tracing::error!(error = %error, "a service has ended");
    }
}
