//! Serialized objects, for documents and for arguments of live messages.
//!
//! Enters: an object, or JSON text. Leaves: JSON text, known to be one object that arrives undamaged.

use serde::Serialize;

use super::checker::ObjectFacts;
use super::damage::{Damage, check_object};
use super::writing;

/// JSON text of one object that the host does not damage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawObject {
    json: String,
    facts: ObjectFacts,
}

impl RawObject {
    /// Writes an object: what [`RawObject::new`] makes of its JSON text, for less.
    ///
    /// # Errors
    ///
    /// The first [`Damage`]; [`Damage::Unwritable`] when it cannot be written as JSON.
    pub fn of(object: &impl Serialize) -> Result<Self, Damage> {
        let (json, facts) = writing::write(object)?;
        Ok(Self { json, facts })
    }

    /// Takes the JSON text of one object, as serialized.
    ///
    /// One pass over the text: it must be JSON, and hold nothing that the host would damage.
    ///
    /// # Errors
    ///
    /// The first [`Damage`].
    pub fn new(json: impl Into<String>) -> Result<Self, Damage> {
        let json = json.into();
        let facts = check_object(&json)?;
        Ok(Self { json, facts })
    }

    /// Takes the bytes of the JSON text of one object.
    ///
    /// # Errors
    ///
    /// As [`RawObject::new`]; text that is not UTF-8 is not JSON.
    pub fn from_bytes(json: Vec<u8>) -> Result<Self, Damage> {
        let json = String::from_utf8(json)
            .map_err(|error| Damage::NotJson { at: error.utf8_error().valid_up_to() })?;
        Self::new(json)
    }

    /// The JSON text.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Whether it has an `id` that Cosmos DB takes.
    pub(super) fn has_id(&self) -> bool {
        self.facts.has_id
    }
}
