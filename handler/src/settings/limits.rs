//! `LIMITS`: which temperatures which devices may have, and for how long others are tolerated.

use std::collections::HashMap;

use detector::Limit;

use super::reader::Reader;

/// How an entry is written, for complaints.
const FORM: &str =
    "expected `device=low..high/minutes`, such as `fridge-*=2..8/15` or `freezer-7=..-18`, divided by `;`";
/// Temperatures that a bound may be, in degrees Celsius.
const BOUNDS: std::ops::RangeInclusive<f64> = -273.15..=2000.0;
/// A week.
const MOST_MINUTES: i64 = 7 * 24 * 60;
const MINUTE_MS: i64 = 60_000;

/// Limits by device.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Limits {
    devices: HashMap<String, Limit>,
    /// The longest prefix first.
    prefixes: Vec<(String, Limit)>,
    /// As the setting was written: documents are named by it.
    text: String,
}

impl Limits {
    /// A device's own limit, else that of the longest prefix of its id.
    #[must_use]
    pub fn of(&self, device_id: &str) -> Option<Limit> {
        let own = self.devices.get(device_id);
        let shared = || self.prefixes.iter().find(|(prefix, _)| device_id.starts_with(prefix));
        own.copied().or_else(|| shared().map(|(_, limit)| *limit))
    }

    /// The setting as it was written; empty without one.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reads the setting alone.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    #[cfg(test)]
    pub(crate) fn of_variables(variables: &dyn Fn(&str) -> Option<String>) -> Result<Self, super::Faults> {
        let mut reader = Reader::new(variables);
        let limits = Self::read(&mut reader);
        let faults = reader.into_faults();
        if faults.list().is_empty() { Ok(limits) } else { Err(faults) }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let mut limits = Self { text: reader.text("LIMITS").unwrap_or_default(), ..Self::default() };
        for entry in limits.text.clone().split(';').map(str::trim).filter(|entry| !entry.is_empty()) {
            if let Err(fault) = limits.add(entry) {
                reader.fault(format!("LIMITS: `{entry}`: {fault}"));
            }
        }
        limits.prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        limits
    }

    fn add(&mut self, entry: &str) -> Result<(), String> {
        // The last one: an id may hold such a sign, a limit does not.
        let (name, limit) = entry.rsplit_once('=').ok_or(FORM)?;
        let (name, limit) = (name.trim(), parse(limit.trim())?);
        let is_new = match name.strip_suffix('*') {
            Some(prefix) if self.prefixes.iter().any(|(known, _)| known == prefix) => false,
            Some(prefix) => {
                self.prefixes.push((prefix.to_owned(), limit));
                true
            }
            None if name.is_empty() => return Err("names no device; `*` stands for all".to_owned()),
            None => self.devices.insert(name.to_owned(), limit).is_none(),
        };
        if is_new { Ok(()) } else { Err(format!("`{name}` has a limit already")) }
    }
}

fn parse(text: &str) -> Result<Limit, String> {
    let (range, minutes) = text.split_once('/').unwrap_or((text, "0"));
    let (low, high) = range.split_once("..").ok_or(FORM)?;
    let low = bound(low, f64::NEG_INFINITY)?;
    let high = bound(high, f64::INFINITY)?;
    let is_range = low < high && (low.is_finite() || high.is_finite());
    if !is_range {
        return Err("the lower bound must be below the upper one, and one of them must be there".to_owned());
    }
    let minutes = minutes.trim().parse::<i64>().ok().filter(|minutes| (0..=MOST_MINUTES).contains(minutes));
    let minutes = minutes.ok_or_else(|| format!("expected whole minutes from 0 to {MOST_MINUTES}"))?;
    Ok(Limit { low, high, held_ms: minutes * MINUTE_MS })
}

fn bound(text: &str, missing: f64) -> Result<f64, String> {
    match text.trim() {
        "" => Ok(missing),
        // `-5...8` would be read as -5 to 0.8.
        text if text.starts_with('.') => {
            Err(format!("`{text}` begins with a point; write a digit before it"))
        }
        text => {
            let celsius = text.parse::<f64>().ok().filter(|celsius| BOUNDS.contains(celsius));
            celsius.ok_or_else(|| format!("`{text}` is no temperature from -273.15 to 2000 degrees Celsius"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Limits, Vec<String>> {
        let text = text.to_owned();
        let variables = move |name: &str| (name == "LIMITS").then(|| text.clone());
        Limits::of_variables(&variables).map_err(|faults| faults.list().to_vec())
    }

    #[test]
    fn the_most_specific_limit_counts() {
        let limits = read("*=..40; fridge-*=2..8/15;fridge-7 = -1.5 .. 3 / 5 ; freezer=..-18").unwrap();
        let of = |id| limits.of(id).map(|limit| (limit.low, limit.high, limit.held_ms));
        assert_eq!(of("fridge-7"), Some((-1.5, 3.0, 300_000)));
        assert_eq!(of("fridge-71"), Some((2.0, 8.0, 900_000)));
        assert_eq!(of("freezer"), Some((f64::NEG_INFINITY, -18.0, 0)));
        assert_eq!(of("room"), Some((f64::NEG_INFINITY, 40.0, 0)));
        assert_eq!(read("").unwrap().of("room"), None);
    }

    #[test]
    fn an_id_may_hold_the_sign() {
        assert!(read("a=b=1..2").unwrap().of("a=b").is_some());
    }

    #[test]
    fn each_fault_names_its_entry() {
        for wrong in [
            "fridge",
            "=1..2",
            "a=1",
            "a=8..2",
            "a=..",
            "a=2..8/x",
            "a=2..8/-1",
            "a=2..8/99999",
            "a=NaN..2",
            "a=-300..2",
            "a=-5...8",
            "a=1..2;a=1..3",
            "a*=1..2; a*=1..3",
        ] {
            let faults = read(wrong).unwrap_err();
            assert!(faults.len() == 1 && faults[0].starts_with("LIMITS: `"), "{wrong}: {faults:?}");
        }
    }
}
