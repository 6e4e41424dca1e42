//! What is told together.

use detector::Severity;

use super::{AT, all_of, step};
use crate::notifications::grouping;

#[test]
fn a_hundred_kinds_of_devices_are_few_groups_and_each_is_counted() {
    let mut steps = Vec::new();
    for n in 0..100 {
        let mut step = step(&format!("{n:x}-room"), "opened", Severity::Warning, AT);
        step.alert_id = format!("b.{n}.0.spike");
        steps.push(step);
    }
    let news = grouping::group(all_of(steps).entries);
    assert!(news.groups.len() <= 12, "{} groups", news.groups.len());
    assert_eq!(news.groups.iter().map(|group| group.n_alerts).sum::<u64>(), 100);
}

#[test]
fn ids_are_cut_before_their_number() {
    for (id, prefix) in [
        ("freezer-7", "freezer-"),
        ("d12", "d"),
        ("site1/rack2/sensor03", "site1/rack2/sensor"),
        ("freezer-7a", "freezer-"),
        ("lobby", "lobby"),
        ("north-wing", "north-wing"),
        ("42", ""),
        ("\u{1f9ca}7", "\u{1f9ca}"),
    ] {
        assert_eq!(grouping::prefix_of(id), prefix, "{id}");
    }
}
