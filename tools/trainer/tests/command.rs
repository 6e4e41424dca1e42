//! The program from outside: what it refuses, and that nothing is written then.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Output};

fn trainer(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    command.current_dir(folder).args(arguments).output().unwrap()
}

#[test]
fn hopeless_data_are_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("empty.csv"), "timestamp,value\n").unwrap();
    std::fs::write(data.join("binary.csv"), [0xff, 0xfe, 0x00, 0x80]).unwrap();
    for (file, value) in [("one", "21.5"), ("two", "x")] {
        let row = |n: u32| format!("2026-01-01 {:02}:{:02}:00,{value}\n", n / 60, n % 60);
        let rows: String = (0..600).map(row).collect();
        std::fs::write(data.join(format!("{file}.csv")), format!("timestamp,value\n{rows}")).unwrap();
    }
    let arguments = ["train", "--data", "data", "--out", "model", "--report", "report"];
    let output = trainer(folder.path(), &arguments);
    assert!(!output.status.success());
    let says = String::from_utf8_lossy(&output.stderr);
    for text in [
        "error: 0 of 4 files below data can be trained on",
        "left out: binary.csv: ",
        "left out: empty.csv: it holds no rows",
        "left out: one.csv: it is constant: 600 of 600 readings are 21.500",
        "left out: two.csv: none of its 600 values is a number",
    ] {
        assert!(says.contains(text), "{says:?} does not say {text:?}");
    }
    assert!(!folder.path().join("model").exists() && !folder.path().join("report").exists());
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, text) in [
        (&["train", "--data", "absent"][..], "cannot read absent"),
        (&["train", "--data", ".", "--share", "0"], "above 0 and at most 1"),
        (&["train", "--share", "0.3"], "--data"),
        (&["train", "--data", ".", "--unit", "none"], "--unit celsius or fahrenheit"),
        (&["backtest", "--out", "out"], "required"),
    ] {
        let output = trainer(folder.path(), arguments);
        let says = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && says.contains(text), "{arguments:?}: {says:?}");
    }
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "something was written");
}
