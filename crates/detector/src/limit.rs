//! Limits that a person sets: a temperature out of them is tolerated for a while and no longer.
//!
//! "2 to 8 degrees, 15 minutes": what rules for medicine and food ask for, and what no habit of a device can excuse.

/// Temperatures that a device may have, and for how long others are tolerated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Lowest, in degrees Celsius; minus infinity for none.
    pub low: f64,
    /// Highest, in degrees Celsius; infinity for none.
    pub high: f64,
    /// For how long readings may be outside, in milliseconds of event time; 0 breaks the limit with the first one.
    pub held_ms: i64,
}

impl Limit {
    /// Whether a temperature is outside.
    #[must_use]
    pub fn is_outside(&self, celsius: f64) -> bool {
        !(self.low..=self.high).contains(&celsius)
    }
}
