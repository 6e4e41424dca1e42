//! The truth about injected faults, as a CSV file.

use crate::time::rfc3339;
use anyhow::{Context, Result};
use simulator::Fault;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Writes one row a fault, when it begins.
pub(crate) struct Labels {
    path: PathBuf,
    rows: csv::Writer<File>,
}

impl Labels {
    /// Creates the file and writes its header.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let file =
            File::create(path).with_context(|| format!("labels `{}` cannot be created", path.display()))?;
        let mut labels = Self { path: path.to_owned(), rows: csv::Writer::from_writer(file) };
        labels.row(&["device_id", "fault", "alert", "magnitude", "start", "end"])?;
        labels.flush()?;
        Ok(labels)
    }

    /// Adds faults of a device that is read every `interval_ms`; `start` and `end` are the first and last reading.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(crate) fn add(&mut self, device_id: &str, faults: &[Fault], interval_ms: i64) -> Result<()> {
        for fault in faults {
            let kind = fault.kind;
            let least_ms = i64::from(kind.least_readings()).saturating_sub(1).saturating_mul(interval_ms);
            let last_ms = (fault.duration_ms - 1).div_euclid(interval_ms.max(1)).saturating_mul(interval_ms);
            let end_ms = fault.start_ms.saturating_add(least_ms.max(last_ms));
            let magnitude = fault.magnitude.to_string();
            let (start, end) = (rfc3339(fault.start_ms), rfc3339(end_ms));
            self.row(&[device_id, kind.name(), kind.alert().name(), &magnitude, &start, &end])?;
        }
        if faults.is_empty() { Ok(()) } else { self.flush() }
    }

    fn row(&mut self, fields: &[&str]) -> Result<()> {
        self.rows.write_record(fields).with_context(|| self.complaint())
    }

    fn flush(&mut self) -> Result<()> {
        self.rows.flush().with_context(|| self.complaint())
    }

    fn complaint(&self) -> String {
        format!("labels `{}` cannot be written", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simulator::FaultKind;

    #[test]
    fn rows_name_the_first_and_the_last_reading() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        let mut labels = Labels::create(&path).unwrap();
        let start = 1_767_323_040_000;
        let faults = [
            Fault::new(FaultKind::Spike, start, -2.0),
            Fault::new(FaultKind::Range, start, 85.0),
            Fault::new(FaultKind::Shift, start, 1.0).lasting(600_000),
        ];
        labels.add("d1", &faults, 60_000).unwrap();
        let expected = "device_id,fault,alert,magnitude,start,end\n\
            d1,spike,spike,-2,2026-01-02T03:04:00.000Z,2026-01-02T03:04:00.000Z\n\
            d1,range,range,85,2026-01-02T03:04:00.000Z,2026-01-02T03:06:00.000Z\n\
            d1,shift,shift,1,2026-01-02T03:04:00.000Z,2026-01-02T03:13:00.000Z\n";
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    }
}
