//! A small training from end to end, and what the committed model must be able to do.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::Range;
use std::path::Path;

use autoencoder::Autoencoder;
use detector::{Detector, Device, Fact, Policy, Prior, Reading, Verdict, WINDOW_LENGTH};
use simulator::random::Draws;
use simulator::{Family, MINUTE_MS, series};
use trainer::fit::Recipe;
use trainer::fleet::FleetSize;
use trainer::measured::Measured;
use trainer::series::Unit;
use trainer::train::{TrainOptions, train};
use wire::model_card::ModelCard;

const ONNX: &[u8] = include_bytes!("../../../model/autoencoder.onnx");
const CARD: &[u8] = include_bytes!("../../../model/model_card.json");
const START_MS: i64 = 1_767_225_600_000;

fn small(seed: u64) -> TrainOptions {
    let standard = TrainOptions::standard(seed);
    TrainOptions {
        recipe: Recipe { n_epochs: 3, ..standard.recipe },
        training: FleetSize { n_devices: 1, n_readings: 400 },
        validation: FleetSize { n_devices: 1, n_readings: 200 },
        ..standard
    }
}

#[test]
fn a_seed_gives_the_same_files_and_another_gives_others() {
    let one = train(&small(1), &[], &|_| ()).unwrap();
    let again = train(&small(1), &[], &|_| ()).unwrap();
    let other = train(&small(2), &[], &|_| ()).unwrap();
    assert_eq!(one.onnx, again.onnx);
    assert_eq!(one.card_json, again.card_json);
    assert_ne!(one.onnx, other.onnx);
    ModelCard::parse(&one.card_json).unwrap().verify(&one.onnx).unwrap();
}

#[test]
fn the_report_is_one_page_with_its_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let trained = train(&small(1), &[], &|_| ()).unwrap();
    let path = trainer::report::write(folder.path(), &trained, &[]).unwrap();
    let page = std::fs::read_to_string(path).unwrap();
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    // The course, the distributions, the families, and typical and worst windows of each family.
    assert_eq!(page.matches("<svg").count(), 3 + 2 * Family::ALL.len(), "{}", Family::ALL.len());
    for text in ["Course", "Errors and thresholds", "Typical windows", "Worst windows"] {
        assert!(page.contains(text), "{text}");
    }
}

/// Writes the readings of a simulated device as a user's file; those at `labelled` are labelled.
fn write_series(file: &Path, family: Family, seed: u64, labelled: Range<usize>) {
    let mut text = "timestamp,value,label\n".to_owned();
    let samples = series(family, seed, START_MS, family.usual_interval_ms()).take(500);
    for (n, sample) in samples.enumerate() {
        let seconds = (sample.timestamp_ms - START_MS) / 1000;
        let (day, hour, minute, second) =
            (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        let label = u8::from(labelled.contains(&n));
        let celsius = sample.celsius;
        text.push_str(&format!(
            "2026-01-{:02} {hour:02}:{minute:02}:{second:02},{celsius},{label}\n",
            day + 1
        ));
    }
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

/// A folder with four good files in it, and one that is not.
fn write_folder(folder: &Path) {
    for (seed, (name, family)) in (0..).zip([
        ("north/room.csv", Family::Room),
        ("north/<b>fridge.csv", Family::Fridge),
        ("south/freezer.CSV", Family::Freezer),
        ("machine.csv", Family::Machine),
    ]) {
        write_series(&folder.join(name), family, seed, if seed == 1 { 300..330 } else { 0..0 });
    }
    std::fs::write(folder.join("empty.csv"), "timestamp,value\n").unwrap();
}

#[test]
fn a_seed_and_the_same_series_give_the_same_files_wherever_they_lie() {
    let trained = |folder: &Path| {
        write_folder(folder);
        let measured = Measured::read(folder, Unit::Celsius).unwrap();
        train(&small(1), &measured.series, &|_| ()).unwrap()
    };
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, again) = (trained(one.path()), trained(&other.path().join("elsewhere")));
    assert_eq!(one.onnx, again.onnx);
    assert_eq!(one.card_json, again.card_json);
    let synthetic = train(&small(1), &[], &|_| ()).unwrap();
    assert_ne!(one.onnx, synthetic.onnx);
    assert!(one.card.data.description.contains("4 measured series"), "{}", one.card.data.description);
    ModelCard::parse(&one.card_json).unwrap().verify(&one.onnx).unwrap();
}

#[test]
fn whole_series_are_held_out_and_stop_the_training() {
    let folder = tempfile::tempdir().unwrap();
    write_folder(folder.path());
    let measured = Measured::read(folder.path(), Unit::Celsius).unwrap();
    let trained = train(&small(1), &measured.series, &|_| ()).unwrap();
    assert_eq!(trained.folds.len(), 4);
    let kept_out: Vec<_> = trained.series.iter().filter(|series| series.fitted_on.is_none()).collect();
    assert_eq!(kept_out.len(), 1);
    assert_eq!(kept_out[0].fold, 0);
    assert!(trained.series.iter().all(|series| series.held_out.usual.len() > 200), "{:?}", trained.series);
    // The errors of a network that saw a series are not those of one that did not.
    for series in trained.series.iter().filter(|series| series.fold != 0) {
        assert_ne!(series.fitted_on.as_ref().unwrap().usual, series.held_out.usual, "{}", series.name);
    }
}

#[test]
fn the_report_names_files_and_why_others_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    write_folder(folder.path());
    let measured = Measured::read(folder.path(), Unit::Celsius).unwrap();
    let trained = train(&small(1), &measured.series, &|_| ()).unwrap();
    let path = trainer::report::write(folder.path(), &trained, &measured.left_out).unwrap();
    let page = std::fs::read_to_string(path).unwrap();
    assert!(page.contains("<td>&lt;b&gt;fridge</td>") && !page.contains("<b>fridge"));
    assert!(page.contains("<td>empty.csv</td><td>it holds no rows but the header</td>"));
    for text in ["labelled as anomalous, held out", "measured, held out", "Worst windows of measured series"]
    {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn files_of_one_name_or_one_content_are_used_once() {
    let folder = tempfile::tempdir().unwrap();
    write_folder(folder.path());
    write_series(&folder.path().join("south/room.csv"), Family::Room, 99, 0..0);
    write_series(&folder.path().join("zebra.csv"), Family::Room, 0, 0..0);
    std::fs::write(folder.path().join("words.csv"), "time,temperature\n1,2\n").unwrap();
    let measured = Measured::read(folder.path(), Unit::Celsius).unwrap();
    assert_eq!(measured.series.len(), 4);
    let reasons = measured.reasons();
    for says in [
        "south/room.csv: north/room.csv has the same name: rename one",
        "zebra.csv: it holds the same readings as north/room.csv: remove one",
        "begins with other columns than timestamp,value",
        "empty.csv: it holds no rows",
    ] {
        assert!(reasons.contains(says), "{reasons:?} does not say {says:?}");
    }
}

#[test]
fn a_folder_of_nothing_usable_is_an_error_that_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let error = Measured::read(folder.path(), Unit::Celsius).unwrap_err().to_string();
    assert!(error.contains("no file below"), "{error}");
    write_series(&folder.path().join("room.csv"), Family::Room, 1, 0..0);
    std::fs::write(folder.path().join("empty.csv"), "timestamp,value\n").unwrap();
    let error = Measured::read(folder.path(), Unit::Celsius).unwrap_err().to_string();
    assert!(
        error.contains("1 of 2 files") && error.contains("left out: empty.csv: it holds no rows"),
        "{error}"
    );
    let error = Measured::read(folder.path(), Unit::None).unwrap_err().to_string();
    assert!(error.contains("--unit celsius or fahrenheit"), "{error}");
}

/// The committed model with the detector's rules as its card sets them.
struct Committed {
    model: Autoencoder,
    detector: Detector,
}

impl Committed {
    fn load(policy: impl FnOnce(&ModelCard) -> Policy) -> Self {
        let card = ModelCard::parse(CARD).unwrap();
        card.verify(ONNX).unwrap();
        assert_eq!(card.window_length, WINDOW_LENGTH);
        let prior = Prior { spread: card.normalization.prior_spread, error_quantile: card.error_quantile };
        let detector = Detector { policy: policy(&card), prior };
        Self { model: Autoencoder::load(ONNX, WINDOW_LENGTH).unwrap(), detector }
    }

    fn judge(&mut self, readings: impl IntoIterator<Item = Reading>) -> Vec<Fact> {
        let mut device = Device::default();
        let mut judge_one = |reading| {
            let (mut window, mut reconstruction) = (Vec::new(), Vec::new());
            let seen = self.detector.observe(&mut device, reading, &mut window);
            self.model.reconstruct(&window, &mut reconstruction).unwrap();
            self.detector.decide(&mut device, &seen, &window, &reconstruction)
        };
        readings.into_iter().map(&mut judge_one).collect()
    }
}

#[test]
fn the_original_rule_finds_the_original_devices_anomalies_and_nothing_else() {
    let mut committed = Committed::load(|card| Policy::Fixed { threshold: card.policies.fixed_threshold });
    for seed in 0..3 {
        let mut draws = Draws::new(seed, 0);
        let (readings, injected): (Vec<_>, Vec<_>) = series(Family::Classic, seed, START_MS, MINUTE_MS)
            .take(5000)
            .map(|sample| {
                let injected = draws.chance(0.02);
                let celsius = if injected { draws.between(35.0, 45.0) } else { sample.celsius };
                (Reading::new(sample.timestamp_ms, celsius).unwrap(), injected)
            })
            .unzip();
        for (fact, injected) in committed.judge(readings).iter().zip(injected) {
            assert_eq!(fact.verdict() == Verdict::Anomaly, injected, "seed {seed}: {fact:?}");
        }
    }
}

#[test]
fn a_lively_device_is_normal_until_it_leaves_its_range() {
    let mut committed = Committed::load(|_| Policy::Calibrated);
    for family in [Family::Room, Family::Fridge, Family::Freezer, Family::Server] {
        let samples: Vec<_> = series(family, 4, START_MS, family.usual_interval_ms()).take(3000).collect();
        let celsius = |n: usize| samples[n].celsius + if n >= 2900 { 25.0 } else { 0.0 };
        let readings = (0..samples.len()).map(|n| Reading::new(samples[n].timestamp_ms, celsius(n)).unwrap());
        let facts = committed.judge(readings);
        let n_false = facts[..2900].iter().filter(|fact| fact.verdict() == Verdict::Anomaly).count();
        assert!(n_false <= 6, "{family}: {n_false} false alarms in 2900 readings");
        assert_eq!(facts[2900].verdict(), Verdict::Anomaly, "{family}: {:?}", facts[2900]);
        assert_eq!(facts[2950].verdict(), Verdict::Anomaly, "{family}: {:?}", facts[2950]);
    }
}
