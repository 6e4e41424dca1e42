//! Which open alerts wait for somebody, and how many for all who watch at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Acknowledgements, Mutes};
use crate::fleet::{Fleet, Open};
use crate::shared_read::SharedRead;
use crate::store::{Store, StoreError};

/// How long what people decided may be given again: of a thousand open alerts it costs as much as the fleet itself.
const FRESH: Duration = Duration::from_secs(15);
/// How long while somebody acts.
const FRESH_WHILE_ACTING: Duration = Duration::from_secs(2);
/// How long after an act it may still be on its way into the store.
const ACTING: Duration = Duration::from_secs(15);

/// What people decided about open alerts.
#[derive(Debug, Default)]
pub struct Decisions {
    /// What was acknowledged.
    pub acknowledgements: Acknowledgements,
    /// Who is muted.
    pub mutes: Mutes,
}

impl Decisions {
    /// Reads those about some open alerts.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be read.
    pub async fn about<'a>(
        store: &Store,
        open: impl Iterator<Item = Open<'a>> + Clone,
    ) -> Result<Self, StoreError> {
        let Some(oldest) = open.clone().map(|(_, alert)| alert.opened_at).min() else {
            return Ok(Self::default());
        };
        let ids = open.map(|(_, alert)| alert.alert_id.as_str());
        let (acknowledgements, mutes) =
            futures::try_join!(Acknowledgements::read(store, ids), Mutes::read(store, oldest))?;
        Ok(Self { acknowledgements, mutes })
    }

    /// Whether an open alert waits for somebody: it is neither acknowledged nor muted.
    #[must_use]
    pub fn is_waiting(&self, (device, alert): Open<'_>) -> bool {
        self.acknowledgements.of(&alert.alert_id).is_none()
            && self.mutes.covering(&device.device_id, alert.opened_at).is_none()
    }
}

/// Counts open alerts that wait for somebody.
///
/// Which alerts are open is as new as the fleet; what people decided may be fifteen seconds old, or two where somebody
/// has just acted through this process.
#[derive(Debug)]
pub struct AttentionReader {
    store: Arc<Store>,
    shared: SharedRead<Decisions, StoreError>,
    acted_at: Mutex<Option<Instant>>,
}

impl AttentionReader {
    /// Reads from a store.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, shared: SharedRead::new(FRESH_WHILE_ACTING), acted_at: Mutex::default() }
    }

    /// Notes that somebody acts now: what is stored will change soon.
    pub fn expect_changes(&self, now: Instant) {
        *self.acted_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// The count, of a fleet that was just read.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be read, for all who waited for the same read; it is logged already.
    pub async fn read(&self, fleet: &Fleet, now: Instant) -> Result<usize, Arc<StoreError>> {
        if fleet.open_alerts().next().is_none() {
            return Ok(0);
        }
        let read = || async {
            let decisions = Decisions::about(&self.store, fleet.open_alerts()).await;
            if let Err(error) = &decisions {
                tracing::warn!(error = error.with_causes(), "what people decided cannot be read");
            }
            decisions
        };
        let decisions = self.shared.read_within(self.fresh_for(now), read).await?;
        Ok(fleet.open_alerts().filter(|open| decisions.is_waiting(*open)).count())
    }

    fn fresh_for(&self, now: Instant) -> Duration {
        let acted_at = *self.acted_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_acting = acted_at.is_some_and(|acted_at| now.saturating_duration_since(acted_at) < ACTING);
        if is_acting { FRESH_WHILE_ACTING } else { FRESH }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_acts_sees_it_soon() {
        let store: Store = {
            let endpoint = "http://127.0.0.1:1/".parse().unwrap();
            let credential = crate::settings::CosmosCredential::Developer;
            let settings = crate::settings::CosmosSettings { endpoint, credential, region: None };
            Store::new(settings, Duration::from_secs(1))
        };
        let reader = AttentionReader::new(Arc::new(store));
        let now = Instant::now();
        assert_eq!(reader.fresh_for(now), FRESH);
        reader.expect_changes(now);
        assert_eq!(reader.fresh_for(now + ACTING / 2), FRESH_WHILE_ACTING);
        assert_eq!(reader.fresh_for(now + ACTING), FRESH);
    }
}
