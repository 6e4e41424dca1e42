//! Plays the life of notifications against a model of storage and mail: several processes whose calls overlap, end at
//! every step, and whose clocks disagree.
//!
//! Each process reads, claims, sends and marks as [`super::claim`] decides; between any two of these others may go on,
//! and the process may end. What is news (`super::chain`) is played in short, without its memory and limits. What
//! storage and mail promise is all that holds: one create of an id succeeds, and one replace of what was read.

use proptest::prelude::*;
use wire::notifications::{AlertNews, Content, DeliveryOutcome, NotificationDocument, NotificationState};

use super::claim::{self, Claimant, Draft};
use crate::mail::Outcome;

/// Milliseconds between looks.
const MINUTE_MS: i64 = 60_000;

/// Storage: documents with their etags.
#[derive(Default)]
struct Storage(Vec<(NotificationDocument, u64)>);

impl Storage {
    fn create(&mut self, document: &NotificationDocument) -> bool {
        let is_new = self.0.iter().all(|(stored, _)| stored.id != document.id);
        if is_new {
            self.0.push((document.clone(), 1));
        }
        is_new
    }

    fn replace(&mut self, document: &NotificationDocument, etag: u64) -> Option<u64> {
        let (stored, current) = self.0.iter_mut().find(|(stored, _)| stored.id == document.id)?;
        if *current != etag {
            return None;
        }
        (*stored, *current) = (document.clone(), etag + 1);
        Some(etag + 1)
    }
}

/// Where a process stands.
#[derive(Clone, Default)]
enum Stage {
    #[default]
    Idle,
    /// It has read a document that is due.
    Found(NotificationDocument, u64),
    /// It has read that nothing was claimed for these.
    Chosen(i64, i64),
    Claimed(NotificationDocument, u64),
    Sent(NotificationDocument, u64, Vec<(String, Outcome)>),
}

/// A letter that was taken: who got it, and of what.
type Taken = (String, String);

struct World {
    storage: Storage,
    stages: Vec<Stage>,
    clocks: Vec<i64>,
    /// News so far; each is told by the notification that was claimed when it was the newest.
    n_news: i64,
    is_up: bool,
    taken: Vec<Taken>,
    /// Ends of processes between sending and marking: each excuses one repeat a recipient.
    n_excuses: usize,
}

#[derive(Debug, Clone)]
enum Move {
    Step(usize),
    End(usize),
    News,
    Server(bool),
    Clock(usize, i64),
    Time(i64),
}

impl World {
    fn new(n_processes: usize) -> Self {
        Self {
            storage: Storage::default(),
            stages: vec![Stage::default(); n_processes],
            clocks: vec![1_000_000_000; n_processes],
            n_news: 0,
            is_up: true,
            taken: Vec::new(),
            n_excuses: 0,
        }
    }

    fn play(&mut self, made: &Move) {
        match made {
            Move::Step(process) => self.step(*process),
            Move::End(process) => {
                if matches!(self.stages[*process], Stage::Sent(..)) {
                    self.n_excuses += 1;
                }
                self.stages[*process] = Stage::Idle;
            }
            Move::News => self.n_news += 1,
            Move::Server(is_up) => self.is_up = *is_up,
            Move::Clock(process, by) => self.clocks[*process] += by,
            Move::Time(by) => self.clocks.iter_mut().for_each(|clock| *clock += by),
        }
    }

    fn step(&mut self, process: usize) {
        let now = self.clocks[process];
        let name = format!("process-{process}");
        let claimant = Claimant { name: &name, now };
        self.stages[process] = match std::mem::take(&mut self.stages[process]) {
            Stage::Idle => self.look(now),
            Stage::Found(document, etag) => {
                let taken = claim::take_up(&document, claimant);
                match self.storage.replace(&taken, etag) {
                    Some(etag) => Stage::Claimed(taken, etag),
                    None => Stage::Idle,
                }
            }
            Stage::Chosen(number, seen_to) => {
                let document = draft(number, seen_to).claimed_by(claimant);
                if self.storage.create(&document) { Stage::Claimed(document, 1) } else { Stage::Idle }
            }
            Stage::Claimed(document, etag) => {
                let outcomes = claim::pending(&document)
                    .into_iter()
                    .map(|to| {
                        let outcome = self.deliver(&to, &document.id);
                        (to, outcome)
                    })
                    .collect();
                Stage::Sent(document, etag, outcomes)
            }
            Stage::Sent(document, etag, outcomes) => {
                let marked = claim::mark(&document, &outcomes, now);
                if self.storage.replace(&marked, etag).is_none() {
                    // It was so slow that another took over.
                    self.n_excuses += 1;
                }
                Stage::Idle
            }
        };
    }

    fn look(&self, now: i64) -> Stage {
        let due = self.storage.0.iter().find(|(document, _)| claim::is_due(document, now));
        if let Some((document, etag)) = due {
            return Stage::Found(document.clone(), *etag);
        }
        if self.storage.0.iter().any(|(document, _)| claim::holds_up(document)) {
            return Stage::Idle;
        }
        let newest = self.storage.0.iter().map(|(document, _)| (document.number, document.seen_to)).max();
        let (number, seen_to) = newest.unwrap_or_default();
        if seen_to < self.n_news { Stage::Chosen(number + 1, self.n_news) } else { Stage::Idle }
    }

    fn deliver(&mut self, to: &str, id: &str) -> Outcome {
        if to == "gone@example.com" {
            return Outcome::Refused("550".to_owned());
        }
        if !self.is_up {
            return Outcome::Failed("connection refused".to_owned());
        }
        self.taken.push((to.to_owned(), id.to_owned()));
        Outcome::Sent
    }

    /// Nothing fails any more: everything must be told in the end.
    fn settle(&mut self) {
        self.is_up = true;
        for stage in &mut self.stages {
            if matches!(stage, Stage::Sent(..)) {
                self.n_excuses += 1;
            }
            *stage = Stage::Idle;
        }
        for _ in 0..200 {
            self.clocks.iter_mut().for_each(|clock| *clock += MINUTE_MS);
            for process in 0..self.stages.len() {
                for _ in 0..4 {
                    self.step(process);
                }
            }
        }
    }
}

fn draft(number: i64, seen_to: i64) -> Draft<'static> {
    Draft {
        chain: "mail-alerts",
        number,
        recipients: ["anna@example.com", "gone@example.com", "berta@example.com"].map(str::to_owned).to_vec(),
        seen_to,
        names: &[],
        silent: vec![],
        content: Content::Alerts(AlertNews::default()),
    }
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        12 => (0..3_usize).prop_map(Move::Step),
        1 => (0..3_usize).prop_map(Move::End),
        2 => Just(Move::News),
        1 => any::<bool>().prop_map(Move::Server),
        1 => ((0..3_usize), -10_000_000_i64..10_000_000).prop_map(|(process, by)| Move::Clock(process, by)),
        3 => (0..400_000_i64).prop_map(Move::Time),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn everything_is_told_and_a_repeat_has_an_excuse(moves in prop::collection::vec(any_move(), 0..120)) {
        let mut world = World::new(3);
        for made in &moves {
            world.play(made);
        }
        world.settle();
        let documents: Vec<&NotificationDocument> = world.storage.0.iter().map(|(document, _)| document).collect();
        // All is told: the newest notification is about the newest news, and the numbers have no gap.
        let newest = documents.iter().map(|document| document.seen_to).max().unwrap_or_default();
        prop_assert_eq!(newest, world.n_news);
        for (index, document) in documents.iter().enumerate() {
            prop_assert_eq!(document.number, i64::try_from(index).unwrap() + 1);
            prop_assert_eq!(document.state, NotificationState::Done);
            let outcomes: Vec<DeliveryOutcome> = document.deliveries.iter().map(|delivery| delivery.outcome).collect();
            prop_assert_eq!(outcomes, [DeliveryOutcome::Sent, DeliveryOutcome::Refused, DeliveryOutcome::Sent]);
            // Each got it, and the refused one nothing.
            for to in ["anna@example.com", "berta@example.com"] {
                let n_taken = world.taken.iter().filter(|taken| **taken == (to.to_owned(), document.id.clone())).count();
                prop_assert!(n_taken >= 1, "{} missed {}", to, document.id);
            }
        }
        let n_repeats = world.taken.len() - 2 * documents.len();
        prop_assert!(n_repeats <= 2 * world.n_excuses, "{} repeats, {} excuses", n_repeats, world.n_excuses);
    }
}
