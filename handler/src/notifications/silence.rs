//! Hubs that are silent as a whole, and partitions of hubs that go on.
//!
//! Enters: when each partition was heard, and the time. Leaves: who is silent, and what of that is news. No event says it,
//! so a clock must, and clocks jump: a hub counts as silent only when it is overdue by the clock *and* this process has
//! seen it stand still for a while by a clock that cannot jump. That a hub is back needs no clock: it was heard later.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use detector::Severity;
use wire::notifications::{AlertNews, NewsEvent, NewsGroup, Silent};

use crate::fleet::HeardPartition;

/// Time between looks where nothing is overdue.
const LOOK: Duration = Duration::from_secs(600);
/// How long a hub must stand still that this process has never seen to go on.
const FIRST_STILL: Duration = Duration::from_secs(30);

/// Now, by two clocks.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    /// Epoch milliseconds; may jump.
    pub now: i64,
    /// Cannot jump, and says nothing to another process.
    pub steady: Instant,
}

/// What a process knows of who is heard.
#[derive(Debug)]
pub struct Watch {
    /// The least silence that is told.
    silent_after: Duration,
    looked_at: Option<Instant>,
    hubs: BTreeMap<String, Hub>,
}

#[derive(Debug)]
struct Hub {
    /// When it was heard last, in epoch milliseconds by its own clock.
    heard_to: i64,
    /// How long it may be silent.
    wait: Duration,
    /// When it was first seen with this `heard_to`.
    still_since: Instant,
    /// Whether this process has seen it go on.
    has_moved: bool,
    /// When it began to be heard, or this process to listen.
    resumed_at: Instant,
    is_silent: bool,
    partitions: Vec<Partition>,
}

#[derive(Debug)]
struct Partition {
    name: String,
    heard_to: i64,
    is_silent: bool,
}

impl Watch {
    /// Tells of silences that last so long at least.
    #[must_use]
    pub fn new(silent_after: Duration) -> Self {
        Self { silent_after, looked_at: None, hubs: BTreeMap::new() }
    }

    /// Whether the fleet is to be read: every ten minutes, and when a hub is about to count as silent.
    #[must_use]
    pub fn needs_look(&self, clocks: Clocks) -> bool {
        let Some(looked_at) = self.looked_at else { return true };
        clocks.steady.saturating_duration_since(looked_at) >= LOOK
            || self.hubs.values().any(|hub| !hub.is_silent && hub.seems_silent(clocks))
    }

    /// Takes in what was just read.
    pub fn observe(&mut self, heard: &[HeardPartition], clocks: Clocks) {
        self.looked_at = Some(clocks.steady);
        let mut hubs: BTreeMap<&str, Vec<&HeardPartition>> = BTreeMap::new();
        for partition in heard {
            hubs.entry(&partition.hub).or_default().push(partition);
        }
        self.hubs.retain(|name, _| hubs.contains_key(name.as_str()));
        for (name, partitions) in hubs {
            let heard_to = partitions.iter().map(|partition| partition.heard_to).max().unwrap_or_default();
            let wait = partitions.iter().filter_map(|partition| partition.allowance).min();
            let wait = self.wait(wait);
            let hub = self.hubs.entry(name.to_owned()).or_insert_with(|| Hub {
                heard_to,
                wait,
                still_since: clocks.steady,
                has_moved: false,
                resumed_at: clocks.steady,
                is_silent: false,
                partitions: Vec::new(),
            });
            hub.wait = wait;
            if heard_to > hub.heard_to {
                if hub.is_silent || heard_to - hub.heard_to > millis(wait) {
                    hub.resumed_at = clocks.steady;
                }
                (hub.heard_to, hub.has_moved, hub.still_since) = (heard_to, true, clocks.steady);
            }
            hub.is_silent = hub.seems_silent(clocks);
            let resumed_for = clocks.steady.saturating_duration_since(hub.resumed_at);
            let silent_after = self.silent_after;
            hub.partitions = partitions
                .into_iter()
                .map(|partition| {
                    let wait = silent_after.max(partition.allowance.map_or(Duration::ZERO, duration));
                    // By the hub's own clock, once it has gone on without this one for as long.
                    let is_silent = partition.heard_to + millis(wait) < heard_to && resumed_for >= wait;
                    let (name, heard_to) = (partition.partition.clone(), partition.heard_to);
                    Partition { name, heard_to, is_silent }
                })
                .collect();
        }
    }

    fn wait(&self, allowance: Option<i64>) -> Duration {
        self.silent_after.max(allowance.map_or(Duration::ZERO, duration))
    }

    /// What is news to those who were told that these are silent, and who is silent to them from then on; `None` when
    /// nothing is.
    #[must_use]
    pub fn news(&self, told: &[Silent]) -> Option<(AlertNews, Vec<Silent>)> {
        let (mut groups, mut silent) = (Vec::new(), Vec::new());
        for known in told {
            let Some(heard_to) = self.heard_to(known) else { continue };
            if heard_to > known.since {
                groups.push(group(NewsEvent::Back, known, heard_to));
            } else {
                silent.push(known.clone());
            }
        }
        for (name, hub) in &self.hubs {
            let whole = Silent { hub: name.clone(), partition: None, since: hub.heard_to };
            let parts = hub.partitions.iter().filter(|partition| partition.is_silent && !hub.is_silent);
            let parts = parts.map(|partition| Silent {
                hub: name.clone(),
                partition: Some(partition.name.clone()),
                since: partition.heard_to,
            });
            for subject in Some(whole).filter(|_| hub.is_silent).into_iter().chain(parts) {
                let is_told =
                    told.iter().any(|known| known.is_same(&subject) && known.since >= subject.since);
                if !is_told {
                    groups.push(group(NewsEvent::Silent, &subject, subject.since));
                    silent.push(subject);
                }
            }
        }
        groups.sort_by_key(|group| (group.event, group.first_at));
        (!groups.is_empty()).then_some((AlertNews { groups }, silent))
    }

    /// When a subject was heard last; `None` when nothing is stored of it any more.
    fn heard_to(&self, subject: &Silent) -> Option<i64> {
        let hub = self.hubs.get(&subject.hub)?;
        match &subject.partition {
            None => Some(hub.heard_to),
            Some(name) => {
                let partition = hub.partitions.iter().find(|partition| partition.name == *name)?;
                Some(partition.heard_to)
            }
        }
    }
}

impl Hub {
    /// Overdue by the clock that may jump, and seen to stand still by the one that cannot: for longer than its devices
    /// usually pause, half of what they are allowed.
    fn seems_silent(&self, clocks: Clocks) -> bool {
        let still_for = clocks.steady.saturating_duration_since(self.still_since);
        let least = if self.has_moved { self.wait / 2 } else { FIRST_STILL };
        self.heard_to + millis(self.wait) <= clocks.now && still_for >= least
    }
}

fn group(event: NewsEvent, subject: &Silent, to: i64) -> NewsGroup {
    let devices = match &subject.partition {
        None => format!("hub {}", subject.hub),
        Some(partition) => format!("partition {partition} of hub {}", subject.hub),
    };
    NewsGroup {
        event,
        kind: detector::Kind::Silence.name().to_owned(),
        severity: Severity::Critical.name().to_owned(),
        devices,
        n_devices: 0,
        n_alerts: 0,
        first_at: subject.since,
        last_at: to,
        worst: Vec::new(),
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)
}

fn duration(milliseconds: i64) -> Duration {
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE_MS: i64 = 60_000;
    const START: i64 = 1_767_323_045_000;
    const WAIT: Duration = Duration::from_secs(15 * 60);

    /// A process that is called each minute, while the true time goes on and its clock is off.
    struct Played {
        watch: Watch,
        told: Vec<Silent>,
        origin: Instant,
        minute: u64,
        off_ms: i64,
        news: Vec<(u64, NewsEvent, String)>,
        n_looks: usize,
    }

    impl Played {
        fn new() -> Self {
            let (watch, origin) = (Watch::new(WAIT), Instant::now());
            Self { watch, told: vec![], origin, minute: 0, off_ms: 0, news: vec![], n_looks: 0 }
        }

        /// Partitions with the minute in which they were heard, and their allowance in minutes.
        fn minute(&mut self, heard: &[(&str, u64, Option<i64>)]) {
            self.minute += 1;
            let at = |minute: u64| START + i64::try_from(minute).unwrap() * MINUTE_MS;
            let steady = self.origin + Duration::from_secs(self.minute * 60);
            let clocks = Clocks { now: at(self.minute) + self.off_ms, steady };
            if self.watch.needs_look(clocks) {
                self.n_looks += 1;
                let heard: Vec<HeardPartition> = heard
                    .iter()
                    .map(|(partition, minute, allowance)| HeardPartition {
                        hub: "telemetry".to_owned(),
                        partition: (*partition).to_owned(),
                        heard_to: at(*minute),
                        allowance: allowance.map(|minutes| minutes * MINUTE_MS),
                        bucket: String::new(),
                    })
                    .collect();
                self.watch.observe(&heard, clocks);
            }
            if let Some((news, silent)) = self.watch.news(&self.told) {
                self.told = silent;
                let told = news.groups.into_iter().map(|group| (self.minute, group.event, group.devices));
                self.news.extend(told);
            }
        }

        fn events(&self) -> Vec<(NewsEvent, &str)> {
            self.news.iter().map(|(_, event, devices)| (*event, devices.as_str())).collect()
        }
    }

    #[test]
    fn a_silent_hub_is_told_once_and_once_when_it_is_back() {
        let mut played = Played::new();
        for _ in 0..5 {
            played.minute(&[]);
        }
        for _ in 0..40 {
            played.minute(&[("0", played.minute, None), ("1", played.minute, None)]);
        }
        let last = played.minute;
        for _ in 0..300 {
            played.minute(&[("0", last, None), ("1", last, None)]);
        }
        assert_eq!(played.events(), [(NewsEvent::Silent, "hub telemetry")]);
        let told_after = played.news[0].0 - last;
        assert!((15..=20).contains(&told_after), "after {told_after} minutes");
        for _ in 0..60 {
            // The other partition is a few minutes late, and nobody is told of that.
            let late = (played.minute - 345).saturating_sub(5) + 345;
            let other = if played.minute < 350 { last } else { late };
            played.minute(&[("0", played.minute, None), ("1", other, None)]);
        }
        assert_eq!(played.events()[1..], [(NewsEvent::Back, "hub telemetry")]);
        assert!(played.n_looks < 60, "{} looks in {} minutes", played.n_looks, played.minute);
    }

    #[test]
    fn a_partition_is_told_of_while_its_hub_goes_on() {
        let mut played = Played::new();
        for _ in 0..30 {
            played.minute(&[("0", played.minute, None), ("1", played.minute, Some(40))]);
        }
        for _ in 0..100 {
            played.minute(&[("0", played.minute, None), ("1", 30, Some(40))]);
        }
        assert_eq!(played.events(), [(NewsEvent::Silent, "partition 1 of hub telemetry")]);
        assert!(played.news[0].0 > 30 + 40, "{:?}", played.news);
        for _ in 0..30 {
            played.minute(&[("0", played.minute, None), ("1", played.minute, Some(40))]);
        }
        assert_eq!(played.events()[1..], [(NewsEvent::Back, "partition 1 of hub telemetry")]);
    }

    #[test]
    fn a_new_process_tells_of_a_silence_that_nobody_was_told_of() {
        let mut played = Played::new();
        played.minute = 500;
        for _ in 0..5 {
            played.minute(&[("0", 3, None)]);
        }
        assert_eq!(played.events(), [(NewsEvent::Silent, "hub telemetry")]);
        let mut another = Played { told: played.told, minute: 600, ..Played::new() };
        for _ in 0..50 {
            another.minute(&[("0", 3, None)]);
        }
        assert_eq!(another.events(), []);
    }

    #[test]
    fn devices_that_pause_for_long_make_a_patient_watch() {
        let mut played = Played::new();
        for _ in 0..600 {
            played.minute(&[("0", played.minute / 60 * 60, Some(180))]);
        }
        assert_eq!(played.events(), []);
    }

    proptest! {
        /// A hub whose devices pause for up to a third of what they are allowed, before a clock that does what it likes.
        #[test]
        fn a_hub_that_goes_on_is_not_called_silent_by_a_clock_that_jumps(
            pause in 1_u64..20,
            jumps in prop::collection::vec((1_u64..400, -3_000_i64..3_000), 0..6),
        ) {
            let mut played = Played::new();
            let allowance = i64::try_from(pause * 3).unwrap().max(15);
            for minute in 0..400 {
                if let Some((_, minutes)) = jumps.iter().find(|(at, _)| *at == minute && minute > 2 * pause + 20) {
                    played.off_ms += minutes * MINUTE_MS;
                }
                let heard = played.minute / pause * pause;
                played.minute(&[("0", heard, Some(allowance))]);
            }
            prop_assert_eq!(played.events(), vec![]);
        }
    }
}
