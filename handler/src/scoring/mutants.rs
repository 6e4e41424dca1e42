//! Faults put into the protocol on purpose, to see that its test finds each of them. There are none outside tests.

/// A safeguard that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(test), expect(dead_code, reason = "mutants live in tests alone"))]
pub(super) enum Mutant {
    /// What was answered is never undone.
    NoUndo,
    /// Snapshots are taken of states that are not known to be stored.
    SnapshotOfAnswered,
    /// Ids do not say where their document's stretch ends.
    IdsWithoutLast,
    /// An answer counts as stored without being read back.
    NoReadBack,
    /// One fact of an event proves all of them.
    NoCount,
    /// What is read back is decided by today's rules.
    ReplayDecides,
    /// The machine's clock enters the fold.
    WallClock,
    /// Numbers are rounded on their way to storage, after the fold has used them.
    RoundsLate,
    /// Readers take all documents.
    ReadersWithoutRule,
    /// An alert's documents are stored behind the rows that state its steps.
    AlertsBehindRows,
}

#[cfg(not(test))]
pub(super) fn is(_: Mutant) -> bool {
    false
}

#[cfg(not(test))]
pub(super) fn wall_clock_hour() -> u32 {
    0
}

#[cfg(not(test))]
pub(super) fn decided_again(error: f64) -> f64 {
    error
}

#[cfg(test)]
pub(super) use in_tests::{active, decided_again, is, set_rules, take, wall_clock_hour};

#[cfg(test)]
mod in_tests {
    use super::Mutant;
    use std::cell::Cell;

    thread_local! {
        static ACTIVE: Cell<Option<Mutant>> = const { Cell::new(None) };
        static CLOCK: Cell<u32> = const { Cell::new(500_000) };
        /// What today's rules make of an error; 1 unless they changed.
        static RULES: Cell<f64> = const { Cell::new(1.0) };
    }

    pub(in super::super) fn is(mutant: Mutant) -> bool {
        ACTIVE.get() == Some(mutant)
    }

    /// Puts a mutant in for this thread.
    pub(in super::super) fn active(mutant: Option<Mutant>) {
        ACTIVE.set(mutant);
    }

    /// Takes the mutant out.
    pub(in super::super) fn take() -> Option<Mutant> {
        ACTIVE.take()
    }

    /// Tells what rules are in force.
    pub(in super::super) fn set_rules(rules: f64) {
        RULES.set(rules);
    }

    pub(in super::super) fn wall_clock_hour() -> u32 {
        CLOCK.set(CLOCK.get() + 1);
        CLOCK.get() / 16
    }

    pub(in super::super) fn decided_again(error: f64) -> f64 {
        error * RULES.get()
    }
}
