//! Whole backtests: files in, files out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use trainer::backtest::{self, Model, Request};
use trainer::series::Unit;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn run(unit: Unit, files: &[PathBuf], out: &Path) -> anyhow::Result<backtest::Summary> {
    let request = Request { unit, files, out, plot: true };
    backtest::run(&Model::load(&repository("model")).unwrap(), request)
}

/// The handler's tests send the same series through its functions, and find the same scores.
#[test]
fn the_series_that_the_handler_serves_is_replayed_as_it_was() {
    let series = repository("handler/tests/fixtures/backtested.csv");
    let out = tempfile::tempdir().unwrap();
    let summary = run(Unit::Celsius, std::slice::from_ref(&series), out.path()).unwrap();
    assert_eq!((summary.n_files, summary.n_rows), (1, 1500));
    let replayed = std::fs::read_to_string(out.path().join("series/backtested.csv")).unwrap();
    let before = std::fs::read_to_string(&series).unwrap();
    for (replayed, before) in replayed.lines().zip(before.lines()) {
        assert_eq!(replayed, before);
    }
    let alerts = std::fs::read_to_string(out.path().join("alerts.csv")).unwrap();
    let kinds: Vec<&str> = alerts.lines().skip(1).filter_map(|line| line.split(',').nth(3)).collect();
    assert!(["range", "silence", "stuck"].iter().all(|kind| kinds.contains(kind)), "{alerts}");
    let picture = std::fs::read_to_string(out.path().join("plots/backtested.svg")).unwrap();
    for kind in kinds {
        assert!(picture.contains(&format!("alert: {kind}")), "{kind}");
    }
}

#[test]
fn two_files_of_one_stem_are_refused() {
    let out = tempfile::tempdir().unwrap();
    let series = repository("handler/tests/fixtures/backtested.csv");
    let error = run(Unit::Celsius, &[series.clone(), series], out.path()).unwrap_err();
    assert!(error.to_string().contains("rename one"), "{error}");
}

#[test]
fn what_is_no_series_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("series.csv");
    for (text, says) in [
        ("time,value\n", "begins with other columns"),
        ("timestamp,value\nyesterday,1\n", "line 2: \"yesterday\" is no time"),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = run(Unit::None, std::slice::from_ref(&file), folder.path()).unwrap_err();
        assert!(format!("{error:#}").contains(says), "{error:#}");
    }
}

#[test]
fn degrees_fahrenheit_come_back_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("series.csv");
    let mut text = "timestamp,value\n".to_owned();
    for n in 0..60 {
        text.push_str(&format!("2026-01-01 00:{n:02}:00,{}\n", 68.0 + f64::from(n % 2)));
    }
    std::fs::write(&file, text).unwrap();
    run(Unit::Fahrenheit, &[file], folder.path()).unwrap();
    let replayed = std::fs::read_to_string(folder.path().join("series/series.csv")).unwrap();
    let expected: f64 = replayed.lines().last().unwrap().split(',').nth(2).unwrap().parse().unwrap();
    assert!((60.0..75.0).contains(&expected), "{expected}");
}
