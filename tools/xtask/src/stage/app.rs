//! The exact list of what the script root holds, and the folder made to agree with it.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::npm::sources;
use crate::workspace::Workspace;

/// Written once from the example, then the user's own: neither overwritten nor removed.
pub(super) const LOCAL_SETTINGS: &str = "local.settings.json";

/// What a file of the script root consists of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A copy of a file.
    Copy(PathBuf),
    /// A copy of a program, which may be executed.
    Program(PathBuf),
    /// A text made here.
    Text(String),
}

/// The files of the script root, by their path in it.
pub(super) type Files = BTreeMap<PathBuf, Content>;

/// Lists what the script root holds.
///
/// # Errors
///
/// When a file that the app cannot do without is missing, or a function's folder holds more than `function.json`.
pub(super) fn list(workspace: &Workspace, handler: &Path, dashboard: Option<&Path>) -> Result<Files> {
    let mut files = Files::new();
    files.insert("host.json".into(), Content::Copy(workspace.path("host.json")));
    files.insert("handler".into(), Content::Program(handler.to_path_buf()));
    for file in ["model/autoencoder.onnx", "model/model_card.json"] {
        let source = workspace.path(file);
        if !source.is_file() {
            bail!("`{file}` is missing: restore it from version control, or train a model with the trainer");
        }
        files.insert(file.into(), Content::Copy(source));
    }
    for (name, declaration) in functions(&workspace.path("functions"))? {
        files.insert(Path::new(&name).join("function.json"), Content::Copy(declaration));
    }
    if let Some(folder) = dashboard {
        for file in sources(folder)? {
            let relative = file.strip_prefix(folder).context("a built file lies outside of its folder")?;
            files.insert(Path::new("dashboard").join(relative), Content::Copy(file.clone()));
        }
    }
    let ignore = publish_list(&files);
    files.insert(".funcignore".into(), Content::Text(ignore));
    Ok(files)
}

/// Makes the folder hold just these files, and the user's local settings.
///
/// # Errors
///
/// When a file cannot be read or the folder cannot be written.
pub(super) fn write(folder: &Path, files: &Files) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("`{}` cannot be created", folder.display()))?;
    for (relative, content) in files {
        let target = folder.join(relative);
        let bytes = match content {
            Content::Copy(source) | Content::Program(source) => {
                fs::read(source).with_context(|| format!("`{}` cannot be read", source.display()))?
            }
            Content::Text(text) => text.clone().into_bytes(),
        };
        replace(&target, &bytes, matches!(content, Content::Program(_)))
            .with_context(|| format!("`{}` cannot be written", target.display()))?;
    }
    remove_others(folder, folder, files)
}

fn functions(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut functions = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("`{}` cannot be read", folder.display()))? {
        let function = entry.with_context(|| format!("`{}` cannot be read", folder.display()))?.path();
        let declaration = function.join("function.json");
        if !declaration.is_file() {
            bail!("`{}` holds no function.json", function.display());
        }
        for file in
            fs::read_dir(&function).with_context(|| format!("`{}` cannot be read", function.display()))?
        {
            let file = file.with_context(|| format!("`{}` cannot be read", function.display()))?;
            if file.file_name() != "function.json" {
                bail!(
                    "`{}` does not belong there: a function's folder holds function.json alone",
                    file.path().display()
                );
            }
        }
        let Some(name) = function.file_name().and_then(|name| name.to_str()) else {
            bail!("`{}` is no name for a function", function.display());
        };
        functions.push((name.to_owned(), declaration.clone()));
    }
    Ok(functions)
}

/// The list again in the form that `func` reads when it publishes: all is ignored but what follows.
///
/// Patterns match prefixes up to a word boundary, and a negation always wins:
/// <https://github.com/Azure/azure-functions-core-tools>, `GitIgnoreParser`.
fn publish_list(files: &Files) -> String {
    let mut text = String::from("*\n");
    for relative in files.keys() {
        text.push('!');
        text.push_str(&relative.to_string_lossy().replace('\\', "/"));
        text.push('\n');
    }
    text
}

/// Renames a complete file into its place, unless the same bytes are there already.
fn replace(target: &Path, bytes: &[u8], executable: bool) -> Result<()> {
    if fs::read(target).is_ok_and(|present| present == bytes) {
        return mark(target, executable);
    }
    let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else {
        bail!("not a file's path")
    };
    if folder.is_file() {
        fs::remove_file(folder)?;
    }
    fs::create_dir_all(folder)?;
    if target.is_dir() {
        fs::remove_dir_all(target)?;
    }
    let new = folder.join(format!(".{}.new", name.to_string_lossy()));
    fs::write(&new, bytes)?;
    mark(&new, executable)?;
    fs::rename(&new, target)?;
    Ok(())
}

/// Sets the mode: everybody reads, and executes what is a program.
fn mark(file: &Path, executable: bool) -> Result<()> {
    let mode = if executable { 0o755 } else { 0o644 };
    fs::set_permissions(file, fs::Permissions::from_mode(mode))?;
    Ok(())
}

fn remove_others(root: &Path, folder: &Path, files: &Files) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("`{}` cannot be read", folder.display()))? {
        let path = entry.with_context(|| format!("`{}` cannot be read", folder.display()))?.path();
        let relative = path.strip_prefix(root).context("a staged file lies outside of the script root")?;
        if files.contains_key(relative) || relative == Path::new(LOCAL_SETTINGS) {
            continue;
        }
        let removed = if !path.is_dir() || path.is_symlink() {
            fs::remove_file(&path)
        } else if files.keys().any(|file| file.starts_with(relative)) {
            remove_others(root, &path, files)?;
            Ok(())
        } else {
            fs::remove_dir_all(&path)
        };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("`{}` cannot be removed", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn files(list: &[(&str, &str)]) -> Files {
        list.iter().map(|(path, text)| (PathBuf::from(path), Content::Text((*text).to_owned()))).collect()
    }

    fn tree(folder: &Path) -> Vec<String> {
        sources(folder)
            .unwrap()
            .iter()
            .map(|file| file.strip_prefix(folder).unwrap().to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn what_is_not_on_the_list_goes_and_local_settings_stay() {
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path();
        write(app, &files(&[("host.json", "{}"), ("old/function.json", "{}"), ("page/a.js", "1")])).unwrap();
        fs::write(app.join(LOCAL_SETTINGS), "mine").unwrap();
        write(app, &files(&[("host.json", "{ }"), ("page/b.js", "2")])).unwrap();
        assert_eq!(tree(app), ["host.json", LOCAL_SETTINGS, "page/b.js"]);
        assert_eq!(fs::read_to_string(app.join("host.json")).unwrap(), "{ }");
        assert_eq!(fs::read_to_string(app.join(LOCAL_SETTINGS)).unwrap(), "mine");
        assert!(!app.join("old").exists());
    }

    #[test]
    fn a_file_that_became_a_folder_and_the_other_way_round_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &files(&[("a", "file"), ("b/c", "folder")])).unwrap();
        write(folder.path(), &files(&[("a/x", "folder"), ("b", "file")])).unwrap();
        assert_eq!(tree(folder.path()), ["a/x", "b"]);
    }

    #[test]
    fn a_running_program_keeps_its_file_and_the_new_one_may_be_executed() {
        let folder = tempfile::tempdir().unwrap();
        let built = folder.path().join("built");
        let staged = folder.path().join("app/handler");
        let list = Files::from([("handler".into(), Content::Program(built.clone()))]);
        fs::write(&built, "one").unwrap();
        write(&folder.path().join("app"), &list).unwrap();
        let before = fs::metadata(&staged).unwrap();
        assert_eq!(before.permissions().mode() & 0o777, 0o755);
        write(&folder.path().join("app"), &list).unwrap();
        assert_eq!(fs::metadata(&staged).unwrap().ino(), before.ino(), "an unchanged file is left alone");
        let running = fs::File::open(&staged).unwrap();
        fs::write(&built, "two").unwrap();
        write(&folder.path().join("app"), &list).unwrap();
        assert_ne!(fs::metadata(&staged).unwrap().ino(), before.ino());
        assert_eq!(std::io::read_to_string(running).unwrap(), "one");
    }

    #[test]
    fn publishing_takes_the_listed_files_and_ignores_all_others() {
        let list = publish_list(&files(&[("host.json", ""), ("score_telemetry/function.json", "")]));
        assert_eq!(list, "*\n!host.json\n!score_telemetry/function.json\n");
    }

    #[test]
    fn a_folder_of_a_function_with_something_else_in_it_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let function = folder.path().join("list_things");
        fs::create_dir(&function).unwrap();
        assert!(functions(folder.path()).unwrap_err().to_string().ends_with("holds no function.json"));
        fs::write(function.join("function.json"), "{}").unwrap();
        assert_eq!(functions(folder.path()).unwrap().len(), 1);
        fs::write(function.join("notes.txt"), "").unwrap();
        assert!(functions(folder.path()).unwrap_err().to_string().contains("notes.txt"));
    }
}
