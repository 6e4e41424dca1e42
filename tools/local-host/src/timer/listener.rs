//! Firing a timer: waits for the next time, calls the function with its retries, and then looks at the clock again, so that it never overlaps itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::schedule::Schedule;
use crate::config::{Function, TimerTrigger};
use crate::invoke::{Invoker, Series, SeriesEnd, TimerStatus, timer};

/// The longest sleep, so that a clock that was set is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredStatus {
    last: Option<String>,
    next: String,
    updated: String,
}

/// The stored statuses of all timers.
#[derive(Debug, Clone)]
pub struct TimerStore {
    folder: PathBuf,
}

impl TimerStore {
    /// Statuses kept in `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The status of a function's timer; an unreadable one counts as none.
    #[must_use]
    pub fn load(&self, function: &str) -> Option<TimerStatus> {
        let text = std::fs::read(self.path(function)).ok()?;
        let stored: StoredStatus = serde_json::from_slice(&text).ok()?;
        Some(TimerStatus {
            last: stored.last.and_then(|last| last.parse().ok()),
            next: stored.next.parse().ok()?,
            updated: stored.updated.parse().ok()?,
        })
    }

    fn save(&self, function: &str, status: &TimerStatus) {
        let stored = StoredStatus {
            last: status.last.map(|last| last.to_string()),
            next: status.next.to_string(),
            updated: status.updated.to_string(),
        };
        let path = self.path(function);
        let fresh = path.with_extension("new");
        let written = std::fs::create_dir_all(&self.folder)
            .and_then(|()| std::fs::write(&fresh, serde_json::to_vec(&stored).unwrap_or_default()))
            .and_then(|()| std::fs::rename(&fresh, &path));
        if let Err(error) = written {
            tracing::error!(function, path = %path.display(), error = %error, "the status of a timer could not be stored");
        }
    }

    fn path(&self, function: &str) -> PathBuf {
        self.folder.join(format!("{function}.json"))
    }
}

/// What the trigger of one function works with.
#[derive(Debug, Clone)]
pub struct TimerListener {
    /// Carries out attempts.
    pub invoker: Arc<Invoker>,
    /// The function.
    pub function: Arc<Function>,
    /// Its trigger.
    pub trigger: TimerTrigger,
    /// When it fires.
    pub schedule: Schedule,
    /// Where its status is kept.
    pub store: TimerStore,
    /// Turns true when the host stops.
    pub stop: watch::Receiver<bool>,
}

impl TimerListener {
    /// Fires until the host stops.
    pub async fn run(mut self) {
        let monitored = self.trigger.use_monitor && self.schedule.is_monitored(Timestamp::now());
        let mut status = if monitored { self.first_status() } else { None };
        let was_due = status.as_ref().is_some_and(|status| status.next < Timestamp::now());
        if was_due || self.trigger.run_on_startup {
            self.fire(status.as_ref(), was_due).await;
            status = self.after_run(monitored);
        }
        loop {
            let now = Timestamp::now();
            let Some(next) = self.schedule.next_after(now) else {
                tracing::error!(function = self.function.name, "the schedule has no next time");
                return;
            };
            if !self.sleep_until(next).await {
                return;
            }
            self.fire(status.as_ref(), false).await;
            status = self.after_run(monitored);
        }
    }

    /// Calls the function once, as the clock would, with its stored status.
    pub async fn call_by_hand(&self, input: &str) -> SeriesEnd {
        let now = Timestamp::now();
        let monitored = self.trigger.use_monitor && self.schedule.is_monitored(now);
        let status = if monitored { self.first_status() } else { None };
        self.series(true)
            .run(|attempt| {
                Ok(timer(
                    &self.function.trigger_name,
                    status.as_ref(),
                    false,
                    self.schedule.adjusts_for_dst(),
                    Some(input),
                    attempt,
                ))
            })
            .await
    }

    fn first_status(&self) -> Option<TimerStatus> {
        if let Some(status) = self.store.load(&self.function.name) {
            return Some(status);
        }
        let now = Timestamp::now();
        let status = TimerStatus { last: None, next: self.schedule.next_after(now)?, updated: now };
        self.store.save(&self.function.name, &status);
        Some(status)
    }

    async fn fire(&self, status: Option<&TimerStatus>, is_past_due: bool) {
        let end = self
            .series(false)
            .run(|attempt| {
                let adjusts = self.schedule.adjusts_for_dst();
                Ok(timer(&self.function.trigger_name, status, is_past_due, adjusts, None, attempt))
            })
            .await;
        if end == SeriesEnd::Failed {
            tracing::error!(
                function = self.function.name,
                "a timer's last attempt failed; its schedule goes on"
            );
        }
    }

    fn after_run(&self, monitored: bool) -> Option<TimerStatus> {
        if !monitored {
            return None;
        }
        let now = Timestamp::now();
        let status = TimerStatus { last: Some(now), next: self.schedule.next_after(now)?, updated: now };
        self.store.save(&self.function.name, &status);
        Some(status)
    }

    fn series(&self, fresh_ids: bool) -> Series<'_> {
        Series {
            invoker: &self.invoker,
            function: &self.function,
            fresh_ids,
            gives_up: false,
            stop: self.stop.clone(),
        }
    }

    /// Sleeps until then; says whether the host still runs.
    async fn sleep_until(&mut self, time: Timestamp) -> bool {
        loop {
            if *self.stop.borrow() {
                return false;
            }
            let left = Duration::try_from(time.duration_since(Timestamp::now())).unwrap_or_default();
            if left.is_zero() {
                return true;
            }
            tokio::select! {
                () = tokio::time::sleep(left.min(LONGEST_SLEEP)) => {}
                _ = self.stop.wait_for(|stop| *stop) => return false,
            }
        }
    }
}
