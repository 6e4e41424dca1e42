//! Variables as values, and what is wrong with them so far.

use std::fmt;
use std::str::FromStr;

/// All that is wrong with the settings.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<String>);

impl Faults {
    /// The faults, a sentence each.
    #[must_use]
    pub fn list(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} setting(s) are wrong:", self.0.len())?;
        for fault in &self.0 {
            writeln!(formatter, "  {fault}")?;
        }
        Ok(())
    }
}

/// Reads variables and gathers faults.
pub(super) struct Reader<'a> {
    variables: &'a dyn Fn(&str) -> Option<String>,
    faults: Faults,
}

impl<'a> Reader<'a> {
    pub(super) fn new(variables: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { variables, faults: Faults::default() }
    }

    pub(super) fn into_faults(self) -> Faults {
        self.faults
    }

    /// Notes what is wrong; the message names the variable or the file.
    pub(super) fn fault(&mut self, fault: impl Into<String>) {
        self.faults.0.push(fault.into());
    }

    /// The variable's text; unset and empty are the same.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        (self.variables)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A number within limits; the default stands in for what is wrong.
    pub(super) fn number<T>(&mut self, name: &str, least: T, most: T, default: T) -> T
    where
        T: FromStr + PartialOrd + fmt::Display + Copy,
    {
        let Some(text) = self.text(name) else { return default };
        match text.parse::<T>() {
            Ok(value) if value >= least && value <= most => value,
            _ => {
                self.fault(format!("{name}: expected a number from {least} to {most}, got `{text}`"));
                default
            }
        }
    }

    /// Whether the variable says so; unset is no.
    pub(super) fn is_true(&mut self, name: &str) -> bool {
        match self.text(name).map(|text| text.to_ascii_lowercase()).as_deref() {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(other) => {
                self.fault(format!("{name}: expected true or false, got `{other}`"));
                false
            }
        }
    }
}
