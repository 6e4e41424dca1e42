//! Application settings: the environment and `local.settings.json` enter, values by name leave; the environment wins.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

/// `local.settings.json` cannot be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The file is there but unreadable.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not JSON of the expected shape.
    #[error("cannot parse {path}: {source}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// A `%NAME%` that no setting answers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("setting `{0}` is not set")]
pub struct UnsetSetting(pub String);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LocalSettings {
    #[serde(default)]
    values: BTreeMap<String, String>,
}

/// All settings of the app; values are not printed.
#[derive(Clone, Default)]
pub struct Settings {
    values: BTreeMap<String, String>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.values.keys()).finish()
    }
}

impl Settings {
    /// Settings from `environment`, completed from `local.settings.json` in the script root if it is there.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] when the file is there but cannot be used.
    pub fn load(
        script_root: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let path = script_root.join("local.settings.json");
        let mut values = match std::fs::read(&path) {
            Ok(text) => {
                let local: LocalSettings = serde_json::from_slice(&text)
                    .map_err(|source| SettingsError::Parse { path: path.clone(), source })?;
                local.values
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(SettingsError::Read { path, source }),
        };
        values.extend(environment);
        Ok(Self { values })
    }

    /// The value of a setting; an empty one counts as unset, as in the host.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Sets or replaces a value.
    pub fn set(&mut self, name: &str, value: String) {
        self.values.insert(name.to_owned(), value);
    }

    /// All settings by name, for the handler's environment.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Replaces every `%NAME%` in the text.
    ///
    /// # Errors
    ///
    /// [`UnsetSetting`] names the first setting that is missing.
    pub fn resolve(&self, text: &str) -> Result<String, UnsetSetting> {
        let mut resolved = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            let Some((name, tail)) = after.split_once('%') else { break };
            resolved.push_str(before);
            resolved.push_str(self.get(name).ok_or_else(|| UnsetSetting(name.to_owned()))?);
            rest = tail;
        }
        resolved.push_str(rest);
        Ok(resolved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_wins_and_percent_names_resolve() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"IsEncrypted": false, "Values": {"A": "file", "B": "b"}}"#;
        std::fs::write(folder.path().join("local.settings.json"), text).unwrap();
        let environment = [("A".to_owned(), "env".to_owned())];
        let settings = Settings::load(folder.path(), environment).unwrap();
        assert_eq!(settings.resolve("%A%-%B%/100%").unwrap(), "env-b/100%");
        assert_eq!(settings.resolve("%C%"), Err(UnsetSetting("C".to_owned())));
    }
}
