//! Alerts: episodes of a device, opened by an anomaly and closed by calm.
//!
//! Scores at event times enter, openings and closings leave; it refuses to know how scores come about.
//! Persistence is the channels' matter: all but those for single readings judge means, and whether a single reading
//! is rare enough is what their boundaries say.

use crate::channel::{Channel, Kind};
use crate::codec::{Source, StateError, put_f64, put_signed};
use crate::score::Verdict;

/// Milliseconds without an anomaly after which an alert closes.
const CALM_MS: i64 = 4 * HOUR_MS;
/// Milliseconds after an opening in which no other alert is opened.
const COOL_DOWN_MS: i64 = 8 * HOUR_MS;
/// Milliseconds in an hour.
const HOUR_MS: i64 = 3_600_000;

/// An alert that is open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alert {
    /// What noticed it; `None` under the original rule.
    pub channel: Option<Channel>,
    /// When it was opened, in epoch milliseconds: for silence, the moment at which the device became silent.
    pub opened_ms: i64,
    /// The greatest score since.
    pub peak_score: f64,
}

impl Alert {
    /// What sort of fault it looked like when it was opened.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.channel.map_or(Kind::Other, Channel::kind)
    }
}

/// What a reading does to the alert of its device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// It opens this one.
    Opened(Alert),
    /// It closes this one.
    Closed(Alert),
}

/// A judged reading, as far as alerts are concerned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// The reading's time in epoch milliseconds: newer than all before it.
    pub at_ms: i64,
    /// When the device became silent before it, in epoch milliseconds.
    pub silent_ms: Option<i64>,
    /// The reading's score.
    pub score: f64,
    /// What an anomaly was noticed by.
    pub channel: Option<Channel>,
}

/// A device's episode: the alert that is open, or how near it is to one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Episode {
    open: Option<Alert>,
    last_anomaly_ms: Option<i64>,
    last_opened_ms: Option<i64>,
}

impl Episode {
    /// The open alert.
    #[must_use]
    pub fn open(&self) -> Option<Alert> {
        self.open
    }

    /// When the newest anomaly was, in epoch milliseconds.
    #[must_use]
    pub fn last_anomaly_ms(&self) -> Option<i64> {
        self.last_anomaly_ms
    }

    /// Takes in a reading, and returns what it does.
    pub fn step(&mut self, moment: Moment) -> Option<Step> {
        let Moment { at_ms, score, channel, .. } = moment;
        let since = |earlier_ms: Option<i64>| earlier_ms.map(|earlier_ms| at_ms.saturating_sub(earlier_ms));
        let is_anomaly = Verdict::of(score) == Verdict::Anomaly;
        let is_calm = since(self.last_anomaly_ms).is_none_or(|passed| passed >= CALM_MS);
        let is_cool = since(self.last_opened_ms).is_none_or(|passed| passed >= COOL_DOWN_MS);
        if is_anomaly {
            self.last_anomaly_ms = Some(at_ms);
        }
        if let Some(mut alert) = self.open.take() {
            alert.peak_score = alert.peak_score.max(score);
            if is_anomaly || !is_calm {
                self.open = Some(alert);
                return None;
            }
            return Some(Step::Closed(alert));
        }
        // What began in the cool-down and lasts is an alert of its own when that ends.
        if !is_anomaly || !is_cool {
            return None;
        }
        let began_ms = moment.silent_ms.filter(|_| channel == Some(Channel::Silence));
        let alert = Alert { channel, opened_ms: began_ms.unwrap_or(at_ms), peak_score: score };
        (self.open, self.last_opened_ms) = (Some(alert), Some(at_ms));
        Some(Step::Opened(alert))
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for time in [self.last_anomaly_ms, self.last_opened_ms] {
            out.push(u8::from(time.is_some()));
            put_signed(out, time.unwrap_or_default());
        }
        out.push(u8::from(self.open.is_some()));
        if let Some(alert) = &self.open {
            out.push(alert.channel.map_or(0, Channel::code));
            put_signed(out, alert.opened_ms);
            put_f64(out, alert.peak_score);
        }
    }

    pub(crate) fn decode(source: &mut Source<'_>) -> Result<Self, StateError> {
        let mut time = || {
            let is_there = source.byte()? != 0;
            let ms = source.signed()?;
            Ok(is_there.then_some(ms))
        };
        let (last_anomaly_ms, last_opened_ms) = (time()?, time()?);
        let open = match source.byte()? {
            0 => None,
            _ => Some(Alert {
                channel: Channel::of_code(source.byte()?),
                opened_ms: source.signed()?,
                peak_score: source.finite("peak score")?,
            }),
        };
        Ok(Self { open, last_anomaly_ms, last_opened_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(episode: &mut Episode, hour: i64, score: f64) -> Option<&'static str> {
        let channel = (score > 1.0).then_some(Channel::Level);
        let moment = Moment { at_ms: hour * HOUR_MS, silent_ms: None, score, channel };
        episode.step(moment).map(|step| match step {
            Step::Opened(_) => "opened",
            Step::Closed(_) => "closed",
        })
    }

    fn play(scores: &[(i64, f64)]) -> Vec<(i64, &'static str)> {
        let mut episode = Episode::default();
        scores.iter().filter_map(|(hour, score)| Some((*hour, step(&mut episode, *hour, *score)?))).collect()
    }

    #[test]
    fn an_alert_opens_at_once_and_closes_after_calm() {
        assert_eq!(
            play(&[(0, 0.5), (1, 2.0), (2, 0.5), (4, 0.5), (5, 0.5), (6, 0.5)]),
            [(1, "opened"), (5, "closed")]
        );
    }

    #[test]
    fn flapping_does_not_reopen() {
        let flapping: Vec<(i64, f64)> =
            (0..40).map(|hour| (hour, if hour % 3 == 0 { 2.0 } else { 0.1 })).collect();
        assert_eq!(play(&flapping), [(0, "opened")]);
        assert_eq!(
            play(&[(0, 2.0), (4, 0.1), (6, 2.0), (7, 2.0), (12, 0.1)]),
            [(0, "opened"), (4, "closed")]
        );
    }

    #[test]
    fn what_begins_in_the_cool_down_and_lasts_is_an_alert_when_that_ends() {
        let mut scores = vec![(0, 2.0), (4, 0.1)];
        scores.extend((5..10).map(|hour| (hour, 2.0)));
        assert_eq!(play(&scores), [(0, "opened"), (4, "closed"), (8, "opened")]);
    }

    #[test]
    fn the_peak_is_the_greatest_score() {
        let mut episode = Episode::default();
        for (hour, score) in [(0, 1.5), (1, 3.0), (2, 2.0)] {
            step(&mut episode, hour, score);
        }
        assert_eq!(episode.open().map(|alert| alert.peak_score), Some(3.0));
    }

    #[test]
    fn an_alert_of_silence_begins_when_the_device_fell_silent() {
        let mut episode = Episode::default();
        let channel = Some(Channel::Silence);
        let step = episode.step(Moment { at_ms: 100, silent_ms: Some(40), score: 2.0, channel });
        assert!(
            matches!(step, Some(Step::Opened(alert)) if alert.opened_ms == 40 && alert.kind() == Kind::Silence)
        );
    }
}
