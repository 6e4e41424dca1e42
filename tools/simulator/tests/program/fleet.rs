//! Simulated fleets, seen on stdout.

use crate::harness::run;
use std::collections::HashSet;

#[test]
fn a_fleet_on_stdout_is_json_lines_in_order_of_time() {
    let run = run(
        &[
            "--target",
            "stdout",
            "--devices",
            "8",
            "--history",
            "1h",
            "--duration",
            "0",
            "--timestamps",
            "epoch-ms",
            "--fault-rate=0",
        ],
        &[],
    )
    .succeeded();
    let lines = run.lines();
    assert_eq!(lines.len(), 480);
    let times: Vec<i64> = lines.iter().map(|line| line["timestamp"].as_i64().unwrap()).collect();
    assert!(times.is_sorted());
    let devices: HashSet<&str> = lines.iter().map(|line| line["deviceId"].as_str().unwrap()).collect();
    assert_eq!(devices.len(), 8);
    assert!(devices.contains("machine-008"));
}

#[test]
fn the_classic_fleet_is_labelled_exactly_where_it_is_hot() {
    let folder = tempfile::tempdir().unwrap();
    let labels = folder.path().join("labels.csv");
    let args = [
        "--target",
        "stdout",
        "--profile",
        "classic",
        "--devices",
        "3",
        "--history",
        "1d",
        "--duration",
        "0",
        "--fault-rate",
        "50",
        "--labels",
        labels.to_str().unwrap(),
    ];
    let run = run(&args, &[]).succeeded();
    let key = |device: &str, time: &str| format!("{device} {time}");
    let hot: HashSet<String> = run
        .lines()
        .iter()
        .filter(|line| line["temperature"].as_f64().unwrap() > 30.0)
        .map(|line| key(line["deviceId"].as_str().unwrap(), line["timestamp"].as_str().unwrap()))
        .collect();
    let mut labelled = HashSet::new();
    for row in csv::Reader::from_path(&labels).unwrap().records() {
        let row = row.unwrap();
        assert_eq!((&row[1], &row[2]), ("spike", "spike"));
        assert_eq!(row[4], row[5]);
        labelled.insert(key(&row[0], &row[4]));
    }
    assert!(hot.len() > 20, "{}", hot.len());
    assert_eq!(hot, labelled);
}

#[test]
fn an_injected_fault_follows_soon_after_going_live() {
    let args = [
        "--target",
        "stdout",
        "--devices",
        "2",
        "--every",
        "20ms",
        "--count",
        "60",
        "--fault-rate",
        "0",
        "--inject",
        "2:range:100ms",
        "--inject",
        "room-001:stuck:0:10s",
    ];
    let lines = run(&args, &[]).succeeded().lines();
    assert_eq!(lines.len(), 60);
    let codes = lines.iter().filter(|line| line["temperature"] == -127.0).count();
    assert_eq!(codes, 3);
    assert!(
        lines
            .iter()
            .filter(|line| line["temperature"] == -127.0)
            .all(|line| line["deviceId"] == "fridge-002")
    );
    let room: HashSet<String> = lines
        .iter()
        .filter(|line| line["deviceId"] == "room-001")
        .map(|line| line["temperature"].to_string())
        .collect();
    assert_eq!(room.len(), 1, "a stuck sensor repeats itself: {room:?}");
}

#[test]
fn calls_that_make_no_sense_say_what_to_change() {
    let cases: [(&[&str], &str); 7] = [
        (&["--inject", "99:spike"], "no device `99`: give a number from 1 to 10 or an id such as `room-001`"),
        (&["--inject", "1:fire"], "unknown fault `fire`"),
        (&["--profile", "toy"], "unknown family `toy`"),
        (&["--every", "0"], "--every must be above 0"),
        (&["--fault-rate", "-1"], "--fault-rate"),
        (&["--url", "ftp://127.0.0.1"], "neither http nor https"),
        (&["--prefix", "a/b"], "--prefix"),
    ];
    for (args, complaint) in cases {
        let run = run(args, &[]);
        assert_eq!(run.code, 64, "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains(complaint), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn help_is_no_error() {
    let run = run(&["--help"], &[]).succeeded();
    assert!(run.stdout.contains("--replay"));
}
