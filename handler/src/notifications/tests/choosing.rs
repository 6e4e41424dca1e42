//! Which steps are news.

use detector::Severity;
use wire::notifications::NewsEvent;
use wire::people::{Act, Mute};

use super::{AT, choose, events, fleet, step};
use crate::fleet::Fleet;
use crate::notifications::told::{Name, Told};
use crate::people::Mutes;
use crate::store::MuteDocument;

#[test]
fn what_an_alert_went_through_is_one_entry() {
    let (warning, critical) = (Severity::Warning, Severity::Critical);
    let opened = || step("d1", "opened", warning, AT);
    let escalated = || step("d1", "escalated", critical, AT + 60_000);
    let closed = || step("d1", "closed", critical, AT + 120_000);
    for (steps, expected) in [
        (vec![opened()], NewsEvent::Opened),
        (vec![escalated(), opened(), opened()], NewsEvent::Opened),
        (vec![escalated()], NewsEvent::Escalated),
        (vec![closed()], NewsEvent::Closed),
        (vec![closed(), escalated()], NewsEvent::Closed),
        (vec![opened(), closed()], NewsEvent::Passed),
    ] {
        let n_steps = steps.iter().map(|step| &step.step).collect::<std::collections::HashSet<_>>().len();
        let news = choose(steps, &Fleet::default(), &Told::default(), &Mutes::default());
        assert_eq!(events(&news), [expected]);
        assert_eq!(news.entries[0].names.len(), n_steps);
    }
    let news = choose(vec![opened(), escalated()], &Fleet::default(), &Told::default(), &Mutes::default());
    assert_eq!(news.entries[0].alert.severity, "critical");
}

#[test]
fn what_was_told_or_is_muted_or_void_is_left_out() {
    let steps = || vec![step("d1", "opened", Severity::Warning, AT)];
    let (nobody, none) = (Mutes::default(), Told::default());
    let mut told = Told::default();
    told.add(Name::of_step("b.2.0.spike", "opened"));
    assert!(choose(steps(), &Fleet::default(), &told, &nobody).entries.is_empty());

    let act = Act { by: "anna".to_owned(), at: AT };
    let mutes = [MuteDocument::Mute(Mute::new("d*", (AT - 1, AT + 1), "defrosting", act))];
    let news = choose(steps(), &Fleet::default(), &none, &mutes.into_iter().collect());
    assert_eq!((news.entries.len(), news.left_out.len()), (0, 1));

    // A mute that began after the opening keeps quiet that it got worse, and not that it is over.
    let mute =
        || MuteDocument::Mute(Mute::new("d*", (AT + 1, AT + 100), "", Act { by: "anna".to_owned(), at: AT }));
    let mutes: Mutes = [mute()].into_iter().collect();
    for (name, at, n_told) in [("escalated", AT + 50, 0), ("escalated", AT + 100, 1), ("closed", AT + 50, 1)]
    {
        let news = choose(vec![step("d1", name, Severity::Critical, at)], &Fleet::default(), &none, &mutes);
        assert_eq!(news.entries.len(), n_told, "{name} at {at}");
    }

    // A row that is as new, and knows another alert or none; one that is older says nothing.
    for (fleet, n_told) in [
        (fleet("d1", AT, None), 0),
        (fleet("d1", AT + 5, Some("b.9.0.drift")), 0),
        (fleet("d1", AT + 5, Some("b.2.0.spike")), 1),
        (fleet("d1", AT - 1, None), 1),
        (fleet("d2", AT, None), 1),
    ] {
        assert_eq!(choose(steps(), &fleet, &none, &nobody).entries.len(), n_told);
    }
}

#[test]
fn a_closing_that_the_device_s_row_denies_is_none() {
    let closed = || vec![step("d1", "closed", Severity::Warning, AT + 1000)];
    let known = Some("b.2.0.spike");
    let (none, nobody) = (Told::default(), Mutes::default());
    assert!(choose(closed(), &fleet("d1", AT + 1000, known), &none, &nobody).entries.is_empty());
    assert_eq!(choose(closed(), &fleet("d1", AT + 999, known), &none, &nobody).entries.len(), 1);
}

#[test]
fn old_steps_are_news_only_while_their_alert_is_open() {
    let mut old = step("d1", "opened", Severity::Warning, AT);
    old.stored_at = AT / 1000 + 25 * 3600;
    let (none, nobody) = (Told::default(), Mutes::default());
    assert!(choose(vec![old.clone()], &Fleet::default(), &none, &nobody).entries.is_empty());
    assert_eq!(choose(vec![old], &fleet("d1", AT, Some("b.2.0.spike")), &none, &nobody).entries.len(), 1);
}
