//! Query parameters, each with its own complaint.

use std::str::FromStr;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use crate::reply::ApiError;

/// Parameter that carries a key of the Functions host; never ours.
const HOST_KEY: &str = "code";

/// The parameters of a request, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Decodes a raw query and refuses names that the function does not know.
    ///
    /// # Errors
    ///
    /// Names the parameter that is unknown or not UTF-8.
    pub fn parse(query: &str, known: &[&str]) -> Result<Self, ApiError> {
        let mut parameters = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).ok_or_else(|| ApiError::parameter("?", "a name is not UTF-8"))?;
            if name.eq_ignore_ascii_case(HOST_KEY) {
                continue;
            }
            if !known.contains(&name.as_str()) {
                let known = known.join("`, `");
                return Err(ApiError::parameter(&name, &format!("unknown; this function takes `{known}`")));
            }
            let value = decode(value).ok_or_else(|| ApiError::parameter(&name, "the value is not UTF-8"))?;
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    /// The parameter's text; empty is absent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// A whole number within limits.
    ///
    /// # Errors
    ///
    /// Names the parameter and its limits.
    pub fn number<T>(&self, name: &str, least: T, most: T, default: T) -> Result<T, ApiError>
    where
        T: FromStr + PartialOrd + std::fmt::Display + Copy,
    {
        let Some(text) = self.text(name) else { return Ok(default) };
        match text.parse::<T>() {
            Ok(value) if value >= least && value <= most => Ok(value),
            _ => {
                let complaint =
                    format!("expected a whole number from {least} to {most}, got `{}`", shown(text));
                Err(ApiError::parameter(name, &complaint))
            }
        }
    }

    /// A time in epoch milliseconds.
    ///
    /// # Errors
    ///
    /// Names the parameter and the forms of a time.
    pub fn time_ms(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let parsed = match text.parse::<i64>() {
            Ok(ms) => Timestamp::from_millisecond(ms),
            Err(_) => text.parse::<Timestamp>(),
        };
        parsed.map(|time| Some(time.as_millisecond())).map_err(|_| {
            let complaint = format!("expected RFC 3339 or epoch milliseconds, got `{}`", shown(text));
            ApiError::parameter(name, &complaint)
        })
    }

    /// The span of time between the parameters `from` and `to`, each in epoch milliseconds.
    ///
    /// # Errors
    ///
    /// Names the parameter that is no time, or `from` when it is the later one.
    pub fn span(&self) -> Result<(Option<i64>, Option<i64>), ApiError> {
        let span = (self.time_ms("from")?, self.time_ms("to")?);
        match span {
            (Some(from), Some(to)) if from > to => Err(ApiError::parameter("from", "is later than `to`")),
            _ => Ok(span),
        }
    }

    /// Where an earlier page ended: the parameter `after`.
    ///
    /// # Errors
    ///
    /// Names the parameter when no page ended so.
    pub fn cursor<T: FromStr>(&self) -> Result<Option<T>, ApiError> {
        let parsed = self.text("after").map(str::parse::<T>).transpose();
        parsed.map_err(|_| ApiError::parameter("after", "is not the `next` of an earlier page"))
    }

    /// One of several words.
    ///
    /// # Errors
    ///
    /// Names the parameter and the words.
    pub fn word<'a>(&'a self, name: &str, words: &[&str]) -> Result<Option<&'a str>, ApiError> {
        match self.text(name) {
            Some(text) if !words.contains(&text) => {
                let complaint = format!("expected one of `{}`, got `{}`", words.join("`, `"), shown(text));
                Err(ApiError::parameter(name, &complaint))
            }
            text => Ok(text),
        }
    }
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Cuts a caller's text down to what an error message may repeat.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<Parameters, ApiError> {
        Parameters::parse(query, &["from", "limit", "state"])
    }

    #[test]
    fn decodes_and_leaves_host_keys_alone() {
        let parameters = parse("from=2026-01-02T03%3A04%3A05%2B01:00&code=secret&limit=").unwrap();
        assert_eq!(parameters.time_ms("from"), Ok(Some(1_767_319_445_000)));
        assert_eq!(parameters.number("limit", 1, 10, 7), Ok(7));
        assert_eq!(parse("from=1767319445000").unwrap().time_ms("from"), Ok(Some(1_767_319_445_000)));
    }

    #[test]
    fn every_complaint_names_its_parameter() {
        for (query, name) in [
            ("form=1", "form"),
            ("from=yesterday", "from"),
            ("from=99999999999999999", "from"),
            ("from=%ff", "from"),
            ("limit=0", "limit"),
            ("limit=11", "limit"),
            ("limit=1,2", "limit"),
            ("limit=-1", "limit"),
            ("state=ajar", "state"),
        ] {
            let complaint = parse(query).and_then(|parameters| {
                parameters.time_ms("from")?;
                parameters.number("limit", 1, 10, 7)?;
                parameters.word("state", &["open"])?;
                Ok(())
            });
            let body = complaint.expect_err(query).body();
            assert!(body.contains(&format!("\"parameter\":\"{name}\"")), "{query}: {body}");
        }
    }
}
