//! Recordings played back.

use crate::harness::run;
use crate::hub::{Call, Hub, status};
use std::fs;
use std::path::PathBuf;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

#[test]
fn two_recordings_are_two_devices_in_one_time() {
    let folder = Folder::new();
    let one = folder.file("boiler.csv", "timestamp,value\n2014-02-07 10:00:00,212\n2014-02-07 10:10:00,32\n");
    let other = folder.file("ice box.csv", "2014-02-07T10:05:00Z,14\n2014-02-07T10:15:00Z,5\n");
    let args = ["--target", "stdout", "--replay", &one, "--replay", &other, "--unit", "fahrenheit"];
    let rows: Vec<String> = run(&args, &[])
        .succeeded()
        .lines()
        .iter()
        .map(|line| {
            format!(
                "{} {} {}",
                line["timestamp"].as_str().unwrap(),
                line["deviceId"].as_str().unwrap(),
                line["temperature"]
            )
        })
        .collect();
    let expected = [
        "2014-02-07T10:00:00.000Z boiler 100.0",
        "2014-02-07T10:05:00.000Z ice-box -10.0",
        "2014-02-07T10:10:00.000Z boiler 0.0",
        "2014-02-07T10:15:00.000Z ice-box -15.0",
    ];
    assert_eq!(rows, expected);
}

#[test]
fn every_row_arrives_once_however_they_are_spaced() {
    let folder = Folder::new();
    // A dense stretch, a year of nothing, a step back in time.
    let times = (0..500).chain(31_536_000..31_536_500).chain(31_536_100..31_536_110);
    let text: String = times.map(|second| format!("{},20\n", 1_391_784_900 + second)).collect();
    let file = folder.file("r.csv", &text);
    let hub = Hub::start(|_, _| status(204));
    let url = format!("http://{}", hub.host);
    run(&["--url", &url, "--replay", &file, "--readings-per-message", "50"], &[]).succeeded();
    let sent: Vec<String> = hub
        .calls()
        .iter()
        .flat_map(Call::readings)
        .map(|reading| reading["timestamp"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(sent.len(), 1010);
    assert!(sent[..1000].is_sorted());
    assert!(sent[1000] < sent[999]);
}

#[test]
fn bad_rows_are_named_with_their_line() {
    let folder = Folder::new();
    let file =
        folder.file("r.csv", "timestamp,value\n1391784900,20\n\nsoon,20\n1391784960,warm\n1391785020,21\n");
    let skipped = run(&["--target", "stdout", "--replay", &file], &[]).succeeded();
    assert_eq!(skipped.lines().len(), 2);
    assert!(skipped.stderr.contains("r.csv:4: `soon` is no timestamp; row skipped"), "{}", skipped.stderr);
    assert!(skipped.stderr.contains("r.csv:5: `warm` is no number; row skipped"), "{}", skipped.stderr);
    let stopped = run(&["--target", "stdout", "--replay", &file, "--bad-rows", "fail"], &[]);
    assert_ne!(stopped.code, 0);
    assert!(stopped.stderr.contains("r.csv:4: `soon` is no timestamp"), "{}", stopped.stderr);
}

#[test]
fn files_that_cannot_be_played_are_refused() {
    let folder = Folder::new();
    let empty = folder.file("empty.csv", "timestamp,value\n");
    let one = folder.file("a/r.csv", "1,20\n");
    let same = folder.file("b/r.csv", "1,20\n");
    let cases: [(&[&str], &str); 4] = [
        (&["--replay", "nowhere.csv"], "`nowhere.csv` cannot be opened"),
        (&["--replay", &empty], "holds no reading"),
        (&["--replay", &one, "--replay", &same], "another recording is named `r` already"),
        (&["--replay", &one, "--history", "1d"], "cannot be used with"),
    ];
    for (args, complaint) in cases {
        let run = run(args, &[]);
        assert_eq!(run.code, 64, "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains(complaint), "{args:?}: {}", run.stderr);
    }
}
