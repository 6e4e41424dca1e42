//! Recordings: CSV files of timestamps and values.
//!
//! A file enters, samples leave one by one in the file's order; rows that make no sense are counted and named.

use crate::args::{BadRows, Unit};
use crate::time::parse_timestamp;
use anyhow::{Context, Result, bail};
use simulator::Sample;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// How many bad rows of a file are named; the rest is only counted.
const NAMED_ROWS: u64 = 5;
/// Longest row; what is longer is no recording.
const MOST_ROW_BYTES: u64 = 4096;

/// A recording that is being played.
pub(crate) struct Recording {
    path: PathBuf,
    file: BufReader<File>,
    unit: Unit,
    bad_rows: BadRows,
    /// Number of the line that was read last, from 1.
    line: u64,
    n_read: u64,
    n_bytes: u64,
    n_bad: u64,
    next: Option<Sample>,
}

impl Recording {
    /// Opens a file and reads up to its first sample.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, holds no reading at all, or a bad row is fatal.
    pub(crate) fn open(path: &Path, unit: Unit, bad_rows: BadRows) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("`{}` cannot be opened", path.display()))?;
        let n_bytes = file.metadata().map_or(0, |metadata| metadata.len());
        let (path, file) = (path.to_owned(), BufReader::new(file));
        let mut recording =
            Self { path, file, unit, bad_rows, line: 0, n_read: 0, n_bytes, n_bad: 0, next: None };
        recording.advance()?;
        if recording.next.is_none() {
            bail!(
                "`{}` holds no reading: expected rows of timestamp,value, as in `2014-02-07 14:55:00,21.5`",
                recording.path.display()
            );
        }
        Ok(recording)
    }

    /// Device id of a recording: the file's stem, with what IoT Hub does not allow in an id replaced by `-`.
    pub(crate) fn device_id(path: &Path) -> String {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        let id: String = stem.chars().take(128).map(|c| if allowed(c) { c } else { '-' }).collect();
        if id.is_empty() { "recording".to_owned() } else { id }
    }

    /// Time of the next sample, epoch milliseconds; `None` at the end.
    pub(crate) fn next_ms(&self) -> Option<i64> {
        self.next.map(|sample| sample.timestamp_ms)
    }

    /// Bytes read, and bytes in all.
    pub(crate) fn progress(&self) -> (u64, u64) {
        (self.n_read.min(self.n_bytes), self.n_bytes)
    }

    /// Takes the next sample.
    ///
    /// # Errors
    ///
    /// When the file cannot be read on, or a bad row is fatal.
    pub(crate) fn take(&mut self) -> Result<Option<Sample>> {
        let sample = self.next.take();
        self.advance()?;
        Ok(sample)
    }

    fn advance(&mut self) -> Result<()> {
        while let Some(row) = self.read_row()? {
            let fields = split(&row);
            match self.parse(&fields) {
                Ok(sample) => {
                    self.next = Some(sample);
                    return Ok(());
                }
                Err(_) if row.trim().is_empty() || (self.line == 1 && is_header(&fields)) => {}
                Err(reason) => self.bad_row(&reason)?,
            }
        }
        self.end();
        Ok(())
    }

    /// The next line, cut at a length that no reading has; `None` at the end.
    fn read_row(&mut self) -> Result<Option<String>> {
        let complaint = || format!("`{}` cannot be read on", self.path.display());
        let mut bytes = Vec::new();
        let mut n =
            self.file.by_ref().take(MOST_ROW_BYTES).read_until(b'\n', &mut bytes).with_context(complaint)?;
        if n == 0 {
            return Ok(None);
        }
        if bytes.last() != Some(&b'\n') {
            n += self.file.skip_until(b'\n').with_context(complaint)?;
        }
        self.line += 1;
        self.n_read += n as u64;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn parse(&self, fields: &[&str]) -> Result<Sample, String> {
        let [time, value, ..] = fields else {
            return Err("expected timestamp,value, got one column".to_owned());
        };
        let timestamp_ms =
            parse_timestamp(time).ok_or_else(|| format!("`{}` is no timestamp", excerpt(time)))?;
        let value: f64 = value.parse().map_err(|_| format!("`{}` is no number", excerpt(value)))?;
        if !value.is_finite() {
            return Err(format!("`{value}` is no temperature"));
        }
        Ok(Sample { timestamp_ms, celsius: self.unit.to_celsius(value), fault: None })
    }

    fn bad_row(&mut self, reason: &str) -> Result<()> {
        self.n_bad += 1;
        if self.bad_rows == BadRows::Fail {
            bail!("{}:{}: {reason}", self.path.display(), self.line);
        }
        if self.n_bad <= NAMED_ROWS {
            eprintln!("simulator: {}:{}: {reason}; row skipped", self.path.display(), self.line);
        }
        Ok(())
    }

    fn end(&mut self) {
        let path = self.path.display();
        match self.n_bad.checked_sub(NAMED_ROWS) {
            Some(more) if more > 0 => eprintln!("simulator: {path}: {more} more rows skipped"),
            _ => {}
        }
        // A second call at the end must not report again.
        self.n_bad = 0;
    }
}

impl Unit {
    /// Degrees Celsius of a value in this unit.
    fn to_celsius(self, value: f64) -> f64 {
        match self {
            Self::Celsius => value,
            // Four decimals are finer than any sensor, and spare each message ten digits of rounding noise.
            Self::Fahrenheit => ((value - 32.0) / 1.8 * 10_000.0).round() / 10_000.0,
        }
    }
}

/// Fields of a row, without blanks and quotes around them and without a byte order mark.
fn split(row: &str) -> Vec<&str> {
    let row = row.trim_start_matches('\u{feff}');
    row.split(',').map(|field| field.trim().trim_matches('"').trim()).collect()
}

/// A first row of which no column is a number or a time.
fn is_header(fields: &[&str]) -> bool {
    fields.iter().all(|field| parse_timestamp(field).is_none() && !field.is_empty())
}

fn excerpt(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(text: &str, unit: Unit, bad_rows: BadRows) -> Result<Vec<(i64, f64)>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.csv");
        std::fs::write(&path, text).unwrap();
        let mut recording = Recording::open(&path, unit, bad_rows)?;
        let mut samples = Vec::new();
        while let Some(sample) = recording.take()? {
            samples.push((sample.timestamp_ms, sample.celsius));
        }
        Ok(samples)
    }

    #[test]
    fn a_header_is_optional_and_further_columns_are_ignored() {
        let expected = vec![(1000, 50.0), (2000, 51.0)];
        for text in [
            "timestamp,value\n1,50\n2,51\n",
            "1,50,0\n2,51,1\n",
            "\u{feff}time,v,label\r\n1,50,0\r\n2,51,0\r\n",
        ] {
            assert_eq!(recording(text, Unit::Celsius, BadRows::Fail).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn endings_blanks_quotes_and_endless_lines_are_coped_with() {
        let endless = "9".repeat(1_000_000);
        let text = format!("\"time\",\"value\"\r\n\r\n \"1\" , \"20\" \r\n{endless}\n\n2,21");
        assert_eq!(recording(&text, Unit::Celsius, BadRows::Skip).unwrap(), [(1000, 20.0), (2000, 21.0)]);
        let error = recording(&text, Unit::Celsius, BadRows::Fail).unwrap_err().to_string();
        assert!(error.contains("r.csv:4: "), "{error}");
    }

    #[test]
    fn fahrenheit_becomes_celsius() {
        let samples = recording("1,212\n2,73.96732207\n", Unit::Fahrenheit, BadRows::Fail).unwrap();
        assert_eq!(samples, [(1000, 100.0), (2000, 23.3152)]);
    }

    #[test]
    fn bad_rows_are_skipped_or_fatal() {
        let text = "timestamp,value\n1,20\n2,\nsoon,20\n3,NaN\nlonely\n4,21\n";
        assert_eq!(recording(text, Unit::Celsius, BadRows::Skip).unwrap(), [(1000, 20.0), (4000, 21.0)]);
        let error = recording(text, Unit::Celsius, BadRows::Fail).unwrap_err().to_string();
        assert!(error.ends_with("r.csv:3: `` is no number"), "{error}");
    }

    #[test]
    fn a_file_without_readings_is_refused() {
        for text in ["", "timestamp,value\n", "a\nb\n"] {
            let error = recording(text, Unit::Celsius, BadRows::Skip).unwrap_err().to_string();
            assert!(error.contains("holds no reading"), "{error}");
        }
    }

    #[test]
    fn the_file_s_stem_is_the_device() {
        assert_eq!(Recording::device_id(Path::new("/a/machine_temperature.csv")), "machine_temperature");
        assert_eq!(Recording::device_id(Path::new("Kühl raum/2.csv")), "2");
        assert_eq!(Recording::device_id(Path::new("Kühl raum 2.csv")), "K-hl-raum-2");
    }
}
