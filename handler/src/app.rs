//! Everything the functions share, built once.

use std::sync::Arc;

use crate::blobs::Blobs;
use crate::fleet::FleetReader;
use crate::live::LiveFeed;
use crate::mail::Mail;
use crate::model::Model;
use crate::notifications::{Channel, Look, Manner, Notifier, Webhook};
use crate::page::Page;
use crate::people::AttentionReader;
use crate::scoring::stored::SnapshotStore;
use crate::scoring::{Scorer, Storage};
use crate::settings::{MailSettings, Settings};
use crate::store::Store;

/// Folder of journals, in the machine's folder for temporary files.
const JOURNALS: &str = "temperature-anomaly-handler";

/// The app behind the router.
#[derive(Debug)]
pub struct App {
    /// What the environment said.
    pub settings: Settings,
    /// The verified model.
    pub model: Arc<Model>,
    /// The built page.
    pub page: Page,
    /// Scores batches.
    pub scorer: Scorer,
    /// Live messages to the page.
    pub live: LiveFeed,
    /// Stored documents.
    pub store: Arc<Store>,
    /// Tells people about alerts.
    pub notifier: Notifier,
    /// The newest state of every device.
    pub fleet: FleetReader,
    /// How many alerts wait for somebody.
    pub attention: AttentionReader,
}

impl App {
    /// Loads and verifies the model and the page; contacts nobody.
    ///
    /// # Errors
    ///
    /// Names the file that is missing or damaged.
    pub fn build(settings: Settings) -> anyhow::Result<Self> {
        // Below the deadline of those who ask, so that they hear the cause.
        let store = Arc::new(Store::new(settings.cosmos.clone(), settings.deadline / 5 * 4));
        let storage = Storage {
            facts: Arc::<Store>::clone(&store),
            snapshots: snapshots(&settings)?,
            journals: Some(std::env::temp_dir().join(JOURNALS)),
        };
        Self::build_on(settings, store, storage)
    }

    /// As [`App::build`], with facts and states read back elsewhere than where documents are listed.
    ///
    /// # Errors
    ///
    /// As [`App::build`].
    pub fn build_on(settings: Settings, store: Arc<Store>, storage: Storage) -> anyhow::Result<Self> {
        let model = Arc::new(Model::load(&settings.script_root)?);
        let notifier = notifier(&settings, &store)?;
        let page = Page::load(&settings.script_root, settings.signalr_origin.as_deref())?;
        let scorer = Scorer::new(Arc::clone(&model), &settings, writer_name(), storage);
        Ok(Self {
            model,
            page,
            scorer,
            live: LiveFeed::default(),
            notifier,
            fleet: FleetReader::new(Arc::clone(&store)),
            attention: AttentionReader::new(Arc::clone(&store)),
            store,
            settings,
        })
    }
}

/// Who tells people about alerts, and by which ways; said at start.
fn notifier(settings: &Settings, store: &Arc<Store>) -> anyhow::Result<Notifier> {
    let mail = Mail::new(&settings.mail)?;
    mail.announce(&settings.mail);
    let MailSettings { to, to_critical, .. } = &settings.mail;
    let mut channels = Vec::new();
    if !settings.mail.everybody().is_empty() {
        channels.push(Channel::Mail { mail, to: to.clone(), to_critical: to_critical.clone() });
    }
    if let Some(webhook) = &settings.webhook {
        channels.push(Channel::Webhook(Webhook::new(webhook)?));
    }
    let look = Look { zone: settings.digest.zone.clone(), page: settings.dashboard_url.clone() };
    let manner = Manner {
        look,
        name: writer_name(),
        patience: settings.patience,
        silent_after: settings.silent_after,
    };
    Ok(Notifier::new(Arc::clone(store), channels, manner))
}

/// Where snapshots are kept; said loudly where nowhere.
fn snapshots(settings: &Settings) -> anyhow::Result<Option<Arc<dyn SnapshotStore>>> {
    let Some(url) = &settings.snapshot_container else {
        tracing::warn!(
            "SNAPSHOT_CONTAINER_URL is not set: no snapshots, a new process reads back all that is stored"
        );
        return Ok(None);
    };
    Ok(Some(Arc::new(Blobs::new(url, settings.deadline)?)))
}

/// A name that no other process has: it decides nothing but between documents of equal terms.
#[expect(clippy::disallowed_methods, reason = "the one thing by which two processes must differ")]
fn writer_name() -> String {
    uuid::Uuid::new_v4().simple().to_string().chars().take(12).collect()
}
