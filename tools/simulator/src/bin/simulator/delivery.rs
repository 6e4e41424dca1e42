//! Delivery: many messages at once, each device's in order, and again when the target asks for patience.
//!
//! The messages of each device enter, counts leave; an error ends the run.

use crate::http::SendError;
use crate::message::Message;
use crate::report::Report;
use crate::targets::Target;
use anyhow::{Context, Result, bail};
use futures::stream::{StreamExt, iter};
use std::future::Future;
use std::io::Write;
use std::time::{Duration, Instant};

/// First pause after a failure; doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Patience with a target.
#[derive(Clone, Copy)]
pub(crate) struct Patience<'a> {
    /// Time after which a message that was never taken ends the run.
    pub(crate) give_up_after: Duration,
    /// Who is told.
    pub(crate) report: &'a Report,
}

/// Sends messages to one target.
pub(crate) struct Delivery<'a> {
    pub(crate) target: Target,
    pub(crate) concurrency: usize,
    pub(crate) patience: Patience<'a>,
}

impl Patience<'_> {
    /// Attempts until success, or an error that no attempt will cure.
    ///
    /// # Errors
    ///
    /// [`SendError::Refused`] for this message alone, [`SendError::Hopeless`] for all.
    pub(crate) async fn attempt<T, F, A>(&self, target: &str, attempt: F) -> Result<T, SendError>
    where
        F: Fn() -> A,
        A: Future<Output = Result<T, SendError>>,
    {
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let (reason, wait) = match attempt().await {
                Err(SendError::Transient { reason, wait }) => (reason, wait),
                Ok(value) => {
                    self.report.recovered(target);
                    return Ok(value);
                }
                Err(error) => return Err(error),
            };
            let next = wait.unwrap_or(pause).max(pause);
            if began.elapsed() + next > self.give_up_after {
                let seconds = self.give_up_after.as_secs();
                return Err(SendError::Hopeless(format!("{reason}; gave up after {seconds} s of trying")));
            }
            self.report.outage(target, &reason);
            tokio::time::sleep(next).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl Delivery<'_> {
    /// Delivers one group of messages a device; groups go side by side, a group's messages one after another.
    ///
    /// # Errors
    ///
    /// When nothing more can be sent.
    pub(crate) async fn deliver(&self, groups: Vec<Vec<Message>>) -> Result<()> {
        if matches!(self.target, Target::Stdout) {
            return self.print(groups);
        }
        let mut outcomes =
            iter(groups).map(|group| self.deliver_group(group)).buffer_unordered(self.concurrency);
        while let Some(outcome) = outcomes.next().await {
            outcome?;
        }
        Ok(())
    }

    async fn deliver_group(&self, group: Vec<Message>) -> Result<()> {
        let report = self.patience.report;
        for message in group {
            match self.patience.attempt(self.target.name(), || self.target.send(&message)).await {
                Ok(()) => report.count_sent(message.n_readings),
                Err(SendError::Hopeless(reason)) => bail!("{} {reason}", self.target.name()),
                Err(error) => report.count_failed(message.n_readings, &message.device_id, &error.to_string()),
            }
        }
        Ok(())
    }

    /// Writes lines in order of time, as a log of the whole fleet would be.
    fn print(&self, groups: Vec<Vec<Message>>) -> Result<()> {
        let mut messages: Vec<Message> = groups.into_iter().flatten().collect();
        messages.sort_by_key(|message| message.timestamp_ms);
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        for message in &messages {
            out.write_all(&message.body).and_then(|()| out.write_all(b"\n")).context("stdout was closed")?;
        }
        out.flush().context("stdout was closed")?;
        self.patience.report.count_sent(messages.iter().map(|message| message.n_readings).sum());
        Ok(())
    }
}
