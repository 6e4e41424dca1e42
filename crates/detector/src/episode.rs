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

/// Score from which an alert is critical: three times as far from the usual as the boundary.
const CRITICAL_SCORE: f64 = 3.0;

/// How much an alert matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Beyond the boundary.
    Warning,
    /// Far beyond it.
    Critical,
}

impl Severity {
    /// That of an anomaly with a score.
    #[must_use]
    pub fn of(score: f64) -> Self {
        if score >= CRITICAL_SCORE { Self::Critical } else { Self::Warning }
    }

    /// Its name in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// An episode of a device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alert {
    /// What noticed it; `None` under the original rule.
    pub channel: Option<Channel>,
    /// When it began, in epoch milliseconds: for silence, the moment at which the device became silent.
    pub began_ms: i64,
    /// The greatest score so far.
    pub peak_score: f64,
    /// How much it matters; never less than before.
    pub severity: Severity,
}

impl Alert {
    /// What sort of fault it looked like when it was opened.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.channel.map_or(Kind::Other, Channel::kind)
    }
}

/// What a reading does to the alert of its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It opens one.
    Opened,
    /// It makes it critical.
    Escalated,
    /// It closes it.
    Closed,
}

impl Step {
    const ALL: [Self; 3] = [Self::Opened, Self::Escalated, Self::Closed];

    /// Its code in stored documents, 1 to 3; 0 is for none.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Opened => 1,
            Self::Escalated => 2,
            Self::Closed => 3,
        }
    }

    /// The step of a code; `None` for 0 and for codes that nothing has.
    #[must_use]
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.code() == code)
    }

    /// Its name in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Escalated => "escalated",
            Self::Closed => "closed",
        }
    }
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

impl Moment {
    fn is_anomaly(&self) -> bool {
        Verdict::of(self.score) == Verdict::Anomaly
    }

    fn breaks_limit(&self) -> bool {
        self.channel == Some(Channel::Limit)
    }

    /// Whether so much time has passed since something, if there was anything.
    fn is_past(&self, earlier_ms: Option<i64>, ms: i64) -> bool {
        earlier_ms.is_none_or(|earlier_ms| self.at_ms.saturating_sub(earlier_ms) >= ms)
    }
}

fn is_of_limit(alert: &Alert) -> bool {
    alert.channel == Some(Channel::Limit)
}

/// A device's episode: the newest alert, and how near it is to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Episode {
    newest: Option<Alert>,
    is_open: bool,
    last_anomaly_ms: Option<i64>,
    last_opened_ms: Option<i64>,
}

impl Episode {
    /// The open alert.
    #[must_use]
    pub fn open(&self) -> Option<Alert> {
        self.newest.filter(|_| self.is_open)
    }

    /// The newest alert, open or closed.
    #[must_use]
    pub fn newest(&self) -> Option<Alert> {
        self.newest
    }

    /// When the newest anomaly was, in epoch milliseconds.
    #[must_use]
    pub fn last_anomaly_ms(&self) -> Option<i64> {
        self.last_anomaly_ms
    }

    /// What a reading does.
    #[must_use]
    pub fn decide(&self, moment: Moment) -> Option<Step> {
        let is_anomaly = moment.is_anomaly();
        match self.open() {
            // What a person has asked for takes the place of an alert of another kind.
            Some(alert) if moment.breaks_limit() && !is_of_limit(&alert) => Some(Step::Opened),
            Some(_) if !is_anomaly && moment.is_past(self.last_anomaly_ms, CALM_MS) => Some(Step::Closed),
            Some(alert) => (Severity::of(moment.score) > alert.severity).then_some(Step::Escalated),
            // What began in the cool-down and lasts is an alert of its own when that ends.
            None => (is_anomaly && self.is_cool(moment)).then_some(Step::Opened),
        }
    }

    /// Whether another alert may be opened. A broken limit does not wait: its minutes are set by a person.
    fn is_cool(&self, moment: Moment) -> bool {
        moment.breaks_limit() || moment.is_past(self.last_opened_ms, COOL_DOWN_MS)
    }

    /// Takes in a reading and what was decided on it.
    pub fn enter(&mut self, moment: Moment, step: Option<Step>) {
        let Moment { at_ms, score, channel, .. } = moment;
        if moment.is_anomaly() {
            self.last_anomaly_ms = Some(at_ms);
        }
        if step == Some(Step::Opened) {
            let silent_ms = moment.silent_ms.filter(|_| channel == Some(Channel::Silence));
            let (began_ms, severity) = (silent_ms.unwrap_or(at_ms), Severity::of(score));
            self.newest = Some(Alert { channel, began_ms, peak_score: score, severity });
            (self.is_open, self.last_opened_ms) = (true, Some(at_ms));
            return;
        }
        if let Some(alert) = self.newest.as_mut().filter(|_| self.is_open) {
            alert.peak_score = alert.peak_score.max(score);
            if step == Some(Step::Escalated) {
                alert.severity = Severity::Critical;
            }
        }
        self.is_open &= step != Some(Step::Closed);
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for time in [self.last_anomaly_ms, self.last_opened_ms] {
            out.push(u8::from(time.is_some()));
            put_signed(out, time.unwrap_or_default());
        }
        let bit = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        let is_critical = self.newest.is_some_and(|alert| alert.severity == Severity::Critical);
        out.push(
            bit(self.newest.is_some(), present::ALERT)
                | bit(self.is_open, present::OPEN)
                | bit(is_critical, present::CRITICAL),
        );
        if let Some(alert) = &self.newest {
            out.push(alert.channel.map_or(0, Channel::code));
            put_signed(out, alert.began_ms);
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
        let held = source.byte()?;
        let newest = match held & present::ALERT {
            0 => None,
            _ => Some(Alert {
                channel: Channel::of_code(source.byte()?),
                began_ms: source.signed()?,
                peak_score: source.finite("peak score")?,
                severity: if held & present::CRITICAL == 0 { Severity::Warning } else { Severity::Critical },
            }),
        };
        let is_open = newest.is_some() && held & present::OPEN != 0;
        Ok(Self { newest, is_open, last_anomaly_ms, last_opened_ms })
    }
}

/// Bits that say what is held of an alert.
mod present {
    pub(super) const ALERT: u8 = 1;
    pub(super) const OPEN: u8 = 2;
    pub(super) const CRITICAL: u8 = 4;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(episode: &mut Episode, moment: Moment) -> Option<Step> {
        let step = episode.decide(moment);
        episode.enter(moment, step);
        step
    }

    fn step(episode: &mut Episode, hour: i64, score: f64) -> Option<&'static str> {
        let channel = (score > 1.0).then_some(Channel::Level);
        let moment = Moment { at_ms: hour * HOUR_MS, silent_ms: None, score, channel };
        enter(episode, moment).map(Step::name)
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
        for (hour, score) in [(0, 1.5), (1, 2.5), (2, 2.0)] {
            step(&mut episode, hour, score);
        }
        assert_eq!(episode.open().map(|alert| alert.peak_score), Some(2.5));
    }

    #[test]
    fn an_alert_of_silence_begins_when_the_device_fell_silent() {
        let mut episode = Episode::default();
        let channel = Some(Channel::Silence);
        enter(&mut episode, Moment { at_ms: 100, silent_ms: Some(40), score: 2.0, channel });
        assert_eq!(episode.open().map(|alert| (alert.began_ms, alert.kind())), Some((40, Kind::Silence)));
    }

    #[test]
    fn a_broken_limit_takes_the_place_of_another_alert_and_needs_no_cool_down() {
        let mut episode = Episode::default();
        let mut at = |hour: i64, score: f64, channel: Option<Channel>| {
            let step = enter(&mut episode, Moment { at_ms: hour * HOUR_MS, silent_ms: None, score, channel });
            (step, episode.open().map(|alert| alert.kind()))
        };
        let limit = Some(Channel::Limit);
        assert_eq!(at(0, 2.0, Some(Channel::Range)), (Some(Step::Opened), Some(Kind::Range)));
        assert_eq!(at(1, 3.0, limit), (Some(Step::Opened), Some(Kind::Limit)));
        assert_eq!(at(2, 3.0, limit), (None, Some(Kind::Limit)));
        assert_eq!(at(6, 0.1, None), (Some(Step::Closed), None));
        assert_eq!(at(7, 3.0, limit), (Some(Step::Opened), Some(Kind::Limit)));
    }

    #[test]
    fn an_alert_becomes_critical_once_and_stays_so() {
        assert_eq!(
            play(&[(0, 1.5), (1, 3.0), (2, 9.0), (3, 1.2), (4, 3.5), (9, 0.1)]),
            [(0, "opened"), (1, "escalated"), (9, "closed")]
        );
        assert_eq!(play(&[(0, 9.0), (1, 10.0), (6, 0.0)]), [(0, "opened"), (6, "closed")]);
    }

    #[test]
    fn a_step_code_comes_back() {
        for step in Step::ALL {
            assert_eq!(Step::of_code(step.code()), Some(step));
        }
        assert_eq!((Step::of_code(0), Step::of_code(4)), (None, None));
    }
}
