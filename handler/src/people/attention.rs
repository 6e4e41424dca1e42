//! How many open alerts wait for somebody, for all who watch at once.

use std::sync::Arc;
use std::time::Duration;

use crate::alerts;
use crate::fleet::Fleet;
use crate::shared_read::SharedRead;
use crate::store::{Store, StoreError};

/// How long an answer may be given again: many who watch cost as much as one.
const FRESH: Duration = Duration::from_secs(2);

/// Counts open alerts that are neither acknowledged nor muted, at most once every two seconds however many ask.
#[derive(Debug)]
pub struct AttentionReader {
    store: Arc<Store>,
    shared: SharedRead<usize, StoreError>,
}

impl AttentionReader {
    /// Reads from a store.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, shared: SharedRead::new(FRESH) }
    }

    /// The count, of a fleet that was just read.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be read, for all who waited for the same read; it is logged already.
    pub async fn read(&self, fleet: &Fleet) -> Result<usize, Arc<StoreError>> {
        let read = || async {
            let count = alerts::count_unacknowledged(&self.store, fleet).await;
            if let Err(error) = &count {
                tracing::warn!(error = error.with_causes(), "acknowledgements cannot be read");
            }
            count
        };
        self.shared.read(read).await.map(|count| *count)
    }
}
