//! A folder in place of a mail server: a file a letter and address.

use std::path::PathBuf;

use lettre::Address;

use super::{Letter, Outcome};

/// Files that the folder holds at most; the oldest go first.
const MOST_FILES: usize = 500;

/// A folder of letters.
#[derive(Debug)]
pub(super) struct Outbox {
    folder: PathBuf,
}

impl Outbox {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(super) fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    pub(super) async fn reach(&self) -> Result<(), String> {
        let made = tokio::fs::create_dir_all(&self.folder).await;
        made.map_err(|error| format!("folder `{}` cannot be made: {error}", self.folder.display()))
    }

    /// Writes a letter; the same letter again is the same file.
    pub(super) async fn keep(&self, letter: &Letter, to: &Address, message: &[u8]) -> Outcome {
        let file = self.folder.join(name(letter, to));
        let unfinished = file.with_extension("new");
        let written = async {
            tokio::fs::write(&unfinished, message).await?;
            tokio::fs::rename(&unfinished, &file).await?;
            self.forget_the_oldest().await
        };
        match written.await {
            Ok(()) => Outcome::Sent,
            Err(error) => Outcome::Failed(format!("`{}` cannot be written: {error}", file.display())),
        }
    }

    async fn forget_the_oldest(&self) -> std::io::Result<()> {
        let mut names = Vec::new();
        let mut entries = tokio::fs::read_dir(&self.folder).await?;
        while let Some(entry) = entries.next_entry().await? {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".eml") {
                names.push(name);
            }
        }
        names.sort_unstable();
        for name in names.iter().take(names.len().saturating_sub(MOST_FILES)) {
            tokio::fs::remove_file(self.folder.join(name)).await?;
        }
        Ok(())
    }
}

/// A name that sorts by time.
fn name(letter: &Letter, to: &Address) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let plain =
        |text: &str| text.chars().map(|c| if is_plain(c) { c } else { '_' }).take(80).collect::<String>();
    let id = letter.message_id.trim_matches(['<', '>']);
    let id = id.split_once('@').map_or(id, |(id, _)| id);
    format!("{:014}-{}-{}.eml", letter.at, plain(id), plain(to.as_ref()))
}
