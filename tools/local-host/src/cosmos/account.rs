//! One emulated account: requests of the Cosmos DB REST protocol enter, its answers leave; every successful write is journaled before it is answered.
//!
//! Writes are serialized, so the journal has the order in which the emulator applied them.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use azure_core::http::{Method, Url};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::Mutex;

use super::emulator::{self, Emulator};
use super::figures::{Figures, Kind};
use super::journal::{Entry, Journal, JournalError, compact};
use super::lagging_copy::LaggingCopy;
use super::time_to_live::{Mortal, mortals};
use super::write::{Write, wants_no_content, with_text_content};
use crate::faults::CosmosFaults;

/// Documents outlive their time by this much at most.
const EXPIRE_EVERY: Duration = Duration::from_secs(3600);

/// Why the account could not be opened or a request not be carried out at all.
#[derive(Debug, Error)]
pub enum AccountError {
    /// The emulator refused to route the request or to start.
    #[error("cosmos emulator: {0}")]
    Emulator(String),
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A database or container could not be created.
    #[error("cannot create `{what}` in the local account: status {status}: {body}")]
    Create {
        /// Database or container path.
        what: String,
        /// The emulator's status.
        status: u16,
        /// The emulator's answer.
        body: String,
    },
}

/// A request of the Cosmos DB REST protocol, addressed to this account.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// HTTP method.
    pub method: Method,
    /// Path and query as they arrived, still percent-encoded.
    pub path_and_query: String,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// Body, possibly Cosmos binary JSON.
    pub body: Vec<u8>,
}

/// The answer to an [`Exchange`].
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers in lower case, request charge and activity id among them.
    pub headers: Vec<(String, String)>,
    /// Body, empty if the client asked for none.
    pub body: Vec<u8>,
}

impl Reply {
    /// Whether the status is of the 2xx class.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Names of a database and one of its containers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceNames {
    /// Database name.
    pub database: String,
    /// Container name.
    pub container: String,
}

/// The emulated account with its journal.
#[derive(Debug)]
pub struct Account {
    emulator: Emulator,
    journal: Mutex<Journal>,
    figures: Figures,
    /// What reads see instead, if they are to be stale.
    copy: RwLock<Option<Arc<LaggingCopy>>>,
}

impl Account {
    /// Opens an account that tells its clients to come to `base`, and fills it from the journal at `journal`.
    ///
    /// # Errors
    ///
    /// [`AccountError`] when the emulator refuses `base` or the journal cannot be read.
    pub async fn open(base: Url, journal: &Path) -> Result<Self, AccountError> {
        let emulator = Emulator::new(base)?;
        let (journal, entries) = Journal::open(journal)?;
        for entry in entries {
            emulator.apply(&entry).await?;
        }
        let (figures, copy) = (Figures::default(), RwLock::default());
        Ok(Self { emulator, journal: Mutex::new(journal), figures, copy })
    }

    /// What was consumed since the start.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// Creates the database and the container, partitioned by `partition_key_path`, unless they exist.
    ///
    /// # Errors
    ///
    /// [`AccountError::Create`] when the emulator refuses one of them.
    pub async fn ensure_container(
        &self,
        names: &ResourceNames,
        partition_key_path: &str,
    ) -> Result<(), AccountError> {
        if self.emulator.ensure_container(names, partition_key_path).await? {
            let entry =
                Entry::Container { names: names.clone(), partition_key_path: partition_key_path.to_owned() };
            self.journal.lock().await.append(&entry)?;
        }
        Ok(())
    }

    /// Upserts one document, taking the partition key's value from the document itself.
    ///
    /// # Errors
    ///
    /// [`AccountError`] when the request could not be carried out; a refusal by the service is a [`Reply`].
    pub async fn upsert(&self, names: &ResourceNames, document: &str) -> Result<Reply, AccountError> {
        self.execute(emulator::upsert(names, document.as_bytes().to_vec())).await
    }

    /// Carries out one request; a write is in the journal when this returns.
    ///
    /// # Errors
    ///
    /// [`AccountError`] when the emulator cannot route the request or the journal cannot be written.
    pub async fn execute(&self, exchange: Exchange) -> Result<Reply, AccountError> {
        let (kind, sent) = (Kind::of(&exchange), exchange.body.len());
        let reply = match Write::of(&exchange) {
            Some(write) => self.write(&write, exchange).await?,
            None => self.read(exchange).await?,
        };
        self.figures.count(kind, sent, &reply);
        Ok(reply)
    }

    async fn write(&self, write: &Write, exchange: Exchange) -> Result<Reply, AccountError> {
        let wants_no_content = wants_no_content(&exchange);
        let mut journal = self.journal.lock().await;
        let mut reply = self.emulator.dispatch(with_text_content(exchange)).await?;
        if reply.succeeded() {
            let copy = self.copy();
            for entry in write.entries(&reply.body, now_s()) {
                journal.append(&entry)?;
                if let Some(copy) = &copy {
                    copy.follow(entry);
                }
            }
            // A batch's answer is its result list, which its client always needs.
            if wants_no_content && !matches!(write, Write::Batch { .. }) {
                reply.body.clear();
            }
        }
        Ok(reply)
    }

    async fn read(&self, exchange: Exchange) -> Result<Reply, AccountError> {
        match self.copy() {
            Some(copy) => copy.read(exchange).await,
            None => self.emulator.dispatch(exchange).await,
        }
    }

    fn copy(&self) -> Option<Arc<LaggingCopy>> {
        self.copy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_copy(&self, copy: Option<LaggingCopy>) {
        *self.copy.write().unwrap_or_else(PoisonError::into_inner) = copy.map(Arc::new);
    }

    /// From now on reads see what was stored so long ago, or the present again.
    ///
    /// # Errors
    ///
    /// [`AccountError`] when the copy cannot be made.
    pub async fn set_lag(&self, lag: Option<Duration>) -> Result<(), AccountError> {
        // No write gets in between the journal's end and the copy's beginning.
        let journal = self.journal.lock().await;
        let copy = match lag {
            Some(lag) => Some(LaggingCopy::new(self.emulator.base(), &journal.entries()?, lag).await?),
            None => None,
        };
        self.set_copy(copy);
        Ok(())
    }

    /// Deletes the documents with a time to live that are over by now, or so old already; says how many.
    ///
    /// # Errors
    ///
    /// [`AccountError`] when the journal cannot be read or written.
    pub async fn expire(&self, older_than: Option<Duration>) -> Result<usize, AccountError> {
        // No write gets in between the look and the deletion.
        let mut journal = self.journal.lock().await;
        let now_s = now_s();
        let is_due = |mortal: &Mortal| match older_than {
            Some(age) => now_s.saturating_sub_unsigned(age.as_secs()) >= mortal.written_s,
            None => mortal.is_over(now_s),
        };
        let mut entries = journal.entries()?;
        let due: Vec<Mortal> = mortals(&entries).into_iter().filter(is_due).collect();
        if due.is_empty() {
            return Ok(0);
        }
        let n_due = due.len();
        let copy = self.copy();
        for mortal in due {
            let end = mortal.end();
            self.emulator.apply(&end).await?;
            if let Some(copy) = &copy {
                copy.follow(end.clone());
            }
            entries.push(end);
        }
        journal.rewrite(&compact(entries))?;
        Ok(n_due)
    }

    /// Follows the orders about stale reads and old documents, and lets documents expire, until nobody can give orders any more.
    pub(crate) async fn follow(&self, faults: &CosmosFaults) {
        let (mut lag, mut age) = (faults.lag.subscribe(), faults.expire.subscribe());
        let mut sweep = tokio::time::interval(EXPIRE_EVERY);
        lag.mark_changed();
        loop {
            let done = tokio::select! {
                Ok(()) = lag.changed() => {
                    let ordered = *lag.borrow_and_update();
                    self.set_lag(ordered).await.map(|()| 0)
                }
                Ok(()) = age.changed() => {
                    let ordered = *age.borrow_and_update();
                    self.expire(Some(ordered)).await
                }
                _ = sweep.tick() => self.expire(None).await,
                else => return,
            };
            match done {
                Ok(0) => {}
                Ok(n_documents) => tracing::info!(n_documents, "documents have expired"),
                Err(error) => tracing::error!(error = %error, "the local cosmos account does not obey"),
            }
        }
    }
}

fn now_s() -> i64 {
    jiff::Timestamp::now().as_second()
}
