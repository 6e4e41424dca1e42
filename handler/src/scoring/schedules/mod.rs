//! The protocol played through against a model of the host: random schedules of everything that can go wrong.
//!
//! Whatever happens, the facts that readers see in the end are those of an undisturbed run, each once.
//! `SCHEDULES` sets how many schedules are played, `FIRST_SEED` where they begin; a failure names its seed.

mod alerts;
mod cases;
mod facts;
#[path = "../../../tests/app/memory.rs"]
mod memory;
mod stream;
mod world;

use std::sync::Arc;

use super::mutants::{self, Mutant};
use detector::{Detector, Policy};
use facts::{Facts, facts};
use memory::Container;
use serde_json::Value;
use stream::{Course, Dice, StreamFaults};
use world::{Faults, World, detector};

/// Schedules played unless `SCHEDULES` says otherwise.
const SCHEDULES: u64 = 600;
/// Schedules within which each mutant must be found.
const SCHEDULES_FOR_MUTANTS: u64 = 600;
const N_EVENTS: usize = 120;

struct Menu {
    stream: StreamFaults,
    faults: Faults,
    detector: Detector,
}

fn menu(dice: &mut Dice) -> Menu {
    let is_rebuilt = dice.one_in(6);
    let stream = StreamFaults {
        jumps: dice.one_in(4),
        // Without times nobody can tell a rebuilt hub.
        lacks_metadata: !is_rebuilt && dice.one_in(5),
        long: dice.one_in(3),
        is_rebuilt,
    };
    let faults = Faults {
        any: true,
        redeploys: dice.one_in(4),
        gives_up: dice.one_in(4),
        moves: dice.one_in(2),
        // Of a hub whose documents are all deleted nobody knows that it was another, nor in which hour the event before
        // one without a time arrived.
        expires: stream.long && !stream.is_rebuilt && !stream.lacks_metadata && dice.one_in(2),
        snapshots: dice.below(3) > 0,
    };
    // Under the original rule, short streams have alerts of every step.
    let policy = if dice.one_in(3) { Policy::Fixed { threshold: 0.5 } } else { Policy::Calibrated };
    Menu { stream, faults, detector: Detector { policy, ..detector() } }
}

/// Plays one schedule; says what went wrong.
fn play(seed: u64) -> Result<(), String> {
    let mut dice = Dice::new(seed);
    let menu = menu(&mut dice);
    let course = Course::new(&mut dice, "ns", N_EVENTS, menu.stream);
    let container = Arc::new(Container::default());
    if dice.one_in(3) {
        // Another hub of the same name in the same container.
        let other = Course::new(&mut dice, "other", 30, StreamFaults::default());
        World::new(seed, other, Arc::clone(&container), Faults::default(), menu.detector).play()?;
    }
    let undisturbed = undisturbed(seed, &course, menu.detector)?;
    let expected = facts(&undisturbed, &course.stream);
    let mut world = World::new(seed, course, container, menu.faults, menu.detector);
    world.compare_with(&undisturbed);
    world.play()?;
    let found = facts(&world.container.all(), &world.course.stream);
    compare(&expected, &found, &world, menu.faults)?;
    if menu.faults.redeploys {
        return Ok(());
    }
    alerts::compare(&undisturbed, &world.container.all(), &world.course.stream)
}

fn undisturbed(seed: u64, course: &Course, detector: Detector) -> Result<Vec<Value>, String> {
    let mutant = mutants::take();
    let mut world = World::new(seed, course.clone(), Arc::default(), Faults::default(), detector);
    let played = world.play();
    mutants::active(mutant);
    played.map_err(|error| format!("the undisturbed run failed: {error}"))?;
    Ok(world.container.all())
}

fn compare(expected: &Facts, found: &Facts, world: &World, faults: Faults) -> Result<(), String> {
    for (key, values) in found {
        let Some(wanted) = expected.get(key) else { return Err(format!("{key:?} is no fact: {values:?}")) };
        if values.len() != 1 {
            return Err(format!("{key:?} is stored {} times", values.len()));
        }
        if !faults.redeploys && world.expired.is_empty() && values != wanted {
            return Err(format!("{key:?} is {} instead of {}", values[0], wanted[0]));
        }
    }
    match expected.keys().find(|key| !found.contains_key(key) && !world.expired.contains(key)) {
        Some(key) => Err(format!("{key:?} is lost")),
        None => Ok(()),
    }
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn effects_happen_exactly_once_whatever_goes_wrong() {
    let first = number("FIRST_SEED", 0);
    let failures: Vec<String> = (first..first + number("SCHEDULES", SCHEDULES))
        .filter_map(|seed| play(seed).err().map(|error| format!("seed {seed}: {error}")))
        .collect();
    assert!(
        failures.is_empty(),
        "{} schedules failed:\n{}",
        failures.len(),
        failures[..failures.len().min(10)].join("\n")
    );
}

/// The seed of the first schedule that finds a mutant.
fn found_at(mutant: Mutant) -> Option<u64> {
    (0..SCHEDULES_FOR_MUTANTS).find(|seed| {
        mutants::active(Some(mutant));
        let end = play(*seed);
        mutants::active(None);
        end.is_err()
    })
}

macro_rules! mutants_are_found {
    ($($name:ident: $mutant:ident,)*) => {
        $(#[test]
        fn $name() {
            let seed = found_at(Mutant::$mutant);
            assert!(seed.is_some(), "{:?} is found by no schedule", Mutant::$mutant);
        })*
    };
}

mutants_are_found! {
    finds_that_undo_is_left_out: NoUndo,
    finds_a_snapshot_of_what_was_only_answered: SnapshotOfAnswered,
    finds_ids_without_their_last_position: IdsWithoutLast,
    finds_that_nothing_is_read_back: NoReadBack,
    finds_that_facts_are_not_counted: NoCount,
    finds_a_replay_that_decides_again: ReplayDecides,
    finds_the_clock_in_the_fold: WallClock,
    finds_rounding_after_the_fold: RoundsLate,
    finds_readers_without_the_rule: ReadersWithoutRule,
    finds_alerts_behind_their_rows: AlertsBehindRows,
}
