//! Plays tracks to a target: the past at its pace, then live.
//!
//! Time is cut into slices; all devices' readings of one slice are delivered before the next begins, so that no
//! device runs ahead of the others by more than a slice, whatever the concurrency.

use crate::args::Speed;
use crate::delivery::{Delivery, Patience};
use crate::feed::{Source, Track};
use crate::labels::Labels;
use crate::message::Packing;
use crate::report::Report;
use crate::setup::{Plan, Work, find};
use crate::time::{duration_ms, from_ms, now_ms};
use anyhow::Result;
use simulator::{Family, Fault, Profile};
use std::time::{Duration, Instant};

/// Slices of what is played at a pace end this often.
const PACED_SLICE: Duration = Duration::from_millis(250);

/// What plays.
struct Player<'a> {
    tracks: Vec<Track>,
    packing: Packing,
    labels: Option<Labels>,
    delivery: Delivery<'a>,
    report: &'a Report,
    /// Readings that may still be sent.
    left: u64,
}

/// Plays a plan to its end.
///
/// # Errors
///
/// When the target takes nothing any more, or a file cannot be read or written.
pub(crate) async fn play(plan: Plan, report: &Report) -> Result<()> {
    let Plan { args, work, destination } = plan;
    let patience = Patience { give_up_after: args.give_up_after, report };
    let concurrency = usize::from(args.concurrency);
    let (tracks, packing) = match work {
        Work::Play { tracks, packing } => (tracks, packing),
        Work::Resend(resend) => return resend.run(destination, concurrency, patience).await,
    };
    let labels = args.labels.as_deref().map(Labels::create).transpose()?;
    let devices: Vec<String> = tracks.iter().map(|track| track.device_id.clone()).collect();
    let target = destination.prepare(&devices, patience).await?;
    let delivery = Delivery { target, concurrency, patience };
    let left = args.count.unwrap_or(u64::MAX);
    let mut player = Player { tracks, packing, labels, delivery, report, left };
    player.play_past(args.speed).await?;
    let live = args.replay.is_empty() && args.duration != Some(Duration::ZERO);
    if !live || player.left == 0 {
        return Ok(());
    }
    let start_ms = now_ms();
    for track in &mut player.tracks {
        track.go_live(start_ms, duration_ms(args.every));
    }
    let classic = args.profile == Profile::Only(Family::Classic);
    for injection in &args.inject {
        let at_ms = start_ms.saturating_add(duration_ms(injection.at));
        // The classic device's anomalies end at 45 degrees, one and a half of its ranges above normal is typical.
        let strong = injection.kind.strong_magnitude();
        let magnitude = if classic { strong.min(1.5) } else { strong };
        let fault = Fault::new(injection.kind, at_ms, magnitude);
        let fault = injection.lasting.map_or(fault, |lasting| fault.lasting(duration_ms(lasting)));
        let index = find(&player.tracks, injection)?;
        player.tracks[index].add(fault);
        report.say(&format!(
            "{} on `{}` in {} s",
            injection.kind,
            player.tracks[index].device_id,
            injection.at.as_secs()
        ));
    }
    player.play_live(args.every, args.duration).await
}

impl Player<'_> {
    /// Plays what lies in the past: history up to now, recordings to their end.
    async fn play_past(&mut self, speed: Speed) -> Result<()> {
        let Some(first_ms) = self.first_ms(i64::MAX) else { return Ok(()) };
        let simulated = self.tracks.iter().any(|track| matches!(track.source, Source::Simulated(_)));
        let limit = || if simulated { now_ms() } else { i64::MAX };
        if first_ms > limit() {
            return Ok(());
        }
        let span_ms = self.span_ms(speed);
        let began = Instant::now();
        self.report.begin(if simulated { "history" } else { "recordings" });
        while self.left > 0 {
            let Some(next_ms) = self.first_ms(limit()) else { break };
            let until_ms = next_ms.saturating_add(span_ms).min(limit());
            if let Speed::Times(times) = speed {
                let due = from_ms(scaled(until_ms.saturating_sub(first_ms), 1.0 / times));
                tokio::time::sleep(due.saturating_sub(began.elapsed())).await;
            }
            self.play_slice(until_ms).await?;
            self.report.progress(self.progress());
        }
        let what = if simulated { "history" } else { "recordings" };
        self.report.reached(&format!("{what}: {} readings sent", self.report.sent()));
        Ok(())
    }

    /// Reads all devices every so often, until the time or the count is up.
    ///
    /// What an outage of the target has held up is sent afterwards, as devices with a memory would.
    async fn play_live(&mut self, every: Duration, duration: Option<Duration>) -> Result<()> {
        let began = Instant::now();
        let span_ms = self.span_ms(Speed::Max);
        while self.left > 0 {
            let Some(next_ms) = self.first_ms(i64::MAX) else { break };
            // The wall clock decides, and may be set meanwhile: never sleep longer than one interval.
            let wait = from_ms(next_ms.saturating_sub(now_ms())).min(every);
            if duration.is_some_and(|duration| began.elapsed() + wait > duration) {
                break;
            }
            tokio::time::sleep(wait).await;
            let now = now_ms();
            if next_ms <= now {
                self.play_slice(next_ms.saturating_add(span_ms).min(now)).await?;
            }
        }
        Ok(())
    }

    async fn play_slice(&mut self, until_ms: i64) -> Result<()> {
        let mut groups = Vec::new();
        for track in &mut self.tracks {
            // A slice is at most a few messages of a device; a recording may have more readings in it than usual.
            let most =
                usize::try_from(self.left).unwrap_or(usize::MAX).min(4 * self.packing.readings_per_message);
            let samples = track.take_until(until_ms, most)?;
            self.left -= samples.len() as u64;
            let (started, interval_ms) = track.take_started();
            if let Some(labels) = &mut self.labels {
                labels.add(&track.device_id, &started, interval_ms)?;
            }
            groups.push(self.packing.pack(&track.device_id, &samples)?);
        }
        self.delivery.deliver(groups).await
    }

    /// The earliest next sample, when it is not after `limit_ms`.
    fn first_ms(&self, limit_ms: i64) -> Option<i64> {
        self.tracks.iter().filter_map(Track::next_ms).min().filter(|next| *next <= limit_ms)
    }

    /// Length of a slice: one message of the device that sends most often, less where the pace is slow.
    fn span_ms(&self, speed: Speed) -> i64 {
        let interval_ms = self.tracks.iter().map(Track::interval_ms).min().unwrap_or(1);
        let per_message = i64::try_from(self.packing.readings_per_message).unwrap_or(1) - 1;
        let span_ms = interval_ms.saturating_mul(per_message);
        match speed {
            Speed::Max => span_ms,
            Speed::Times(times) => span_ms.min(scaled(duration_ms(PACED_SLICE), times)),
        }
    }

    fn progress(&self) -> (u64, u64) {
        let now = now_ms();
        self.tracks
            .iter()
            .map(|track| track.progress(now))
            .fold((0, 0), |(done, total), (more_done, more)| (done + more_done, total + more))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "whole milliseconds; saturates, which is meant")]
fn scaled(ms: i64, times: f64) -> i64 {
    (ms as f64 * times) as i64
}
