//! Alerts as people see them: open ones beside their devices, and all of them newest first, a page at a time.
//!
//! A document says what a step of an alert was when it was decided. Whether the alert goes on is what its device's row
//! says: an alert that a later row does not know was decided by rules that another owner overruled, or its device is
//! forgotten.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use detector::{Channel, Kind, Severity, Step};
use wire::api::{AlertState, AlertView, DeviceView, OpenAlertView};
use wire::documents::{AlertDocument, DeviceRow, OpenAlert, alert_id};

use crate::fleet::Fleet;
use crate::store::{Store, StoreError};

/// Alerts after which a page ends, however few were asked for among them.
const ENOUGH_ALERTS: usize = 4096;
/// Documents that alerts of one moment may have: thousands of devices that fail together.
const MOST_DOCUMENTS: usize = 100_000;
/// Earliest and latest time that a document can state: JSON's exact integers.
const ALL_TIMES: (i64, i64) = (-(1 << 53), 1 << 53);

/// A device with its open alert.
#[must_use]
pub fn device_view(bucket: &str, device_id: &str, row: &DeviceRow) -> DeviceView {
    DeviceView::new(device_id, row, row.alert.map(|alert| open_view(bucket, &alert)))
}

fn open_view(bucket: &str, alert: &OpenAlert) -> OpenAlertView {
    let channel = u8::try_from(alert.channel).ok().and_then(Channel::of_code);
    let kind = channel.map_or(Kind::Other, Channel::kind).name();
    let severity = if alert.is_critical { Severity::Critical } else { Severity::Warning };
    OpenAlertView {
        alert_id: alert_id(bucket, alert.sequence, alert.index, kind),
        kind: kind.to_owned(),
        severity: severity.name().to_owned(),
        opened_at: alert.opened_at,
    }
}

/// Which alerts are asked for.
#[derive(Debug, Clone, Default)]
pub struct Question<'a> {
    /// Only in this state.
    pub state: Option<AlertState>,
    /// Only of this device.
    pub device_id: Option<&'a str>,
    /// Only of this kind.
    pub kind: Option<&'a str>,
    /// Only of this severity.
    pub severity: Option<&'a str>,
    /// Only opened at this time or later, in epoch milliseconds.
    pub from: Option<i64>,
    /// Only opened at this time or earlier, in epoch milliseconds.
    pub to: Option<i64>,
    /// Only after where the earlier page ended.
    pub after: Option<Cursor>,
    /// Most alerts in the page.
    pub limit: usize,
}

/// A page of alerts, newest first.
#[derive(Debug, Default)]
pub struct Page {
    /// The alerts; fewer than the limit where many were looked at and few are asked for.
    pub alerts: Vec<AlertView>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

/// Where a page ended: the time of an opening in epoch milliseconds, and the alert, of which later ones follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    opened_at: i64,
    alert_id: String,
}

/// Reads a page.
///
/// # Errors
///
/// [`StoreError`] when the store cannot be read.
pub async fn read(store: &Store, fleet: &Fleet, question: &Question<'_>) -> Result<Page, StoreError> {
    let from = question.from.unwrap_or(ALL_TIMES.0);
    let after = question.after.as_ref().map(|after| after.opened_at);
    let to = question.to.into_iter().chain(after).min().unwrap_or(ALL_TIMES.1);
    let mut gathering = Gathering::new(question, fleet);
    store.alerts_newest_first(from, to, question.device_id, |document| gathering.take(document)).await?;
    gathering.finish()
}

/// Steps of alerts on their way into a page.
struct Gathering<'a> {
    question: &'a Question<'a>,
    open: HashMap<&'a str, &'a DeviceView>,
    /// Steps of one moment's alerts, by alert.
    moment: BTreeMap<String, Vec<AlertDocument>>,
    moment_at: i64,
    n_documents: usize,
    n_seen: usize,
    page: Page,
    is_too_much: bool,
}

impl<'a> Gathering<'a> {
    fn new(question: &'a Question<'a>, fleet: &'a Fleet) -> Self {
        let open = fleet.devices.iter().map(|device| (device.device_id.as_str(), device)).collect();
        Self {
            question,
            open,
            moment: BTreeMap::new(),
            moment_at: ALL_TIMES.1,
            n_documents: 0,
            n_seen: 0,
            page: Page::default(),
            is_too_much: false,
        }
    }

    fn take(&mut self, document: AlertDocument) -> ControlFlow<()> {
        if document.opened_at != self.moment_at {
            self.settle();
            if self.page.next.is_some() {
                return ControlFlow::Break(());
            }
            (self.moment_at, self.n_documents) = (document.opened_at, 0);
        }
        self.n_documents += 1;
        if self.n_documents > MOST_DOCUMENTS {
            self.is_too_much = true;
            return ControlFlow::Break(());
        }
        self.moment.entry(document.alert_id.clone()).or_default().push(document);
        ControlFlow::Continue(())
    }

    fn finish(mut self) -> Result<Page, StoreError> {
        if self.is_too_much {
            let asked = "alerts opened in one moment".to_owned();
            return Err(StoreError::TooMuch { asked, limit: MOST_DOCUMENTS });
        }
        self.settle();
        Ok(self.page)
    }

    /// Every step of the moment's alerts was seen.
    fn settle(&mut self) {
        for (alert_id, steps) in std::mem::take(&mut self.moment) {
            let cursor = Cursor { opened_at: self.moment_at, alert_id };
            if self.page.next.is_some()
                || !self.question.after.as_ref().is_none_or(|after| cursor.is_behind(after))
            {
                continue;
            }
            self.n_seen += 1;
            let wanted = self.view(steps).filter(|view| self.is_asked_for(view));
            if wanted.is_some() && self.page.alerts.len() == self.question.limit {
                self.page.next = self.page.alerts.last().map(Cursor::at);
                continue;
            }
            self.page.alerts.extend(wanted);
            if self.n_seen == ENOUGH_ALERTS {
                self.page.next = Some(cursor);
            }
        }
    }

    fn is_asked_for(&self, view: &AlertView) -> bool {
        let Question { state, kind, severity, .. } = self.question;
        state.is_none_or(|state| view.state == state)
            && kind.is_none_or(|kind| view.kind == kind)
            && severity.is_none_or(|severity| view.severity == severity)
    }

    /// An alert after its newest step; `None` without its opening, which may be deleted by age.
    fn view(&self, steps: Vec<AlertDocument>) -> Option<AlertView> {
        let find = |step: Step| steps.iter().find(|document| document.step == step.name());
        let newest = find(Step::Closed).or_else(|| find(Step::Escalated)).or_else(|| find(Step::Opened))?;
        let (newest_at, peak_score) = (newest.at, newest.peak_score);
        let severity = newest.severity.clone();
        let closed_at = find(Step::Closed).filter(|closed| !self.is_denied(closed)).map(|closed| closed.at);
        let opened = steps.into_iter().find(|document| document.step == Step::Opened.name())?;
        let is_open = closed_at.is_none() && self.goes_on(&opened, newest_at);
        Some(AlertView {
            alert_id: opened.alert_id,
            state: if is_open { AlertState::Open } else { AlertState::Closed },
            device_id: opened.device_id,
            kind: opened.kind,
            channel: opened.channel,
            severity,
            learning: opened.learning,
            began_at: opened.began_at,
            opened_at: opened.opened_at,
            closed_at,
            temperature: opened.temperature,
            expected: opened.expected,
            peak_score,
            readings: opened.readings,
        })
    }

    /// Whether a closing was decided by rules that were overruled: a row that is as new knows the alert as open.
    fn is_denied(&self, closed: &AlertDocument) -> bool {
        let device = self.open.get(closed.device_id.as_str());
        device.is_some_and(|device| device.timestamp >= closed.at && knows(device, &closed.alert_id))
    }

    /// Whether the device's row knows the alert, or is older than it.
    fn goes_on(&self, opened: &AlertDocument, newest_at: i64) -> bool {
        let Some(device) = self.open.get(opened.device_id.as_str()) else { return false };
        knows(device, &opened.alert_id) || device.timestamp < newest_at
    }
}

fn knows(device: &DeviceView, alert_id: &str) -> bool {
    device.alert.as_ref().is_some_and(|alert| alert.alert_id == alert_id)
}

impl Cursor {
    fn at(view: &AlertView) -> Self {
        Self { opened_at: view.opened_at, alert_id: view.alert_id.clone() }
    }

    /// Whether it comes after another in the list.
    fn is_behind(&self, earlier: &Self) -> bool {
        self.opened_at < earlier.opened_at
            || (self.opened_at == earlier.opened_at && self.alert_id > earlier.alert_id)
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}~{}", self.opened_at, self.alert_id)
    }
}

impl std::str::FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (opened_at, alert_id) = text.split_once('~').ok_or(())?;
        Ok(Self { opened_at: opened_at.parse().map_err(|_| ())?, alert_id: alert_id.to_owned() })
    }
}
