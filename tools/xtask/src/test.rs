//! Checks everything, in order, and ends with what passed, failed and was skipped.
//!
//! What enters is the repository; what leaves is an exit code and a summary. It does all set-up it needs. A section
//! that fails does not keep the others from running; one that cannot run says why.

mod dependencies;
mod javascript;
mod rust;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use crate::workspace::Workspace;
use crate::{command, stage};

/// Options of `test`.
#[derive(Args)]
pub(crate) struct Options {
    /// Sections to run; all, if none is named.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(SECTIONS.map(|section| section.name)))]
    sections: Vec<String>,
}

/// One part of the checks.
struct Section {
    name: &'static str,
    about: &'static str,
    run: fn(&Workspace) -> Result<Outcome>,
}

/// How a section ended that did not fail.
enum Outcome {
    Passed,
    /// It could not run, for this reason.
    Skipped(String),
    /// It could not run, for this reason, and a CI system that lacks this checks too little.
    Lacking(String),
}

const SECTIONS: [Section; 9] = [
    Section { name: "format", about: "Rust sources are formatted", run: rust::format },
    Section { name: "lint", about: "clippy finds nothing", run: rust::lint },
    Section { name: "rust", about: "Rust tests", run: rust::test },
    Section { name: "deny", about: "dependencies: bans, licenses, sources", run: dependencies::deny },
    Section { name: "advisories", about: "dependencies: security advisories", run: dependencies::advisories },
    Section { name: "openssl", about: "dependencies: no OpenSSL", run: dependencies::openssl },
    Section { name: "dashboard", about: "dashboard: lint, types, tests, build", run: javascript::dashboard },
    Section { name: "stage", about: "the app is staged", run: staged },
    Section { name: "e2e", about: "end-to-end tests on the staged app", run: javascript::end_to_end },
];

/// Runs `test`.
///
/// # Errors
///
/// When a section fails.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let chosen = |section: &&Section| {
        options.sections.is_empty() || options.sections.iter().any(|name| name == section.name)
    };
    let mut results = Vec::new();
    for section in SECTIONS.iter().filter(chosen) {
        println!("\n=== {}: {} ===", section.name, section.about);
        let start = Instant::now();
        let result = (section.run)(workspace);
        if let Err(error) = &result {
            println!("FAILED {}: {error:#}", section.name);
        }
        results.push((section.name, result, start.elapsed()));
    }
    summarize(&results)
}

fn summarize(results: &[(&'static str, Result<Outcome>, Duration)]) -> Result<()> {
    let (mut passed, mut skipped, mut failed) = (0, 0, Vec::new());
    println!("\n=== summary ===");
    for (name, result, took) in results {
        let (word, why) = match result {
            Ok(Outcome::Passed) => {
                passed += 1;
                ("passed", String::new())
            }
            Ok(Outcome::Lacking(why)) if command::in_ci() => {
                failed.push(*name);
                ("FAILED", why.clone())
            }
            Ok(Outcome::Skipped(why) | Outcome::Lacking(why)) => {
                skipped += 1;
                ("SKIPPED", why.clone())
            }
            Err(error) => {
                failed.push(*name);
                ("FAILED", format!("{error:#}"))
            }
        };
        println!("{word:8} {name:10} {:7.1} s  {why}", took.as_secs_f64());
    }
    println!("sections: {passed} passed, {} failed, {skipped} skipped", failed.len());
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn staged(workspace: &Workspace) -> Result<Outcome> {
    let staged = stage::stage(workspace, "release")?;
    Ok(match staged.dashboard_missing {
        Some(reason) => Outcome::Lacking(format!("staged without its dashboard: {reason}")),
        None => Outcome::Passed,
    })
}
