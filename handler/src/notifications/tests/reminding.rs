//! Who is reminded, and when.

use detector::Severity;
use wire::notifications::NewsEvent;
use wire::people::{Acknowledgement, Act, Mute};

use super::{AT, all_of, fleet, step};
use crate::notifications::reminders;
use crate::notifications::told::{Name, Told};
use crate::people::Decisions;
use crate::store::MuteDocument;

#[test]
fn people_are_reminded_of_what_is_critical_and_open_until_somebody_takes_note() {
    let hour = 3_600_000;
    let mut fleet = fleet("d1", AT, Some("b.2.0.spike"));
    let nobody = Decisions::default();
    assert_eq!(reminders::critical(&fleet).count(), 0, "a warning");
    if let Some(alert) = &mut fleet.devices[0].alert {
        alert.severity = "critical".to_owned();
    }
    let mut told = Told::default();
    let due = |told: &Told, now| reminders::due(reminders::critical(&fleet), &nobody, told, now);
    assert!(due(&told, AT + hour - 1).is_empty());
    let mut n_reminders = 0;
    for now in (0..40).map(|half| AT + half * hour / 2) {
        for entry in due(&told, now) {
            assert_eq!(entry.event, NewsEvent::Reminder);
            n_reminders += 1;
            entry.names.iter().for_each(|name| told.add(*name));
        }
    }
    assert_eq!(n_reminders, 4, "after 1, 3, 7 and 15 hours");
    // After a long stop there is one, not all that were due.
    assert_eq!(due(&Told::default(), AT + 40 * hour).len(), 1);

    let act = || Act { by: "anna".to_owned(), at: AT };
    let silent = |decisions: &Decisions| {
        reminders::due(reminders::critical(&fleet), decisions, &Told::default(), AT + hour).is_empty()
    };
    assert!(!silent(&nobody));
    let acknowledgements = [Acknowledgement::new("b.2.0.spike", true, "", act()).unwrap()];
    assert!(silent(&Decisions {
        acknowledgements: acknowledgements.into_iter().collect(),
        ..Decisions::default()
    }));
    // The alert was opened at AT, and this is an hour later.
    for (mute, is_silent) in [
        ((AT - 1, AT + 1), true),
        ((AT + 1, AT + hour + 1), true),
        ((AT + 1, AT + hour), false),
        ((AT + hour + 1, AT + 2 * hour), false),
    ] {
        let mute = MuteDocument::Mute(Mute::new("*", mute, "", act()));
        let decisions = Decisions { mutes: [mute].into_iter().collect(), ..Decisions::default() };
        assert_eq!(silent(&decisions), is_silent, "{decisions:?}");
    }
}

#[test]
fn a_notification_reminds_of_so_many_and_the_next_of_the_rest() {
    let mut fleet = fleet("d1", AT, Some("b.2.0.spike"));
    let n_devices = reminders::MOST_REMINDED + 10;
    let device = fleet.devices.remove(0);
    for n in 0..n_devices {
        let mut device = device.clone();
        let alert = device.alert.as_mut().unwrap();
        (alert.severity, alert.alert_id) = ("critical".to_owned(), format!("b.{n}.0.spike"));
        fleet.devices.push(device);
    }
    let mut told = Told::default();
    for n_expected in [reminders::MOST_REMINDED, 10, 0] {
        let critical = reminders::critical(&fleet);
        let due = reminders::due(critical, &Decisions::default(), &told, AT + 3_600_000);
        assert_eq!(due.len(), n_expected);
        due.iter().flat_map(|entry| &entry.names).for_each(|name| told.add(*name));
    }
}

#[test]
fn who_is_told_late_is_not_reminded_at_once() {
    let opened = step("d1", "opened", Severity::Critical, AT);
    let news = all_of(vec![opened]);
    let mut told = Told::default();
    news.entries[0].all_names(AT + 4 * 3_600_000).for_each(|name| told.add(name));
    assert!(told.holds(Name::of_reminder("b.2.0.spike", 1)), "the one after three hours");
    assert!(!told.holds(Name::of_reminder("b.2.0.spike", 2)));
}
