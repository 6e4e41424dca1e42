//! Faults that happen once: they wait here, in order, until their occasion comes.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Faults of one kind that may wait.
const LIMIT: usize = 1000;

/// A queue from which the first fitting fault is taken.
#[derive(Debug)]
pub struct Waiting<T> {
    faults: Mutex<Vec<T>>,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { faults: Mutex::default() }
    }
}

impl<T: Clone> Waiting<T> {
    /// Adds a fault.
    ///
    /// # Errors
    ///
    /// That too many wait already.
    pub fn add(&self, fault: T) -> Result<(), String> {
        let mut faults = self.lock();
        if faults.len() >= LIMIT {
            return Err(format!("{LIMIT} faults of this kind wait already"));
        }
        faults.push(fault);
        Ok(())
    }

    /// Takes the first fault that `fits`; it may be changed by being asked.
    pub fn take(&self, fits: impl FnMut(&mut T) -> bool) -> Option<T> {
        let mut faults = self.lock();
        let index = faults.iter_mut().position(fits)?;
        Some(faults.remove(index))
    }

    /// All that wait.
    #[must_use]
    pub fn list(&self) -> Vec<T> {
        self.lock().clone()
    }

    /// Forgets all.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        // The list is whole between any two statements: a panic elsewhere does not spoil it.
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
