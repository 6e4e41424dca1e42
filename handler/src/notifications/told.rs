//! What was told already, in hashes: short enough to be stored with each notification and remembered for a day.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Bytes of a name. Among a million names of a day, two are equal in one of 500 days.
const NAME_BYTES: usize = 6;
/// Characters of a name in base64.
const NAME_CHARS: usize = 8;

/// The name of something that is told: a step of an alert, or a reminder of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name([u8; NAME_BYTES]);

impl Name {
    /// Names a step of an alert.
    #[must_use]
    pub fn of_step(alert_id: &str, step: &str) -> Self {
        Self::of(&format!("{alert_id}/{step}"))
    }

    /// Names the reminder of an alert that comes after so many others.
    #[must_use]
    pub fn of_reminder(alert_id: &str, n_before: u32) -> Self {
        Self::of(&format!("{alert_id}/reminder/{n_before}"))
    }

    fn of(text: &str) -> Self {
        let mut name = [0; NAME_BYTES];
        name.copy_from_slice(&Sha256::digest(text.as_bytes())[..NAME_BYTES]);
        Self(name)
    }
}

/// A set of names.
#[derive(Debug, Clone, Default)]
pub struct Told(HashSet<Name>);

impl Told {
    /// Whether a name is among them.
    #[must_use]
    pub fn holds(&self, name: Name) -> bool {
        self.0.contains(&name)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one.
    pub fn add(&mut self, name: Name) {
        self.0.insert(name);
    }

    /// Adds what a document holds; what is no name there is left out.
    pub fn add_written(&mut self, written: &str) {
        for chunk in written.as_bytes().chunks_exact(NAME_CHARS) {
            let mut name = [0; NAME_BYTES];
            if URL_SAFE_NO_PAD.decode_slice(chunk, &mut name) == Ok(NAME_BYTES) {
                self.0.insert(Name(name));
            }
        }
    }
}

/// Names as a document holds them.
#[must_use]
pub fn written(names: &[Name]) -> String {
    names.iter().map(|name| URL_SAFE_NO_PAD.encode(name.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_known_again() {
        let names: Vec<Name> = (0..100).map(|n| Name::of_step(&format!("b.{n}.0.spike"), "opened")).collect();
        let text = written(&names);
        assert_eq!(text.len(), 100 * NAME_CHARS);
        let mut told = Told::default();
        told.add_written(&text);
        assert!(names.iter().all(|name| told.holds(*name)));
        assert!(!told.holds(Name::of_step("b.0.0.spike", "closed")));
        assert!(!told.holds(Name::of_reminder("b.0.0.spike", 0)));
    }

    #[test]
    fn what_is_no_name_is_left_out() {
        let mut told = Told::default();
        told.add_written("\u{e9}\u{e9}\u{e9}\u{e9}!!!!????abc");
        assert!(told.is_empty());
    }
}
