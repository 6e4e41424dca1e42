//! The life of alerts as people see it, whatever the order in which documents are stored, and however often.
//!
//! A device opens, escalates and closes alerts; people acknowledge what they see, mute and unmute. Every document is
//! stored late, twice, or in front of an earlier one; of a step's document and the row that states it the document comes
//! first, as the host's binding stores them. After each write the list is looked at:
//!
//! | from | to |
//! |---|---|
//! | not there | open, not acknowledged; or closed at once, where the closing was stored first |
//! | open | open, acknowledged, closed, or both |
//! | open, acknowledged | closed, acknowledged; or not acknowledged any more, by an act that takes it back |
//! | closed | closed, acknowledged or not any more: by an act from before the closing, stored after it |

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use wire::api::{AlertState, AlertView, DeviceStatus, DeviceView, OpenAlertView};
use wire::documents::{ALERT, ALERT_TTL_S, AlertDocument, alert_id};
use wire::people::{Acknowledgement, Act, Mute, Unmute};

use super::{add_decisions, standing};
use crate::fleet::Fleet;
use crate::people::{Acknowledgements, Mutes, Statement, decide};
use crate::store::MuteDocument;

const DEVICE: &str = "freezer-7";
const BUCKET: &str = "1a2b3c4d.0.0";
const STEP_MS: i64 = 1000;

#[derive(Debug, Clone, Copy)]
enum Action {
    Open,
    Escalate,
    Close,
    /// Somebody takes note, or takes that back; the clock of the machine may be behind by so many steps.
    Decide {
        acknowledged: bool,
        alert: usize,
        person: usize,
        behind: i64,
    },
    Mute {
        steps: i64,
    },
    Unmute {
        mute: usize,
    },
    /// A document is stored that was written at some time: for the first time or again.
    Store {
        document: usize,
    },
}

#[derive(Debug, Clone)]
enum Document {
    Step(AlertDocument),
    /// A device's row, and how many steps it rests on.
    Row(Box<DeviceView>, usize),
    Acknowledgement(Acknowledgement),
    Mute(MuteDocument),
}

/// What people could see of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    is_open: bool,
    is_critical: bool,
    acknowledged_at: Option<i64>,
}

#[derive(Debug, Default)]
struct World {
    now: i64,
    /// Of all alerts so far, the newest last; whether it is open, and critical.
    alerts: Vec<String>,
    open: Option<bool>,
    n_steps: usize,
    mutes: Vec<Mute>,
    /// All that was written, stored or not.
    written: Vec<Document>,
    steps: BTreeMap<String, AlertDocument>,
    row: Option<DeviceView>,
    acknowledgements: Vec<Acknowledgement>,
    mute_documents: Vec<MuteDocument>,
    seen: BTreeMap<String, Seen>,
    /// Alerts about which somebody decided at any time.
    acknowledged: BTreeSet<String>,
}

impl World {
    fn new() -> Self {
        let mut world = Self::default();
        world.row = Some(world.device());
        world
    }

    fn act(&mut self, action: Action) {
        self.now += STEP_MS;
        let is_critical = self.open;
        match (action, is_critical) {
            (Action::Open, None) => {
                self.alerts.push(alert_id(BUCKET, self.now, 0, "limit"));
                self.open = Some(false);
                self.write_step("opened");
            }
            (Action::Escalate, Some(false)) => {
                self.open = Some(true);
                self.write_step("escalated");
            }
            (Action::Close, Some(_)) => {
                self.write_step("closed");
                self.open = None;
                self.replace_row();
            }
            (Action::Decide { acknowledged, alert, person, behind }, _) => {
                let at = self.now - behind * STEP_MS;
                let act = Act { at, ..self.person(person) };
                self.decide(acknowledged, alert, &act);
            }
            (Action::Mute { steps }, _) => {
                let mute =
                    Mute::new("freezer-*", (self.now, self.now + steps * STEP_MS), "x", self.person(0));
                self.mutes.push(mute.clone());
                self.written.push(Document::Mute(MuteDocument::Mute(mute)));
            }
            (Action::Unmute { mute }, _) if !self.mutes.is_empty() => {
                let unmute = Unmute::new(&self.mutes[mute % self.mutes.len()], self.person(0));
                self.written.push(Document::Mute(MuteDocument::Unmute(unmute)));
            }
            (Action::Store { document }, _) if !self.written.is_empty() => {
                self.store(self.written[document % self.written.len()].clone());
            }
            _ => {}
        }
    }

    fn person(&self, number: usize) -> Act {
        Act { by: format!("person {number}"), at: self.now }
    }

    /// People act on what they see.
    fn decide(&mut self, acknowledged: bool, alert: usize, act: &Act) {
        let Some(alert_id) = self.alerts.get(alert % self.alerts.len().max(1)).cloned() else { return };
        let views = self.look();
        let known = views.iter().find(|view| view.alert_id == alert_id);
        let earlier: Acknowledgements = self.acknowledgements.iter().cloned().collect();
        let statement = Statement { acknowledged, note: "", act };
        let (result, document) = decide(&alert_id, known, &earlier, statement);
        if let Some(document) = document {
            let known = known.unwrap();
            assert!(known.state == AlertState::Open && known.acknowledged.is_some() != acknowledged);
            assert_eq!(result.acknowledged.is_some(), acknowledged);
            self.acknowledged.insert(alert_id);
            self.written.push(Document::Acknowledgement(document));
        }
    }

    fn write_step(&mut self, step: &str) {
        let alert_id = self.alerts.last().unwrap().clone();
        let document = AlertDocument {
            id: format!("{alert_id}-{step}"),
            document_type: ALERT.to_owned(),
            bucket: BUCKET.to_owned(),
            version: 1,
            ttl: ALERT_TTL_S,
            alert_id: alert_id.clone(),
            step: step.to_owned(),
            device_id: DEVICE.to_owned(),
            kind: "limit".to_owned(),
            channel: None,
            severity: if self.open == Some(true) { "critical" } else { "warning" }.to_owned(),
            learning: false,
            began_at: self.opened_at(&alert_id),
            opened_at: self.opened_at(&alert_id),
            at: self.now,
            enqueued_at: None,
            temperature: 4.0,
            expected: None,
            score: None,
            peak_score: 1.5,
            readings: Vec::new(),
        };
        self.n_steps += 1;
        self.written.push(Document::Step(document));
        self.written.push(Document::Row(Box::new(self.device()), self.n_steps));
    }

    /// The row of a closing no longer knows the alert.
    fn replace_row(&mut self) {
        self.written.pop();
        self.written.push(Document::Row(Box::new(self.device()), self.n_steps));
    }

    fn opened_at(&self, alert_id: &str) -> i64 {
        alert_id.split('.').nth(3).and_then(|sequence| sequence.parse().ok()).unwrap_or(self.now)
    }

    fn device(&self) -> DeviceView {
        let alert = self.open.map(|is_critical| OpenAlertView {
            alert_id: self.alerts.last().unwrap().clone(),
            kind: "limit".to_owned(),
            severity: if is_critical { "critical" } else { "warning" }.to_owned(),
            opened_at: self.opened_at(self.alerts.last().unwrap()),
        });
        DeviceView {
            device_id: DEVICE.to_owned(),
            status: DeviceStatus::Normal,
            learning: false,
            timestamp: self.now,
            temperature: 4.0,
            expected: None,
            error: None,
            score: None,
            anomaly: false,
            last_anomaly_at: None,
            alert,
            silent_since: None,
        }
    }

    fn store(&mut self, document: Document) {
        match document {
            Document::Step(step) => {
                self.steps.insert(step.id.clone(), step);
            }
            // Rows follow the copies of all steps up to them, and a later one stays.
            Document::Row(_, n_steps) if self.steps.len() < n_steps => return,
            Document::Row(row, _) => {
                if self.row.as_ref().is_none_or(|known| known.timestamp < row.timestamp) {
                    self.row = Some(*row);
                }
            }
            Document::Acknowledgement(document) => self.acknowledgements.push(document),
            Document::Mute(document) => self.mute_documents.push(document),
        }
        self.check();
    }

    fn look(&self) -> Vec<AlertView> {
        let fleet = Fleet { devices: self.row.iter().cloned().collect(), ..Fleet::default() };
        let acknowledgements: Acknowledgements = self.acknowledgements.iter().cloned().collect();
        let mutes: Mutes = self.mute_documents.iter().cloned().collect();
        let mut by_alert: BTreeMap<&str, Vec<AlertDocument>> = BTreeMap::new();
        for step in self.steps.values() {
            by_alert.entry(&step.alert_id).or_default().push(step.clone());
        }
        let mut views: Vec<AlertView> =
            by_alert.into_values().filter_map(|steps| standing::of(steps, &fleet)).collect();
        for view in &mut views {
            add_decisions(view, &acknowledgements, &mutes);
        }
        views
    }

    fn check(&mut self) {
        for view in self.look() {
            let now = Seen {
                is_open: view.state == AlertState::Open,
                is_critical: view.severity == "critical",
                acknowledged_at: view.acknowledged.as_ref().map(|acknowledged| acknowledged.at),
            };
            match self.seen.insert(view.alert_id.clone(), now) {
                // A new alert is armed, whatever was decided about the device's earlier ones.
                None => assert!(now.acknowledged_at.is_none(), "{view:?}"),
                Some(before) => {
                    assert!(before.is_open || !now.is_open, "opened again: {view:?}");
                    if let Some(earlier) = before.acknowledged_at
                        && !self.is_taken_back(&view.alert_id, earlier)
                    {
                        // An act from before may be stored later; one from after counts for nothing.
                        assert!(now.acknowledged_at.is_some_and(|at| at <= earlier), "forgotten: {view:?}");
                    }
                    assert!(!before.is_critical || now.is_critical, "fell: {view:?}");
                }
            }
            assert!(now.acknowledged_at.is_none() || self.acknowledged.contains(&view.alert_id), "{view:?}");
        }
    }

    /// Once everything is stored, what people see is what happened.
    fn finish(mut self) {
        // Rows wait for the steps before them.
        for _ in 0..2 {
            for document in self.written.clone() {
                self.store(document);
            }
        }
        let views = self.look();
        assert_eq!(views.len(), self.alerts.len());
        for view in &views {
            let goes_on = self.open.is_some() && self.alerts.last() == Some(&view.alert_id);
            assert_eq!(view.state == AlertState::Open, goes_on, "{view:?}");
            assert_eq!(view.acknowledged.is_some(), self.is_acknowledged(&view.alert_id), "{view:?}");
            assert_eq!(view.muted, self.is_muted(view.opened_at), "{view:?}");
        }
    }

    /// Whether something that is stored takes back what was acknowledged then.
    fn is_taken_back(&self, alert_id: &str, at: i64) -> bool {
        let takes_back = |document: &&Acknowledgement| {
            document.alert_id == alert_id && !document.acknowledged && document.act.at >= at
        };
        self.acknowledgements.iter().any(|document| takes_back(&document))
    }

    /// Whether the newest of all acts that were written takes note; at the same moment taking back wins.
    fn is_acknowledged(&self, alert_id: &str) -> bool {
        let acts = self.written.iter().filter_map(|document| match document {
            Document::Acknowledgement(document) if document.alert_id == alert_id => Some(document),
            _ => None,
        });
        let newest = acts.max_by_key(|document| (document.act.at, !document.acknowledged));
        newest.is_some_and(|document| document.acknowledged)
    }

    fn is_muted(&self, at: i64) -> bool {
        let ends = |mute: &Mute| {
            let ends = self.written.iter().filter_map(|document| match document {
                Document::Mute(MuteDocument::Unmute(unmute)) if unmute.mute_id == mute.id => {
                    Some(unmute.act.at)
                }
                _ => None,
            });
            ends.chain([mute.until]).min().unwrap_or(mute.until)
        };
        self.mutes.iter().any(|mute| mute.from <= at && at < ends(mute))
    }
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => Just(Action::Open),
        1 => Just(Action::Escalate),
        2 => Just(Action::Close),
        4 => decision(true),
        2 => decision(false),
        1 => (1_i64..20).prop_map(|steps| Action::Mute { steps }),
        1 => (0_usize..8).prop_map(|mute| Action::Unmute { mute }),
        10 => (0_usize..64).prop_map(|document| Action::Store { document }),
    ]
}

fn decision(acknowledged: bool) -> impl Strategy<Value = Action> {
    (0_usize..8, 0_usize..3, 0_i64..4).prop_map(move |(alert, person, behind)| Action::Decide {
        acknowledged,
        alert,
        person,
        behind,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_way_but_those_of_the_table(actions in prop::collection::vec(action(), 0..60)) {
        let mut world = World::new();
        for action in actions {
            world.act(action);
        }
        world.finish();
    }
}

#[test]
fn an_acknowledgement_ends_with_its_alert_or_is_taken_back() {
    let mut world = World::new();
    let store_all = |world: &mut World| {
        for document in 0..world.written.len() {
            world.act(Action::Store { document });
        }
    };
    let decide = |acknowledged, alert, behind| Action::Decide { acknowledged, alert, person: 1, behind };
    world.act(Action::Open);
    store_all(&mut world);
    world.act(decide(true, 0, 0));
    world.act(Action::Escalate);
    store_all(&mut world);
    let acknowledged =
        |world: &World| world.look().iter().map(|view| view.acknowledged.is_some()).collect::<Vec<_>>();
    assert_eq!(acknowledged(&world), [true], "it outlasts an escalation");
    for (is_acknowledged, behind) in [(false, 50), (true, 50), (false, 0), (true, 0)] {
        world.act(decide(is_acknowledged, 0, behind));
        store_all(&mut world);
        assert_eq!(acknowledged(&world), [is_acknowledged], "whatever the clock of the machine says");
    }
    world.act(Action::Close);
    world.act(Action::Open);
    store_all(&mut world);
    assert_eq!(acknowledged(&world), [true, false], "the device is armed again");
    world.act(decide(false, 0, 0));
    store_all(&mut world);
    assert_eq!(acknowledged(&world), [true, false], "what is closed stays as it was");
    world.finish();
}
