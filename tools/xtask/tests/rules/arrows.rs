//! Which package may depend on which: an arrow that is not drawn here fails the build.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use crate::repository::root;

/// Package -> packages of this workspace that it may depend on.
const ARROWS: [(&str, &[&str]); 8] = [
    ("autoencoder", &[]),
    ("detector", &[]),
    ("wire", &[]),
    ("handler", &["autoencoder", "detector", "wire"]),
    ("trainer", &["autoencoder", "detector", "simulator", "wire"]),
    ("simulator", &["wire"]),
    ("local-host", &["wire"]),
    ("xtask", &["wire"]),
];

/// Package -> what would give it I/O, a clock, or another package's job.
const FORBIDDEN: [(&str, &[&str]); 2] = [
    ("detector", &["serde", "serde_json", "sonic-rs", "tokio", "reqwest", "axum", "ort", "jiff", "rand"]),
    ("wire", &["tokio", "axum", "reqwest", "ort", "azure_core"]),
];

fn metadata() -> Metadata {
    MetadataCommand::new().current_dir(root()).no_deps().exec().expect("cargo metadata runs")
}

/// Names of what a package depends on outside of its tests.
fn dependencies(package: &Package) -> BTreeSet<&str> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development)
        .map(|dependency| dependency.name.as_str())
        .collect()
}

#[test]
fn packages_depend_on_each_other_only_as_drawn() {
    let metadata = metadata();
    let drawn: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let members: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(members, drawn.keys().copied().collect(), "a package without a place in the drawing");
    for package in &metadata.packages {
        for dependency in dependencies(package).intersection(&members) {
            let allowed = drawn[package.name.as_str()];
            assert!(allowed.contains(dependency), "{} must not depend on {dependency}", package.name);
        }
    }
}

#[test]
fn the_local_host_and_the_handler_never_meet_in_tests_either() {
    for package in metadata().packages {
        let others: &[&str] = match package.name.as_str() {
            "local-host" => &["handler", "detector", "autoencoder"],
            "handler" => &["local-host"],
            "detector" | "autoencoder" => &["wire", "handler", "local-host"],
            _ => continue,
        };
        for dependency in &package.dependencies {
            assert!(
                !others.contains(&dependency.name.as_str()),
                "{} must not depend on {}",
                package.name,
                dependency.name
            );
        }
    }
}

#[test]
fn pure_packages_stay_pure() {
    let metadata = metadata();
    for (name, forbidden) in FORBIDDEN {
        let package = metadata.packages.iter().find(|package| package.name.as_str() == name).expect(name);
        for dependency in dependencies(package) {
            assert!(!forbidden.contains(&dependency), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn the_model_runs_in_one_package_only() {
    for package in metadata().packages {
        let runs =
            dependencies(&package).iter().any(|name| name.starts_with("ort") || name.starts_with("tract"));
        assert_eq!(runs, package.name.as_str() == "autoencoder", "{} and ort", package.name);
    }
}

#[test]
fn the_emulator_ships_with_nothing() {
    for package in metadata().packages {
        let emulates = package
            .dependencies
            .iter()
            .any(|dependency| dependency.features.iter().any(|feature| feature.contains("emulator")));
        assert_eq!(emulates, package.name.as_str() == "local-host", "{} and the emulator", package.name);
    }
}
