//! Sends rejected events again, once what was wrong with them is mended.
//!
//! The app's list of rejects enters; their texts leave through a target, oldest first, each as its device. What cannot
//! be sent again is counted by its reason and said at the end.

mod list;
mod parts;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

use crate::delivery::{Delivery, Patience};
use crate::message::Message;
use crate::report::Report;
use crate::setup::Destination;

use list::Event;
pub(crate) use list::{Listing, Span};
use parts::Skipped;

/// Messages under way are at most this many, so that devices advance side by side.
const MESSAGES_AT_ONCE: usize = 1000;

/// What is to be sent again.
pub(crate) struct Resend {
    pub(crate) listing: Listing,
    /// Only what was rejected for this reason.
    pub(crate) reason: Option<String>,
    /// The device that the target speaks for, where it speaks for one only.
    pub(crate) only_device: Option<String>,
}

impl Resend {
    /// Lists, sorts out and sends.
    ///
    /// # Errors
    ///
    /// When the app's list cannot be read, or the target takes nothing any more.
    pub(crate) async fn run(
        self,
        destination: Destination,
        concurrency: usize,
        patience: Patience<'_>,
    ) -> Result<()> {
        let report = patience.report;
        let events = self.listing.read(patience).await?;
        report.say(&format!("{} rejected events are listed", events.len()));
        let (messages, skipped) = self.sort_out(events);
        say_skipped(report, &skipped);
        let devices: BTreeSet<&str> = messages.iter().map(|message| message.device_id.as_str()).collect();
        if let Some(only) = &self.only_device {
            ensure!(
                devices.iter().all(|device| device == only),
                "IOTHUB_DEVICE_CONNECTION_STRING is device `{only}`, and other devices have rejects too: add \
                 --reject-device {only}, or set IOTHUB_CONNECTION_STRING instead"
            );
        }
        let devices: Vec<String> = devices.into_iter().map(str::to_owned).collect();
        let target = destination.prepare(&devices, patience).await?;
        let delivery = Delivery { target, concurrency, patience };
        report.begin("rejects");
        let total = messages.len() as u64;
        let mut n_done = 0;
        for messages in messages.chunks(MESSAGES_AT_ONCE) {
            delivery.deliver(by_device(messages)).await?;
            n_done += messages.len() as u64;
            report.progress((n_done, total));
        }
        report.reached(&format!("{total} events were sent again"));
        Ok(())
    }

    /// Tells what can be sent again from what cannot; oldest first.
    fn sort_out(&self, mut events: Vec<Event>) -> (Vec<Message>, BTreeMap<Skipped, u64>) {
        events.sort_by_key(|event| (event.enqueued_at, event.sequence));
        let mut messages = Vec::new();
        let mut skipped = BTreeMap::new();
        for event in &events {
            match parts::message(event, self.reason.as_deref()) {
                Ok(message) => messages.push(message),
                Err(reason) => *skipped.entry(reason).or_default() += 1,
            }
        }
        (messages, skipped)
    }
}

fn say_skipped(report: &Report, skipped: &BTreeMap<Skipped, u64>) {
    for (reason, n_events) in skipped {
        report.say(&format!("{n_events} not sent: {reason}"));
    }
}

/// Groups messages by device; each device's stay in their order.
fn by_device(messages: &[Message]) -> Vec<Vec<Message>> {
    let mut groups: BTreeMap<&str, Vec<Message>> = BTreeMap::new();
    for message in messages {
        groups.entry(&message.device_id).or_default().push(message.clone());
    }
    groups.into_values().collect()
}
