//! The local settings beside the staged app: made from the example once, then only compared with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::app::LOCAL_SETTINGS;
use crate::workspace::Workspace;

/// The file that names every setting, with values for a machine without Azure.
const EXAMPLE: &str = "local.settings.json.example";

/// Writes the local settings if there are none; else says which settings of the example they lack.
///
/// # Errors
///
/// When one of the files cannot be read as settings, or the new one not be written.
pub(super) fn provide(workspace: &Workspace, app: &Path) -> Result<()> {
    let example = workspace.path(EXAMPLE);
    let present = app.join(LOCAL_SETTINGS);
    if !present.exists() {
        fs::copy(&example, &present).with_context(|| format!("`{}` cannot be written", present.display()))?;
        return Ok(());
    }
    let example = read(&example)?;
    let missing = missing(&example, &read(&present)?);
    if !missing.is_empty() {
        println!(
            "notice: `{}` lacks {}: add what you need, or delete the file to get a new one",
            present.display(),
            missing.join(", ")
        );
    }
    Ok(())
}

/// Reads the settings, by name, of the app that is staged in a folder.
///
/// # Errors
///
/// When there is no such file or it is not one of settings.
pub(crate) fn read(file: &Path) -> Result<BTreeMap<String, String>> {
    let text = fs::read_to_string(file).with_context(|| format!("`{}` cannot be read", file.display()))?;
    let json: Value =
        serde_json::from_str(&text).with_context(|| format!("`{}` is not valid JSON", file.display()))?;
    let values = json.get("Values").and_then(Value::as_object);
    let values = values.with_context(|| format!("`{}` has no object `Values`", file.display()))?;
    let strings = values.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    Ok(strings.collect())
}

fn missing<'a>(example: &'a BTreeMap<String, String>, present: &BTreeMap<String, String>) -> Vec<&'a str> {
    example.keys().filter(|name| !present.contains_key(*name)).map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_the_example_gained_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("settings.json");
        fs::write(&file, r#"{ "Values": { "A": "1" } }"#).unwrap();
        let present = read(&file).unwrap();
        fs::write(&file, r#"{ "Values": { "A": "2", "B": "3" } }"#).unwrap();
        assert_eq!(missing(&read(&file).unwrap(), &present), ["B"]);
        assert!(missing(&present, &read(&file).unwrap()).is_empty());
    }

    #[test]
    fn a_file_without_values_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("settings.json");
        fs::write(&file, "{}").unwrap();
        assert!(read(&file).unwrap_err().to_string().ends_with("has no object `Values`"));
    }
}
