//! Makes a page of alerts out of the documents of their steps, which come newest opening first.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use wire::api::AlertView;
use wire::documents::AlertDocument;

use super::cursor::Cursor;
use super::{Page, Question, standing};
use crate::fleet::Fleet;
use crate::store::{ALL_TIMES, StoreError};

/// Alerts after which a page ends, however few were asked for among them.
const ENOUGH_ALERTS: usize = 4096;
/// Documents that alerts of one moment may have: thousands of devices that fail together.
const MOST_DOCUMENTS: usize = 100_000;

/// Steps of alerts on their way into a page.
pub(super) struct Gathering<'a> {
    question: &'a Question<'a>,
    fleet: &'a Fleet,
    /// Steps of one moment's alerts, by alert.
    moment: BTreeMap<String, Vec<AlertDocument>>,
    moment_at: i64,
    n_documents: usize,
    n_seen: usize,
    page: Page,
    is_too_much: bool,
}

impl<'a> Gathering<'a> {
    pub(super) fn new(question: &'a Question<'a>, fleet: &'a Fleet) -> Self {
        Self {
            question,
            fleet,
            moment: BTreeMap::new(),
            moment_at: ALL_TIMES.1,
            n_documents: 0,
            n_seen: 0,
            page: Page::default(),
            is_too_much: false,
        }
    }

    pub(super) fn take(&mut self, document: AlertDocument) -> ControlFlow<()> {
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

    pub(super) fn finish(mut self) -> Result<Page, StoreError> {
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
            let wanted = standing::of(steps, self.fleet).filter(|view| self.is_asked_for(view));
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
}
