//! The account's journal: one JSON line per change enters, at the start all changes leave in order.
//!
//! A line torn by a crash ends the journal; a journal that is mostly history is rewritten at the start, so it stays proportional to the documents.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::account::ResourceNames;

/// The journal's file cannot be used.
#[derive(Debug, Error)]
#[error("cannot {action} the cosmos journal {path}: {source}")]
pub struct JournalError {
    action: &'static str,
    path: PathBuf,
    source: std::io::Error,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub(crate) enum Entry {
    /// A container was created.
    Container {
        /// Where.
        #[serde(flatten)]
        names: ResourceNames,
        /// The path of the partition key in a document.
        partition_key_path: String,
    },
    /// A document was created, replaced or upserted.
    Put {
        /// Where.
        #[serde(flatten)]
        names: ResourceNames,
        /// The document without system properties.
        document: Value,
        /// When it was written, in seconds since 1970.
        #[serde(default)]
        at: i64,
    },
    /// A document was deleted.
    Delete {
        /// Where.
        #[serde(flatten)]
        names: ResourceNames,
        /// The partition key as JSON text of an array.
        partition_key: String,
        /// The document's id.
        id: String,
    },
}

/// The open file.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Opens the journal and returns it with what it holds, history dropped.
    pub(crate) fn open(path: &Path) -> Result<(Self, Vec<Entry>), JournalError> {
        let fail = |action| move |source| JournalError { action, path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(fail("create the folder of"))?;
        }
        let entries = compact(read(path).map_err(fail("read"))?);
        // Rewriting at every start also removes a torn last line.
        let file = write_anew(path, &entries).map_err(fail("rewrite"))?;
        Ok((Self { file, path: path.to_owned() }, entries))
    }

    /// Replaces all changes so far.
    pub(crate) fn rewrite(&mut self, entries: &[Entry]) -> Result<(), JournalError> {
        let fail = |source| JournalError { action: "rewrite", path: self.path.clone(), source };
        self.file = write_anew(&self.path, entries).map_err(fail)?;
        Ok(())
    }

    /// All changes so far, history dropped.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>, JournalError> {
        let entries = read(&self.path);
        let fail = |source| JournalError { action: "read", path: self.path.clone(), source };
        Ok(compact(entries.map_err(fail)?))
    }

    /// Appends one change; it survives the end of this process, not that of the machine.
    pub(crate) fn append(&mut self, entry: &Entry) -> Result<(), JournalError> {
        self.file.write_all(&line(entry)).map_err(|source| JournalError {
            action: "append to",
            path: self.path.clone(),
            source,
        })
    }
}

/// Writes a journal beside the old one, puts it in its place and opens it for more.
fn write_anew(path: &Path, entries: &[Entry]) -> std::io::Result<File> {
    let fresh = path.with_extension("new");
    let mut file = BufWriter::new(File::create(&fresh)?);
    for entry in entries {
        file.write_all(&line(entry))?;
    }
    file.into_inner()?.sync_all()?;
    std::fs::rename(&fresh, path)?;
    OpenOptions::new().append(true).open(path)
}

fn line(entry: &Entry) -> Vec<u8> {
    // An entry is made of strings and JSON values, which always serialize.
    let mut line = serde_json::to_vec(entry).unwrap_or_default();
    line.push(b'\n');
    line
}

fn read(path: &Path) -> std::io::Result<Vec<Entry>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut entries = Vec::new();
    for line in BufReader::new(file).split(b'\n') {
        match serde_json::from_slice(&line?) {
            Ok(entry) => entries.push(entry),
            Err(_) => break,
        }
    }
    Ok(entries)
}

/// Keeps of every document only its last state, in the order of the last changes.
pub(super) fn compact(entries: Vec<Entry>) -> Vec<Entry> {
    let mut paths: HashMap<ResourceNames, String> = HashMap::new();
    let mut last: HashMap<(ResourceNames, String, String), usize> = HashMap::new();
    for (index, entry) in entries.iter().enumerate() {
        match entry {
            Entry::Container { names, partition_key_path } => {
                paths.insert(names.clone(), partition_key_path.clone());
            }
            Entry::Put { names, document, .. } => {
                let key = partition_key(document, paths.get(names).map_or("", String::as_str));
                last.insert((names.clone(), key, text(&document["id"])), index);
            }
            Entry::Delete { names, partition_key, id } => {
                last.insert((names.clone(), normalized(partition_key), id.clone()), index);
            }
        }
    }
    let keep: std::collections::HashSet<usize> = last.into_values().collect();
    entries
        .into_iter()
        .enumerate()
        .filter(|(index, entry)| match entry {
            Entry::Container { .. } => true,
            Entry::Put { .. } => keep.contains(index),
            Entry::Delete { .. } => false,
        })
        .map(|(_, entry)| entry)
        .collect()
}

/// The partition key of a document, as JSON text of an array.
pub(super) fn partition_key(document: &Value, path: &str) -> String {
    let mut value = document;
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        value = value.get(segment).unwrap_or(&Value::Null);
    }
    format!("[{value}]")
}

fn normalized(partition_key: &str) -> String {
    match serde_json::from_str::<Value>(partition_key) {
        Ok(value) => value.to_string(),
        Err(_) => partition_key.to_owned(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names() -> ResourceNames {
        ResourceNames { database: "d".to_owned(), container: "c".to_owned() }
    }

    fn put(id: &str, value: i32) -> Entry {
        Entry::Put { names: names(), document: json!({ "id": id, "bucket": "b", "v": value }), at: 7 }
    }

    #[test]
    fn reopening_keeps_the_last_state_and_forgets_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let container = Entry::Container { names: names(), partition_key_path: "/bucket".to_owned() };
        let (mut journal, entries) = Journal::open(&path).unwrap();
        assert!(entries.is_empty());
        let deleted =
            Entry::Delete { names: names(), partition_key: "[ \"b\" ]".to_owned(), id: "y".to_owned() };
        for entry in [&container, &put("x", 1), &put("y", 1), &put("x", 2), &deleted] {
            journal.append(entry).unwrap();
        }
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"op\":\"put\",\"databa").unwrap();
        let (_, entries) = Journal::open(&path).unwrap();
        assert_eq!(entries, vec![container, put("x", 2)]);
    }
}
