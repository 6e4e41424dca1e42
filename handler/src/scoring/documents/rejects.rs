//! Writes down what was no reading: rejects with their text, and skips.

use wire::documents::{REJECT_TEXT_BYTES, REJECTS, RejectEntry, RejectsDocument, SkipEntry};
use wire::invocation::looks_like_date;
use wire::telemetry::Reject;

use super::super::ScoreError;
use super::super::decide::{Decided, Outcome};
use super::super::state::State;
use super::super::tail::Entry;
use super::Answer;
use super::cutting::cut;

/// Bytes that a reject takes beside its text.
const REJECT_BYTES: usize = 512;
/// Bytes that one byte of text may become in JSON.
const ESCAPED_BYTES: usize = 6;

/// A part of an event that is no stored reading; the event's text is kept once, with its first reject.
struct LeftOut<'a> {
    part: &'a Decided,
    carries_text: bool,
}

impl Answer<'_> {
    pub(super) fn write_rejects(&mut self, state: &State) -> Result<(), ScoreError> {
        let mut left_out: Vec<LeftOut<'_>> = Vec::new();
        let mut text_of = None;
        let is_new = |part: &&Decided| {
            !matches!(part.outcome, Outcome::Reading(..) | Outcome::StoredReading(..) | Outcome::Stored)
        };
        for part in self.source.decided.iter().filter(is_new) {
            let is_reject = matches!(part.outcome, Outcome::Reject(_));
            let carries_text = is_reject && text_of != Some(part.event);
            if carries_text {
                text_of = Some(part.event);
            }
            left_out.push(LeftOut { part, carries_text });
        }
        let stretch = self.stretch(None);
        let n_anew = left_out.partition_point(|left_out| self.sequence(left_out) < stretch.start);
        let (anew, new) = left_out.split_at(n_anew);
        for of_event in anew.chunk_by(|left, right| left.part.event == right.part.event) {
            self.write_anew(of_event, state)?;
        }
        if new.is_empty() {
            return Ok(());
        }
        let sizes = new.iter().map(|left_out| {
            let text =
                if left_out.carries_text { self.text(left_out.part).len().min(REJECT_TEXT_BYTES) } else { 0 };
            (self.sequence(left_out), REJECT_BYTES + ESCAPED_BYTES * text)
        });
        for (range, stretch) in cut(sizes, stretch) {
            let header = self.header(REJECTS, None, &stretch);
            let mut document = RejectsDocument { header, rejects: Vec::new(), skips: Vec::new() };
            for left_out in &new[range] {
                self.add(left_out, state, &mut document);
            }
            self.push(&document.header, &document)?;
        }
        Ok(())
    }

    /// Writes what is left out of an event for which stored documents speak already, and do not know this: the document
    /// counts in place of theirs, so it speaks for this event alone and repeats what they say of it.
    fn write_anew(&mut self, of_event: &[LeftOut<'_>], state: &State) -> Result<(), ScoreError> {
        let Some(sequence) = of_event.first().map(|left_out| self.sequence(left_out)) else { return Ok(()) };
        let header = self.header(REJECTS, None, &(sequence..sequence.saturating_add(1)));
        let mut document = RejectsDocument { header, rejects: Vec::new(), skips: Vec::new() };
        for entry in self.source.tail.left_out_of(sequence) {
            match entry {
                Entry::Reject(entry) => document.rejects.push(entry.clone().into_owned()),
                Entry::Skip(entry) => document.skips.push(entry.clone().into_owned()),
            }
        }
        let has_text = !document.rejects.is_empty();
        for left_out in of_event {
            let carries_text = left_out.carries_text && !has_text;
            self.add(&LeftOut { carries_text, ..*left_out }, state, &mut document);
        }
        self.push(&document.header, &document)
    }

    fn add(&self, LeftOut { part, carries_text }: &LeftOut<'_>, state: &State, to: &mut RejectsDocument) {
        match &part.outcome {
            Outcome::Reading(..) | Outcome::StoredReading(..) | Outcome::Stored => {}
            Outcome::Reject(reject) => to.rejects.push(self.reject_entry(part, reject, *carries_text)),
            Outcome::Duplicate(slot) => {
                let device_id = Some(&*state.entry(*slot).id);
                to.skips.push(self.skip_entry(part, "duplicate", device_id));
            }
            Outcome::NotTelemetry => to.skips.push(self.skip_entry(part, "not-telemetry", None)),
        }
    }

    fn sequence(&self, left_out: &LeftOut<'_>) -> i64 {
        self.source.batch.sequence(left_out.part.event)
    }

    fn text(&self, part: &Decided) -> &str {
        &self.source.batch.events()[part.event].text
    }

    fn reject_entry(&self, part: &Decided, reject: &Reject, carries_text: bool) -> RejectEntry {
        let event = &self.source.batch.events()[part.event];
        let text = if carries_text { self.text(part) } else { "" };
        let kept = &text[..text.floor_char_boundary(REJECT_TEXT_BYTES)];
        RejectEntry {
            sequence: self.source.batch.sequence(part.event),
            index: part.index,
            count: part.count,
            reason: reject.reason().to_owned(),
            detail: reject.to_string(),
            device_id: event.device_id.as_deref().filter(|id| !looks_like_date(id)).map(str::to_owned),
            enqueued_at: event.enqueued_ms,
            text: pieces(kept),
            cut: kept.len() < text.len(),
        }
    }

    fn skip_entry(&self, part: &Decided, reason: &str, device_id: Option<&str>) -> SkipEntry {
        SkipEntry {
            sequence: self.source.batch.sequence(part.event),
            index: part.index,
            count: part.count,
            reason: reason.to_owned(),
            device_id: device_id.map(str::to_owned),
        }
    }
}

/// Cuts text in two where the host would take the whole for a date and rewrite it.
fn pieces(text: &str) -> Vec<String> {
    if looks_like_date(text) {
        let (head, tail) = text.split_at(5);
        return vec![head.to_owned(), tail.to_owned()];
    }
    vec![text.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_cut_so_that_the_host_leaves_it_alone() {
        for text in ["2024-01-01T00:00:00Z", "/Date(1)/", "anything", ""] {
            let pieces = pieces(text);
            assert_eq!(pieces.concat(), text);
            assert!(pieces.iter().all(|piece| !looks_like_date(piece)));
        }
    }
}
