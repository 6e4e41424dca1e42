//! The functions' triggers: functions enter, their listeners are started, what else serves them leaves.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use axum::Router;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::{Function, HostConfig, Settings, Trigger};
use crate::connections::namespace;
use crate::event_hub::{self, Backlog, Checkpoints, EventHubListener, Hub, Ingest};
use crate::faults::Faults;
use crate::instances::Instances;
use crate::timer::{Schedule, TimerListener, TimerStore};

/// What triggers listen with.
pub(crate) struct Ears<'a> {
    pub(crate) config: &'a HostConfig,
    pub(crate) settings: &'a Settings,
    pub(crate) data: PathBuf,
    pub(crate) partitions: usize,
    pub(crate) instances: &'a Instances,
    pub(crate) faults: &'a Faults,
    pub(crate) stop: watch::Receiver<bool>,
}

/// Triggers that listen.
#[derive(Debug, Default)]
pub(crate) struct Listening {
    /// Tasks; they end when the host stops.
    pub(crate) tasks: Vec<JoinHandle<()>>,
    /// Timers, for calls by hand.
    pub(crate) timers: Vec<TimerListener>,
    /// Ways into the event hub, and what waits in it.
    pub(crate) event_hub: Option<(Router, Backlog)>,
}

/// Starts the listeners of all functions.
///
/// # Errors
///
/// What a trigger lacks.
pub(crate) fn listen(functions: &[Arc<Function>], ears: &Ears<'_>) -> Result<Listening> {
    let mut listening = Listening::default();
    for function in functions {
        listening.add(function, ears)?;
    }
    Ok(listening)
}

impl Listening {
    fn add(&mut self, function: &Arc<Function>, ears: &Ears<'_>) -> Result<()> {
        match &function.trigger {
            Trigger::Http(_) => {}
            Trigger::Timer(trigger) => {
                let schedule = Schedule::parse(&trigger.schedule)
                    .with_context(|| format!("function `{}`", function.name))?;
                let listener = TimerListener {
                    invoker: Arc::clone(ears.instances.first()),
                    function: Arc::clone(function),
                    trigger: trigger.clone(),
                    schedule,
                    store: TimerStore::new(&ears.data.join("timers")),
                    stop: ears.stop.clone(),
                };
                self.tasks.push(tokio::spawn(listener.clone().run()));
                self.timers.push(listener);
            }
            Trigger::EventHub(trigger) => {
                if self.event_hub.is_some() {
                    bail!("function `{}`: only one Event Hubs function is imitated here", function.name);
                }
                let options = &ears.config.json.extensions.event_hubs;
                let folder = ears.data.join("event_hub");
                let hub = Arc::new(Hub::open(&folder, &trigger.hub, ears.partitions)?);
                let checkpoints = Checkpoints::new(&folder, &trigger.hub, &trigger.consumer_group);
                let ingest = Arc::new(Ingest::new(Arc::clone(&hub), Timestamp::now));
                let backlog = Backlog { hub: Arc::clone(&hub), checkpoints: checkpoints.clone() };
                self.event_hub = Some((event_hub::router(ingest), backlog));
                let listener = EventHubListener {
                    invokers: ears.instances.all(),
                    ownership: Arc::clone(&ears.faults.ownership),
                    faults: Arc::clone(&ears.faults.batches),
                    function: Arc::clone(function),
                    trigger: trigger.clone(),
                    checkpoints,
                    hub,
                    namespace: namespace(ears.settings),
                    max_batch: usize::try_from(options.max_event_batch_size)?,
                    checkpoint_frequency: options.batch_checkpoint_frequency,
                    initial_offset: options.initial_offset_options.kind,
                    stop: ears.stop.clone(),
                };
                self.tasks.extend(listener.start());
            }
        }
        Ok(())
    }
}
