//! Which event is being scored, in a file that outlives the process: names the event that ends it.
//!
//! A process that is killed while it decides leaves its stretch behind. The next one scores that stretch event by
//! event, and an event that was at hand when three processes in a row ended is rejected.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Processes that an event may end before it is rejected: a process can also end by chance.
const MAX_ENDS: i64 = 3;
/// More than a journal is long.
const JOURNAL_BYTES: u64 = 64;

/// A partition's journal.
#[derive(Debug)]
pub struct Journal {
    file: File,
    suspect: Suspect,
}

/// What an earlier process was at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Suspect {
    /// Whether there is one at all.
    is_set: bool,
    first: i64,
    last: i64,
    event: i64,
    /// Processes in a row that ended at this event; 0 when no event was named.
    n_ends: i64,
}

impl Journal {
    /// Opens a partition's journal, and reads what an earlier process left.
    ///
    /// # Errors
    ///
    /// The file system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        Read::take(&mut file, JOURNAL_BYTES).read_to_end(&mut bytes)?;
        Ok(Self { file, suspect: Suspect::read(&bytes) })
    }

    /// Tells whether a stretch is one in which an earlier process ended.
    #[must_use]
    pub fn suspects(&self, first: i64, last: i64) -> bool {
        self.suspect.is_set && self.suspect.first <= last && first <= self.suspect.last
    }

    /// Tells whether an event has ended so many processes that it must be rejected.
    #[must_use]
    pub fn condemns(&self, event: i64) -> bool {
        self.suspect.is_set && self.suspect.event == event && self.suspect.n_ends >= MAX_ENDS
    }

    /// Notes that a stretch is being decided.
    ///
    /// # Errors
    ///
    /// The file system's.
    pub fn begin(&mut self, first: i64, last: i64) -> io::Result<()> {
        self.write(Suspect { is_set: true, first, last, event: 0, n_ends: 0 })
    }

    /// Notes that one event of a stretch is being decided.
    ///
    /// # Errors
    ///
    /// The file system's.
    pub fn name(&mut self, first: i64, last: i64, event: i64) -> io::Result<()> {
        let is_again = self.suspect.is_set && self.suspect.event == event;
        let n_ends = if is_again { self.suspect.n_ends + 1 } else { 1 };
        self.write(Suspect { is_set: true, first, last, event, n_ends })
    }

    /// Notes that a stretch is decided.
    ///
    /// # Errors
    ///
    /// The file system's.
    pub fn end(&mut self) -> io::Result<()> {
        self.suspect = Suspect::default();
        self.write(Suspect::default())
    }

    fn write(&mut self, suspect: Suspect) -> io::Result<()> {
        let numbers = [i64::from(suspect.is_set), suspect.first, suspect.last, suspect.event, suspect.n_ends];
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&bytes)
    }
}

impl Suspect {
    fn read(bytes: &[u8]) -> Self {
        let numbers: Vec<i64> = bytes.as_chunks().0.iter().map(|chunk| i64::from_le_bytes(*chunk)).collect();
        match numbers[..] {
            [1, first, last, event, n_ends] => Self { is_set: true, first, last, event, n_ends },
            _ => Self::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_ends_three_processes_is_condemned() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        Journal::open(&path).unwrap().begin(1, 9).unwrap();
        for _ in 0..MAX_ENDS {
            let mut journal = Journal::open(&path).unwrap();
            assert!(journal.suspects(9, 20) && !journal.suspects(10, 20) && !journal.condemns(5));
            journal.name(1, 9, 4).unwrap();
            journal.name(1, 9, 5).unwrap();
        }
        assert!(Journal::open(&path).unwrap().condemns(5));
        assert!(!Journal::open(&path).unwrap().condemns(4));
    }

    #[test]
    fn what_was_decided_is_no_suspect() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path).unwrap();
        journal.begin(1, 9).unwrap();
        journal.end().unwrap();
        assert!(!Journal::open(&path).unwrap().suspects(1, 9));
    }

    #[test]
    fn any_file_can_be_a_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        std::fs::write(&path, [7; 1000]).unwrap();
        assert!(!Journal::open(&path).unwrap().suspects(i64::MIN, i64::MAX));
    }
}
