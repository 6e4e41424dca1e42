//! Checkpoints: per hub, consumer group and partition the position after what was processed, in one small file each.

use std::path::{Path, PathBuf};

use super::log::{HubError, Position};

/// The checkpoints of one consumer group on one hub.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    folder: PathBuf,
    prefix: String,
}

impl Checkpoints {
    /// Checkpoints kept in `folder`.
    #[must_use]
    pub fn new(folder: &Path, hub: &str, consumer_group: &str) -> Self {
        let group: String = consumer_group
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' })
            .collect();
        Self { folder: folder.to_owned(), prefix: format!("{hub}.{group}") }
    }

    /// The checkpoint of a partition, if there is one.
    ///
    /// # Errors
    ///
    /// [`HubError`] when the file is there but unreadable.
    pub fn load(&self, partition: usize) -> Result<Option<Position>, HubError> {
        let path = self.path(partition);
        match std::fs::read(&path) {
            Ok(text) => match serde_json::from_slice(&text) {
                Ok(position) => Ok(Some(position)),
                Err(_) => Err(HubError::Damaged { path, offset: 0 }),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(HubError::File { action: "read", path, source }),
        }
    }

    /// Replaces the checkpoint of a partition.
    ///
    /// # Errors
    ///
    /// [`HubError`] when the file cannot be written.
    pub fn save(&self, partition: usize, position: Position) -> Result<(), HubError> {
        let path = self.path(partition);
        let fresh = path.with_extension("new");
        let text = serde_json::to_vec(&position).unwrap_or_default();
        std::fs::create_dir_all(&self.folder)
            .and_then(|()| std::fs::write(&fresh, text))
            .and_then(|()| std::fs::rename(&fresh, &path))
            .map_err(|source| HubError::File { action: "write", path, source })
    }

    fn path(&self, partition: usize) -> PathBuf {
        self.folder.join(format!("{}.{partition}.checkpoint", self.prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_groups_apart() {
        let folder = tempfile::tempdir().unwrap();
        let group = Checkpoints::new(folder.path(), "telemetry", "$Default");
        let position = Position { next_offset: 10, next_sequence_number: 2 };
        assert_eq!(group.load(0).unwrap(), None);
        group.save(0, position).unwrap();
        assert_eq!(group.load(0).unwrap(), Some(position));
        assert_eq!(Checkpoints::new(folder.path(), "telemetry", "other").load(0).unwrap(), None);
    }
}
