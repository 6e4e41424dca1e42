//! Pages put together from documents, without a store.

use super::gather::Gathering;
use super::*;
use wire::documents::{RejectEntry, RejectsDocument};

fn header(bucket: &str, first: i64, last: i64, enqueued_to: i64) -> Header {
    let partition = if bucket == "manual" { "" } else { "0" };
    serde_json::from_value(serde_json::json!({
        "id": format!("rejects-{first}-{last}"), "type": "rejects", "bucket": bucket, "hub": "telemetry",
        "partition": partition, "epoch": 0, "term": 0, "writer": "w", "version": 1, "firstSequence": first,
        "lastSequence": last, "enqueuedTo": enqueued_to, "ttl": 1
    }))
    .unwrap()
}

fn entry(sequence: i64, index: u32, enqueued_at: i64, text: &[&str]) -> RejectEntry {
    RejectEntry {
        sequence,
        index,
        count: 1,
        reason: if index == 0 { "malformed" } else { "not-an-object" }.to_owned(),
        detail: "malformed: expected value".to_owned(),
        device_id: Some(format!("d{}", sequence % 2)),
        enqueued_at: Some(enqueued_at),
        text: text.iter().map(|piece| (*piece).to_owned()).collect(),
        cut: false,
    }
}

fn document(bucket: &str, enqueued_to: i64, rejects: Vec<RejectEntry>) -> RejectsDocument {
    let (first, last) = (rejects[0].sequence, rejects[rejects.len() - 1].sequence);
    RejectsDocument { header: header(bucket, first, last, enqueued_to), rejects, skips: vec![] }
}

/// Documents of two partitions, newest first: one of partition `b` spans the three of `a`.
fn documents() -> Vec<RejectsDocument> {
    vec![
        document("b", 90, vec![entry(1, 0, 10, &["b1"]), entry(2, 0, 50, &["b2"]), entry(3, 0, 90, &["b3"])]),
        document("a", 80, vec![entry(7, 0, 70, &["a7"]), entry(8, 0, 80, &["a8"])]),
        document("a", 60, vec![entry(6, 0, 60, &["2026-", "01-02"]), entry(6, 1, 60, &[""])]),
        document("a", 40, vec![entry(4, 0, 30, &["a4"]), entry(5, 0, 40, &["a5"])]),
    ]
}

/// A page and its cursor.
fn page(documents: Vec<RejectsDocument>, question: &Question<'_>) -> (Vec<RejectView>, Option<Cursor>) {
    let mut gathering = Gathering::new(question);
    for document in documents {
        if gathering.take(document).is_break() {
            break;
        }
    }
    let found = gathering.finish().unwrap();
    let copies = found.places.into_iter().flat_map(|(_, copies)| copies);
    (copies.map(|copy| copy.view).collect(), found.next)
}

/// Texts of a page, and its cursor.
fn texts(documents: Vec<RejectsDocument>, question: &Question<'_>) -> (Vec<String>, Option<Cursor>) {
    let (rejects, next) = page(documents, question);
    (rejects.into_iter().map(|reject| reject.text.unwrap_or_else(|| "-".to_owned())).collect(), next)
}

#[test]
fn rejects_of_all_partitions_are_newest_first_and_texts_are_whole() {
    let (texts, next) = texts(documents(), &Question { limit: 100, ..Question::default() });
    assert_eq!(texts, ["b3", "a8", "a7", "2026-01-02", "-", "b2", "a5", "a4", "b1"]);
    assert_eq!(next, None);
}

#[test]
fn pages_of_any_size_hold_everything_once() {
    let (all, _) = page(documents(), &Question { limit: 100, ..Question::default() });
    for limit in 1..=all.len() {
        let mut rejects = Vec::new();
        let mut after = None;
        loop {
            let (more, next) = page(documents(), &Question { limit, after, ..Question::default() });
            assert!(more.len() <= limit && (!more.is_empty() || next.is_none()), "{limit}");
            assert!(more.first().is_none_or(|first| first.text.is_some()), "every page shows its first text");
            rejects.extend(more);
            match next {
                // The cursor goes through a caller's hands.
                Some(next) => after = next.to_string().parse().ok(),
                None => break,
            }
        }
        let positions = |rejects: &[RejectView]| -> Vec<_> {
            rejects.iter().map(|reject| (reject.enqueued_at, reject.sequence, reject.index)).collect()
        };
        assert_eq!(positions(&rejects), positions(&all), "{limit}");
    }
}

#[test]
fn only_what_is_asked_for() {
    let all = Question { limit: 100, ..Question::default() };
    for (question, expected) in [
        (Question { device_id: Some("d1"), ..all.clone() }, &["b3", "a7", "a5", "b1"][..]),
        // The text goes with the first reject that is shown.
        (Question { reason: Some("not-an-object"), ..all.clone() }, &["2026-01-02"]),
        (Question { from: Some(60), to: Some(80), ..all.clone() }, &["a8", "a7", "2026-01-02", "-"]),
        (Question { device_id: Some("nobody"), ..all }, &[]),
    ] {
        assert_eq!(texts(documents(), &question), (expected.iter().map(ToString::to_string).collect(), None));
    }
}

#[test]
fn a_page_ends_where_documents_are_many_and_the_next_one_goes_on() {
    let many: Vec<_> = (0..1000)
        .rev()
        .map(|n| document("a", n, vec![entry(n, 0, n, &[if n == 3 { "rare" } else { "" }])]))
        .collect();
    let mut question = Question { device_id: Some("d1"), limit: 1000, ..Question::default() };
    let (first, next) = texts(many.clone(), &question);
    assert!(first.len() < 500 && !first.contains(&"rare".to_owned()));
    question.after = next;
    let older = many.into_iter().filter(|document| document.header.enqueued_to < 500).collect();
    let (second, next) = texts(older, &question);
    assert!(second.contains(&"rare".to_owned()));
    assert_eq!((first.len() + second.len(), next), (500, None));
}

#[test]
fn the_higher_term_counts_and_calls_outside_of_streams_stand_alone() {
    let (mut older, newer) = (header("a", 0, 9, 9), Header { term: 1, ..header("a", 5, 9, 9) });
    older.id = "older".to_owned();
    let speakers = Speakers([("a".to_owned(), precedence_of(vec![older, newer.clone()]))].into());
    let copy = |document_id: &str, sequence| {
        let gathered = document("a", 9, vec![entry(sequence, 0, 9, &[""])]);
        let question = Question { limit: 1, ..Question::default() };
        let mut gathering = Gathering::new(&question);
        assert!(gathering.take(gathered).is_continue());
        let mut copy = gathering.finish().unwrap().places.remove(0).1.remove(0);
        copy.document_id = document_id.to_owned();
        copy
    };
    assert!(speakers.count(&copy("older", 4)));
    assert!(!speakers.count(&copy("older", 5)));
    assert!(speakers.count(&copy(&newer.id, 5)));
    assert!(speakers.count(&Copy { bucket: None, ..copy("older", 5) }));
    assert!(speakers.count(&copy("expired meanwhile", 5)));
}
