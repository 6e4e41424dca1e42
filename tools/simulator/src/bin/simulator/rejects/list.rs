//! The app's list of rejects, put together by event.
//!
//! Pages of `GET /api/rejects` enter, newest first; events leave, each with all of its rejects.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use wire::api::{RejectView, RejectsView};

use crate::delivery::Patience;
use crate::http::{SendError, call_for};

/// Header that carries the app's key.
const KEY_HEADER: &str = "x-api-key";
/// Rejects in a page.
const PAGE_ROWS: &str = "200";
/// Most that a page may have: the app ends one at a few megabytes of text, which JSON may escape.
const MOST_PAGE_BYTES: usize = 128 * 1024 * 1024;
/// Most that is held, since the newest are listed first and the oldest must be sent first.
const MOST_EVENTS: usize = 200_000;
const MOST_BYTES: usize = 512 * 1024 * 1024;

/// Which rejects are listed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Span {
    /// Only this device's.
    pub(crate) device: Option<String>,
    /// Taken in by the hub at this time or later, in epoch milliseconds.
    pub(crate) from_ms: Option<i64>,
    /// Taken in by the hub at this time or earlier, in epoch milliseconds.
    pub(crate) to_ms: Option<i64>,
}

/// A running app's list.
pub(crate) struct Listing {
    pub(crate) client: Client,
    /// Address of the app.
    pub(crate) app: Url,
    pub(crate) key: Option<SecretString>,
    pub(crate) span: Span,
}

/// A rejected event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Event {
    /// The device that the hub authenticated.
    pub(crate) device_id: Option<String>,
    /// When the hub took it in, in epoch milliseconds; 0 where it did not say.
    pub(crate) enqueued_at: i64,
    pub(crate) sequence: i64,
    /// How many facts it left: as many as it has rejects when nothing of it was stored otherwise.
    pub(crate) n_facts: usize,
    pub(crate) text: String,
    pub(crate) is_cut: bool,
    /// Place in the event, and why it was rejected.
    pub(crate) parts: Vec<(usize, String)>,
}

impl Listing {
    /// Reads all pages.
    ///
    /// # Errors
    ///
    /// When the app cannot be reached, refuses, or lists more than can be held.
    pub(crate) async fn read(&self, patience: Patience<'_>) -> Result<Vec<Event>> {
        let mut events: HashMap<(String, String, i64), Event> = HashMap::new();
        let mut n_bytes = 0;
        let mut after: Option<String> = None;
        loop {
            let page = self.page(after.as_deref(), patience).await?;
            for reject in page.rejects {
                n_bytes += reject.text.as_ref().map_or(0, String::len);
                let place = (reject.hub.clone(), reject.partition.clone(), reject.sequence);
                add(events.entry(place).or_default(), reject);
            }
            if events.len() > MOST_EVENTS || n_bytes > MOST_BYTES {
                bail!(
                    "{} lists more than {MOST_EVENTS} events or {} MB: take less at a time with --rejects-from and --rejects-to",
                    self.app,
                    MOST_BYTES / 1024 / 1024
                );
            }
            match page.next {
                // A cursor that stands still would ask for the same page for ever.
                Some(next) if after.as_ref() != Some(&next) => after = Some(next),
                _ => return Ok(events.into_values().collect()),
            }
        }
    }

    async fn page(&self, after: Option<&str>, patience: Patience<'_>) -> Result<RejectsView> {
        let url = self.url(after);
        let attempt = || async {
            let mut request = self.client.get(url.clone());
            if let Some(key) = &self.key {
                request = request.header(KEY_HEADER, key.expose_secret());
            }
            call_for(request, MOST_PAGE_BYTES).await
        };
        let answer = match patience.attempt(self.app.as_str(), attempt).await {
            Ok(answer) => answer,
            Err(SendError::Hopeless(reason) | SendError::Refused(reason)) => {
                bail!("the rejects cannot be listed: {} {reason}", self.app)
            }
            Err(error) => bail!("the rejects cannot be listed: {} {error}", self.app),
        };
        serde_json::from_slice(&answer.body)
            .with_context(|| format!("{} does not answer as this app does", self.app))
    }

    fn url(&self, after: Option<&str>) -> Url {
        let mut url = self.app.clone();
        url.set_path("/api/rejects");
        let mut query = url.query_pairs_mut();
        query.clear().append_pair("limit", PAGE_ROWS);
        let Span { device, from_ms, to_ms } = &self.span;
        let (from, to) = (from_ms.map(|ms| ms.to_string()), to_ms.map(|ms| ms.to_string()));
        let known = [("deviceId", device.as_deref()), ("from", from.as_deref()), ("to", to.as_deref())];
        for (name, value) in known.into_iter().chain([("after", after)]) {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        drop(query);
        url
    }
}

fn add(event: &mut Event, reject: RejectView) {
    event.device_id = reject.device_id;
    event.enqueued_at = reject.enqueued_at.unwrap_or_default();
    event.sequence = reject.sequence;
    event.n_facts = usize::try_from(reject.count).unwrap_or(usize::MAX);
    // Where pages cut an event in two, its text comes with both.
    if let Some(text) = reject.text {
        (event.text, event.is_cut) = (text, reject.cut);
    }
    event.parts.push((usize::try_from(reject.index).unwrap_or(usize::MAX), reject.reason));
}
