//! A small training from end to end, and what the committed model must be able to do.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autoencoder::Autoencoder;
use detector::{Detector, Device, Fact, Policy, Prior, Reading, Verdict, WINDOW_LENGTH};
use simulator::random::Draws;
use simulator::{Family, MINUTE_MS, series};
use trainer::fit::Recipe;
use trainer::fleet::FleetSize;
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
    }
}

#[test]
fn a_seed_gives_the_same_files_and_another_gives_others() {
    let one = train(&small(1), &mut |_, _| ()).unwrap();
    let again = train(&small(1), &mut |_, _| ()).unwrap();
    let other = train(&small(2), &mut |_, _| ()).unwrap();
    assert_eq!(one.onnx, again.onnx);
    assert_eq!(one.card_json, again.card_json);
    assert_ne!(one.onnx, other.onnx);
    ModelCard::parse(&one.card_json).unwrap().verify(&one.onnx).unwrap();
}

#[test]
fn the_report_has_a_page_and_its_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let trained = train(&small(1), &mut |_, _| ()).unwrap();
    let page = std::fs::read_to_string(trainer::report::write(folder.path(), &trained).unwrap()).unwrap();
    for picture in ["course.svg", "errors.svg", "typical.svg", "worst.svg"] {
        assert!(page.contains(&format!("({picture})")), "{picture}");
        assert!(std::fs::read_to_string(folder.path().join(picture)).unwrap().contains("<svg"), "{picture}");
    }
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
